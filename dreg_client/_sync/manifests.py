# Generated from dreg_client/_async/manifests.py by tools/generate_sync.py. Do not edit.
"""Manifests of a registry, as plain values: nothing here imports the models (distribution-spec "Pulling manifests")."""

from collections.abc import Iterable

from dreg_client import errors
from dreg_client._sync.client import Client
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
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName


def resolve_manifest(
    client: Client, repository: RepositoryName, name: TagOrDigest, *, mirrored: bool = True
) -> ManifestHead:
    """Return media type, digest and size: by HEAD, which Docker Hub does not count as a pull, else by GET.

    HEAD is not tried again on a registry whose HEAD says too little although GET succeeds (DLD-21). Only the registry
    itself responds if it is not `mirrored`.
    """
    if client.head_describes:
        request = manifest_request("HEAD", repository, name, mirrored=mirrored)
        head = manifest_head(client.send(request), request, name)
        if head is not None:
            return head
    request = manifest_request("GET", repository, name, mirrored=mirrored)
    response = client.send(request)
    found = manifest_in(response, request, name)
    check_is_manifest(found, response)
    if not isinstance(name, Digest):  # HEAD of a digest may name it in another algorithm, and be right
        client.head_describes = False
    return ManifestHead(found.media_type or own_media_type(found.raw), found.digest, len(found.raw))


def named(client: Client, repository: RepositoryName, name: TagOrDigest) -> Digest | None:
    """Return the digest of what the registry itself, not a mirror, has at a tag or digest; None if there is nothing."""
    try:
        return resolve_manifest(client, repository, name, mirrored=False).digest
    except errors.NotFoundError:
        return None


def get_manifest(
    client: Client, repository: RepositoryName, name: TagOrDigest, *, legacy: bool = False, mirrored: bool = True
) -> RawManifest:
    """Fetch the manifest at a tag or digest; its media type is empty if the registry does not state one."""
    request = manifest_request("GET", repository, name, legacy=legacy, mirrored=mirrored)
    return manifest_in(client.send(request), request, name)


def missing_manifests(client: Client, repository: RepositoryName, digests: Iterable[Digest]) -> tuple[Digest, ...]:
    """Return those digests that the registry itself does not have."""
    return tuple([digest for digest in digests if _is_missing(client, repository, digest)])


def _is_missing(client: Client, repository: RepositoryName, digest: Digest) -> bool:
    """Return whether HEAD and GET are both 404: some registries offer no HEAD (DLD-21). Nothing else says so."""
    head = client.send(presence_request("HEAD", repository, digest))
    if head.status != 404:
        return False
    return client.send(presence_request("GET", repository, digest)).status == 404
