"""Blobs: requests, and the meaning of their responses (distribution-spec "Pulling blobs", "Deleting Blobs")."""

import re
from dataclasses import replace
from typing import Final

from dreg_client import errors
from dreg_client.protocol.content_encoding import decoded_body
from dreg_client.protocol.error_responses import CHECK, raise_for_status, raise_unless_content
from dreg_client.protocol.messages import Request, Response
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import PAGES, essence
from dreg_client.values.reference import RepositoryName
from dreg_client.values.sizes import KIBIBYTE

_GET_INSTEAD: Final = frozenset({400, 403, 404, 405, 500, 501})
"""Statuses of HEAD after which GET may succeed: for example, a URL that is signed for GET only rejects HEAD (403)."""
_TOTAL: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_FIRST_BYTE: Final = re.compile(r"bytes 0-\d{1,19}/(?:\d{1,19}|\*)", re.ASCII)
_SLACK: Final = 64 * KIBIBYTE
"""The bytes to read beyond the expected size, so that the error can state the actual size, and for gzip's overhead."""
_DELETES_NOTHING: Final = "enable deletion in the registry; some registries do not delete blobs that a manifest names"


def blob_request(method: str, repository: RepositoryName, digest: Digest, *, mirrored: bool = True) -> Request:
    """Return a request that reads a blob."""
    target = f"/v2/{repository}/blobs/{digest}"
    what = f"blob {digest} in {repository}"
    return Request(method, target, f"repository:{repository}:pull", mirrored=mirrored, what=what)


def head_proves(response: Response, request: Request, digest: Digest) -> bool:
    """Return whether a response to HEAD proves that the blob exists. Raise its error if GET cannot help (TRN-24)."""
    if not response.ok and response.status not in _GET_INSTEAD:
        raise_for_status(response, request)
    return response.status == 200 and response.headers.get("docker-content-digest") == digest


def first_byte_request(repository: RepositoryName, digest: Digest) -> Request:
    """Return the request for the first byte of a blob."""
    request = blob_request("GET", repository, digest, mirrored=False)
    return replace(request, headers=(("Range", "bytes=0-0"),), limit=0)


def has_first_byte(response: Response, request: Request, digest: Digest, head: Response) -> bool:
    """Return whether the response to `first_byte_request` proves that the blob exists; its size must match `head`."""
    if response.status == 404:
        return False
    if response.status == 416 and digest.computable and digest == Digest.of(b"", digest.algorithm):
        return True  # an empty blob has no first byte
    raise_unless_content(response, request, verb=CHECK, is_range=True)
    reason = ""
    if essence(response.headers.get("content-type") or "") in PAGES:
        reason = "the response is a web page, not a blob; check the URL, and any proxy in between"
    elif response.status == 206 and not _FIRST_BYTE.fullmatch(response.headers.get("content-range") or ""):
        reason = "the response is not the requested first byte of the blob"
    if reason:
        raise errors.ProtocolError(reason, response.where)
    stated, whole = _size(head) if head.ok else None, _size(response)
    if stated is not None and whole is not None and whole != stated:
        reason = f"the blob has {stated} bytes according to HEAD, but {whole} according to GET"
        raise errors.ProtocolError(reason, response.where)
    return True


def _size(response: Response) -> int | None:
    """Return the size of the whole blob that a response states, even if its body is only a part."""
    if response.status != 206:
        return response.headers.content_length
    total = (response.headers.get("content-range") or "").rpartition("/")[2]
    return int(total) if _TOTAL.fullmatch(total) else None


def small_blob_request(repository: RepositoryName, digest: Digest, size: int) -> Request:
    """Return the request for a whole blob of `size` bytes that is held in memory, such as a config."""
    return replace(blob_request("GET", repository, digest), limit=size + _SLACK)


def is_small_blob(response: Response, digest: Digest) -> bool:
    """Return whether a response has the bytes of a blob, not compressed."""
    return response.status == 200 and Digest.of(response.body, digest.algorithm) == digest


def small_blob_in(response: Response, request: Request, digest: Digest, size: int) -> bytes:
    """Return the bytes of a whole blob, decompressed if necessary (D-01), and not verified yet."""
    return decoded_body(raise_unless_content(response, request), digest, size)


def delete_request(repository: RepositoryName, digest: Digest) -> Request:
    """Return the request that deletes a blob."""
    scope = f"repository:{repository}:delete"
    request = blob_request("DELETE", repository, digest, mirrored=False)
    return replace(request, scope=scope, absent_is_done=True)


def check_blob_deletion(response: Response, request: Request) -> None:
    """Check the response to a deletion."""
    raise_for_status(response, request, _DELETES_NOTHING if response.status == 405 else "")
