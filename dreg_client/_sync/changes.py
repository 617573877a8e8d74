# Generated from dreg_client/_async/changes.py by tools/generate_sync.py. Do not edit.
"""Change a repository, and confirm each change by its specified status, or else by a HEAD."""

from collections.abc import Generator
from contextlib import contextmanager, suppress

from dreg_client import errors
from dreg_client._sync.client import Client
from dreg_client._sync.manifests import missing_manifests, named
from dreg_client.protocol import blobs, manifests
from dreg_client.protocol.changes import is_absent, is_specified, unconfirmed
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.manifests import TagOrDigest
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.missing import MOST_CHECKED, is_for_missing, named_manifests, with_reason
from dreg_client.protocol.turns import Turn
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName


def put_manifest(
    client: Client, repository: RepositoryName, name: TagOrDigest, raw: bytes, media_type: str
) -> tuple[Digest, Response]:
    """Write a manifest at a tag or digest; return its digest in the registry, and the response."""
    request = manifests.put_request(repository, name, raw, media_type)
    response = client.send(request)
    digest = manifests.written_digest(response, request, name)
    if not is_specified(response, request):
        _confirm_written(client, repository, name, request, response)
    return digest, response


def _confirm_written(
    client: Client, repository: RepositoryName, name: TagOrDigest, request: Request, response: Response
) -> None:
    try:
        found = named(client, repository, name)
    except errors.DregError as failure:
        raise unconfirmed(response, request, failure) from failure
    if found is None or found != Digest.of(request.body, found.algorithm):
        raise unconfirmed(response, request, f"it shows {found or 'no manifest'}")


def explained(
    client: Client, repository: RepositoryName, manifest: RawManifest, failure: errors.RegistryError, cannot: str
) -> errors.RegistryError:
    """Return the error for a manifest that the registry has, but does not accept again.

    If the registry no longer has all content that the manifest names, this is an UnsupportedError that says what is
    missing. `cannot` is the operation that failed, such as `cannot tag acme/web:1.4`.
    """
    if not is_for_missing(failure):
        return failure
    missing: tuple[Digest, ...] = ()
    with suppress(errors.DregError):  # the original failure is more useful
        missing = missing_manifests(client, repository, named_manifests(manifest.raw)[:MOST_CHECKED])
    name = f"{client.registry.name}/{repository}@{manifest.digest}"
    return with_reason(failure, cannot, missing, name)


@contextmanager
def deleting_alone(client: Client, repository: RepositoryName) -> Generator[None]:
    """Let nothing else in this process delete from the repository in this block.

    To delete a manifest, distribution 2.8 reads all tags. If one of them is deleted or written at that moment, it fails
    after the manifest is gone: its tags are still listed, although they no longer exist.

    Raises:
        DeadlineError: Other deletions take longer than the call may take.
    """
    with Turn((client.registry.url, repository, "deletion")) as before:
        where = f"{client.registry.name}/{repository}"
        client.wait_for_turn(before, "other deletions in the repository took too long", where)
        yield


def delete_manifest(client: Client, repository: RepositoryName, name: TagOrDigest) -> Response:
    """Delete a tag, or, given a digest, a manifest with all its tags."""
    request = manifests.delete_request(repository, name)
    response = client.send(request)
    confirm_deleted(client, repository, name, request, response)
    return response


def confirm_deleted(
    client: Client, repository: RepositoryName, name: TagOrDigest, request: Request, response: Response
) -> None:
    """Raise an error unless the deletion of a tag or manifest succeeded, by its response or by a HEAD."""
    manifests.check_manifest_deletion(response, request)
    if is_specified(response, request):
        return
    try:
        found = named(client, repository, name)
    except errors.DregError as failure:
        raise unconfirmed(response, request, failure) from failure
    if found is not None:
        raise unconfirmed(response, request, f"{found} is still there")


def delete_blob(client: Client, repository: RepositoryName, digest: Digest) -> None:
    """Delete a blob."""
    request = blobs.delete_request(repository, digest)
    response = client.send(request)
    blobs.check_blob_deletion(response, request)
    if is_specified(response, request):
        return
    # Some registries do not support HEAD, and return 404 (DLD-21), so GET must also return 404.
    head = blobs.blob_request("HEAD", repository, digest, mirrored=False)
    for check in (head, blobs.first_byte_request(repository, digest)):
        found = client.send(check)
        if not is_absent(found):
            shown = f"status {found.status}, not 404" if found.status != 404 else "a web page"
            raise unconfirmed(response, request, f"{check.method} returns {shown}")
