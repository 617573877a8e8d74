# Generated from dreg_client/_async/manifests.py by tools/generate_sync.py. Do not edit.
"""Manifests of a registry as plain values, without importing models (distribution-spec "Pulling manifests")."""

from collections.abc import Iterable

from dreg_client import errors
from dreg_client._sync.client import Client
from dreg_client.protocol.changes import check_absence, is_absent
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.manifests import (
    ManifestHead,
    TagOrDigest,
    check_is_manifest,
    manifest_head,
    manifest_in,
    manifest_request,
    own_media_type,
    presence_request,
)
from dreg_client.protocol.messages import Response
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName


def resolve_manifest(
    client: Client, repository: RepositoryName, name: TagOrDigest, *, mirrored: bool = True, proves: bool = False
) -> ManifestHead:
    """Return media type, digest and size: by HEAD, which Docker Hub does not count as a pull, or else by GET.

    If a registry's HEAD states too little although GET succeeds, HEAD is not sent to it again (DLD-21). Unless
    `mirrored`, mirrors are not used. With `proves`, a web page with status 404 is a ProtocolError.
    """
    if client.head_describes:
        head, _ = _by_head(client, repository, name, mirrored=mirrored)
        if head is not None:
            return head
    return _by_get(client, repository, name, mirrored=mirrored, proves=proves)


def _by_head(
    client: Client, repository: RepositoryName, name: TagOrDigest, *, mirrored: bool
) -> tuple[ManifestHead | None, Response]:
    request = manifest_request("HEAD", repository, name, mirrored=mirrored)
    response = client.send(request)
    head = manifest_head(response, request, name)
    if head is not None and not mirrored:
        client.head_answers = True
    return head, response


def _by_get(
    client: Client, repository: RepositoryName, name: TagOrDigest, *, mirrored: bool, proves: bool
) -> ManifestHead:
    request = manifest_request("GET", repository, name, mirrored=mirrored)
    response = client.send(request)
    if proves:
        check_absence(response, request)
    found = manifest_in(response, request, name)
    check_is_manifest(found, response)
    if not isinstance(name, Digest):  # HEAD of a digest may correctly state the digest of another algorithm
        client.head_describes = False
    return ManifestHead(found.media_type or own_media_type(found.raw), found.digest, len(found.raw))


def named(client: Client, repository: RepositoryName, name: TagOrDigest) -> Digest | None:
    """Return the digest of the manifest at a tag or digest, ignoring mirrors; None if there is none."""
    try:
        return resolve_manifest(client, repository, name, mirrored=False, proves=True).digest
    except errors.NotFoundError:
        return None


def named_before_change(
    client: Client, repository: RepositoryName, name: TagOrDigest, new: Digest | None = None
) -> Digest | None:
    """Return what a tag or digest names just before a change, ignoring mirrors; None if it does not exist.

    Some registries do not support HEAD, and return 404 (DLD-21). But once HEAD has described any manifest of a
    registry, 404 proves that there is no such tag, and GET is not necessary. `new` is a manifest that probably exists.
    """
    if client.head_describes:
        head, response = _by_head(client, repository, name, mirrored=False)
        if head is not None:
            return head.digest
        if is_absent(response) and new is not None:
            with client.head_lock:
                if not client.head_answers:
                    _by_head(client, repository, new, mirrored=False)
        if is_absent(response) and client.head_answers:
            return None
    try:
        return _by_get(client, repository, name, mirrored=False, proves=True).digest
    except errors.NotFoundError:
        return None


def get_manifest(
    client: Client, repository: RepositoryName, name: TagOrDigest, *, legacy: bool = False, mirrored: bool = True
) -> RawManifest:
    """Fetch the manifest at a tag or digest. Its media type is empty if the registry does not state one."""
    request = manifest_request("GET", repository, name, legacy=legacy, mirrored=mirrored)
    return manifest_in(client.send(request), request, name)


def missing_manifests(client: Client, repository: RepositoryName, digests: Iterable[Digest]) -> tuple[Digest, ...]:
    """Return the digests that the registry itself, not a mirror, does not have."""
    return tuple([digest for digest in digests if _is_missing(client, repository, digest)])


def _is_missing(client: Client, repository: RepositoryName, digest: Digest) -> bool:
    """Return whether HEAD and GET both return 404. Some registries do not support HEAD, and return 404 (DLD-21)."""
    head = client.send(presence_request("HEAD", repository, digest))
    return is_absent(head) and is_absent(client.send(presence_request("GET", repository, digest)))
