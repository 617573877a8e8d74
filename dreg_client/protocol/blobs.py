"""Blobs: requests and what their responses mean (distribution-spec "Pulling blobs", "Deleting Blobs")."""

import re
from dataclasses import replace
from typing import Final

from dreg_client import errors
from dreg_client.protocol.content_encoding import decoded_body
from dreg_client.protocol.error_responses import TELL, raise_for_status
from dreg_client.protocol.messages import Request, Response
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import PAGES, essence
from dreg_client.values.reference import RepositoryName
from dreg_client.values.sizes import KIBIBYTE

_GET_INSTEAD: Final = frozenset({400, 403, 404, 405, 500, 501})
"""Statuses of HEAD after which GET may succeed: a URL signed for GET alone, say, rejects HEAD (403)."""
_TOTAL: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_SLACK: Final = 64 * KIBIBYTE
"""How many bytes longer than it should be a body may be, so that the error can say by how much; and what gzip adds."""
_DELETES_NOTHING: Final = "deletion must be enabled in the registry; some refuse to delete blobs that a manifest names"


def blob_request(method: str, repository: RepositoryName, digest: Digest, *, mirrored: bool = True) -> Request:
    """Return a request that reads a blob."""
    target = f"/v2/{repository}/blobs/{digest}"
    what = f"blob {digest} in {repository}"
    return Request(method, target, f"repository:{repository}:pull", mirrored=mirrored, what=what)


def head_proves(response: Response, request: Request, digest: Digest) -> bool:
    """Return whether a response to HEAD proves that the blob exists; raise its error, unless GET may do (TRN-24)."""
    if not response.ok and response.status not in _GET_INSTEAD:
        raise_for_status(response, request)
    return response.ok and response.headers.get("docker-content-digest") == digest


def first_byte_request(repository: RepositoryName, digest: Digest) -> Request:
    """Return the request for the first byte of a blob."""
    request = blob_request("GET", repository, digest, mirrored=False)
    return replace(request, headers=(("Range", "bytes=0-0"),), limit=0)


def has_first_byte(response: Response, request: Request, head: Response) -> bool:
    """Return whether the response to `first_byte_request` shows that there is such a blob, as `head` describes it."""
    if response.status in {404, 416}:
        return response.status == 416  # an empty blob has no first byte
    raise_for_status(response, request, verb=TELL)  # that is the question, whatever is sent for it
    if essence(response.headers.get("content-type") or "") in PAGES:
        reason = "a page for browsers came where a blob is due: check the address, and what stands between"
        raise errors.ProtocolError(reason, response.where)
    stated, whole = _size(head) if head.ok else None, _size(response)
    if stated is not None and whole is not None and whole != stated:
        raise errors.ProtocolError(f"says {stated} bytes of a blob to HEAD, and {whole} to GET", response.where)
    return True


def _size(response: Response) -> int | None:
    """Return the size of a blob that a response states, also if it holds only a part."""
    if response.status != 206:
        return response.headers.content_length
    total = (response.headers.get("content-range") or "").rpartition("/")[2]
    return int(total) if _TOTAL.fullmatch(total) else None


def small_blob_request(repository: RepositoryName, digest: Digest, size: int) -> Request:
    """Return the request for a whole blob of `size` bytes that is held in memory, such as a config."""
    return replace(blob_request("GET", repository, digest), limit=size + _SLACK)


def small_blob_in(response: Response, request: Request, digest: Digest, size: int) -> bytes:
    """Return the bytes of a whole blob, not verified yet; if they came compressed, decompressed (D-01)."""
    return decoded_body(raise_for_status(response, request), digest, size)


def delete_request(repository: RepositoryName, digest: Digest) -> Request:
    """Return the request that deletes a blob."""
    scope = f"repository:{repository}:delete"
    request = blob_request("DELETE", repository, digest, mirrored=False)
    return replace(request, scope=scope, absent_is_done=True)


def check_blob_deletion(response: Response, request: Request) -> None:
    """Check the response to a deletion."""
    raise_for_status(response, request, _DELETES_NOTHING if response.status == 405 else "")
