"""Blobs: whether one is there, reading, deleting (distribution-spec "Pulling blobs", "Deleting Blobs")."""

from typing import Final

from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.encoding import plain
from dreg_client.protocol.refusals import accept
from dreg_client.protocol.wire import Exchange, Request
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName

_GET_INSTEAD: Final = frozenset({404, 405, 500})
_SLACK: Final = 64 * 1024
"""What a body may be longer than it should, so that it is told by how much; and what packing may add."""
_DELETES_NOTHING: Final = "registries need to be set up for deletion, and some keep what manifests name"


def blob_request(method: str, repository: RepositoryName, digest: Digest) -> Request:
    """A request that reads a blob."""
    target = f"/v2/{repository}/blobs/{digest}"
    what = f"blob {digest} in {repository}"
    return Request(method, target, f"repository:{repository}:pull", mirrored=True, what=what)


def has(repository: RepositoryName, digest: Digest) -> Exchange[bool]:
    """Whether there is such a blob: by HEAD; where that denies it, as some proxies do, by asking for its first byte."""
    request = blob_request("HEAD", repository, digest)
    response = yield request
    if response.ok:
        return True
    if response.status not in _GET_INSTEAD:
        accept(response, request)
    return (yield from _has_first_byte(repository, digest))


def _has_first_byte(repository: RepositoryName, digest: Digest) -> Exchange[bool]:
    request = blob_request("GET", repository, digest)
    asked = Request("GET", request.target, request.scope, (("Range", "bytes=0-0"),), limit=0, what=request.what)
    response = yield asked
    if response.status == 404:
        return False
    if response.status != 416:  # a blob of no bytes has no first one
        accept(response, asked)
    return True


def get(repository: RepositoryName, descriptor: Descriptor) -> Exchange[bytes]:
    """A small blob whole, not proven yet: what a config is read by.

    Raises:
        ContentEncodingError: It came packed, and is another one packed and unpacked.
    """
    request = blob_request("GET", repository, descriptor.digest)
    limit = descriptor.size + _SLACK
    asked = Request("GET", request.target, request.scope, limit=limit, mirrored=True, what=request.what)
    return plain(accept((yield asked), asked), descriptor.digest, descriptor.size)


def delete(repository: RepositoryName, digest: Digest) -> Exchange[None]:
    """Delete a blob.

    Raises:
        NotFoundError: There is no such blob.
        UnsupportedError: The registry does not offer it.
    """
    scope = f"repository:{repository}:delete"
    request = Request("DELETE", f"/v2/{repository}/blobs/{digest}", scope, what=f"blob {digest} in {repository}")
    response = yield request
    accept(response, request, _DELETES_NOTHING if response.status == 405 else "")
