"""Blobs: whether one is there, reading, deleting (distribution-spec "Pulling blobs", "Deleting Blobs")."""

import re
from typing import Final

from dreg_client import errors
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.content_encoding import plain
from dreg_client.protocol.error_responses import accept
from dreg_client.protocol.messages import Exchange, Request, Response
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import PAGES, essence
from dreg_client.values.reference import RepositoryName
from dreg_client.values.sizes import KIBIBYTE

_GET_INSTEAD: Final = frozenset({400, 403, 404, 405, 500, 501})
"""What HEAD is answered by where GET may do better: a URL signed for GET alone, say, refuses it (403)."""
_TOTAL: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_SLACK: Final = 64 * KIBIBYTE
"""What a body may be longer than it should, so that it is told by how much; and what packing may add."""
_DELETES_NOTHING: Final = "registries need to be set up for deletion, and some keep what manifests name"


def blob_request(method: str, repository: RepositoryName, digest: Digest) -> Request:
    """A request that reads a blob."""
    target = f"/v2/{repository}/blobs/{digest}"
    what = f"blob {digest} in {repository}"
    return Request(method, target, f"repository:{repository}:pull", mirrored=True, what=what)


def has(repository: RepositoryName, digest: Digest) -> Exchange[bool]:
    """Whether there is such a blob: by HEAD where that names its digest, else by asking for its first byte (TRN-24).

    Raises:
        ProtocolError: What answers is no blob: a page for browsers, or something of two lengths.
    """
    request = blob_request("HEAD", repository, digest)
    response = yield request
    if response.ok and response.headers.get("docker-content-digest") == digest:
        return True
    if not response.ok and response.status not in _GET_INSTEAD:
        accept(response, request)
    return (yield from _has_first_byte(repository, digest, _length(response) if response.ok else None))


def _has_first_byte(repository: RepositoryName, digest: Digest, length: int | None) -> Exchange[bool]:
    request = blob_request("GET", repository, digest)
    asked = Request("GET", request.target, request.scope, (("Range", "bytes=0-0"),), limit=0, what=request.what)
    response = yield asked
    if response.status == 404:
        return False
    if response.status != 416:  # a blob of no bytes has no first one
        _refuse_another(accept(response, asked), length)
    return True


def _refuse_another(response: Response, length: int | None) -> None:
    if essence(response.headers.get("content-type") or "") in PAGES:
        reason = "a page for browsers came where a blob is due: check the address, and what stands between"
        raise errors.ProtocolError(reason, response.where)
    whole = _length(response)
    if length is not None and whole is not None and whole != length:
        raise errors.ProtocolError(f"says {length} bytes of a blob to HEAD, and {whole} to GET", response.where)


def _length(response: Response) -> int | None:
    """How long a blob is said to be, also where a part of it comes."""
    if response.status != 206:
        return response.length
    said = (response.headers.get("content-range") or "").rpartition("/")[2]
    return int(said) if _TOTAL.fullmatch(said) else None


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
