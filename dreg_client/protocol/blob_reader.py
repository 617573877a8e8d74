"""Reading one blob, through interruptions and without I/O: fed with bytes, it says what to request next (D-31)."""

import re
import zlib
from dataclasses import replace
from typing import Final, Protocol

from dreg_client import errors
from dreg_client.protocol.blobs import blob_request
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.content_encoding import GZIP, encoding_of
from dreg_client.protocol.error_responses import accept
from dreg_client.protocol.messages import Request, Response
from dreg_client.values.reference import RepositoryName
from dreg_client.values.sizes import MEBIBYTE

_MAX_RESUMES: Final = 5
_SLOWEST: Final = 1024
_WINDOW: Final = 60.0
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.ASCII)
_WHOLE_SIZE: Final = re.compile(r"bytes \*/(\d{1,19})", re.ASCII)
_MAY_BE_A_RANGE: Final = frozenset({200, 206, 416})
_MAX_DECOMPRESSED: Final = 16 * MEBIBYTE


class _Decompressor(Protocol):
    """What `zlib.decompressobj` returns, whose class has no public name."""

    @property
    def unconsumed_tail(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes: ...


class BlobTransfer:
    """The state of reading one blob, or one range of it (up to `end`), over any number of responses.

    Send its `request`, pass the response to `begin`, each chunk of the body to `feed`, and report that the body `ended`
    or was `interrupted`, until it is `done`. `feed` returns the blob's bytes in order, each once, not verified yet.

    Attributes:
        offset: Offset of the next byte that `feed` returns.
        total: The size of the blob, None while it is unknown.
        end: Offset behind the last byte of the requested range; None if the whole blob is requested, or if the server
            does not support ranges.
        exact: Whether to reject a response that is not exactly the requested range, as other ranges are read at the
            same time. Otherwise the transfer falls back to reading the whole blob.
        done: Whether all bytes were returned.
        encoding: The `Content-Encoding` that the bytes came with although none was requested; empty if none.
    """

    def __init__(self, repository: RepositoryName, request: BlobRequest, *, end: int | None = None) -> None:
        self.offset, self.encoding = request.start, ""
        self.total: int | None = request.size
        self.end: int | None = end
        self.done = bool(request.size) and request.start == request.size
        self.exact: bool = False
        self._blob = blob_request("GET", repository, request.digest)
        self._where, self._decode, self._fresh = self._blob.what, request.decode, request.fresh
        self._ranged, self._skip = True, 0
        self._resumes, self._since_resume = 0, 0
        self._waited, self._window = 0.0, 0
        self._short: errors.SizeMismatchError | None = None
        self._decompressor: _Decompressor | None = None

    def request(self) -> Request:
        """Return the next request: for the rest of the range or blob, or for the whole blob if ranges do not work."""
        headers: list[tuple[str, str]] = []
        if self.end is not None:
            headers.append(("Range", f"bytes={self.offset}-{self.end - 1}"))
        elif self.offset and self._ranged:
            headers.append(("Range", f"bytes={self.offset}-"))
        if self._fresh:
            headers.append(("Cache-Control", "no-cache"))
        return replace(self._blob, headers=tuple(headers), streams=True, mirrored=not self._fresh)

    def begin(self, response: Response) -> bool:
        """Check a response; return whether to `feed` its body, else the next `request` must be sent unless `done`."""
        self.encoding, self._short = encoding_of(response), None
        if self._decode and self.encoding in GZIP:
            self._decompressor = zlib.decompressobj(wbits=31)
        if self.end is not None and response.status in _MAY_BE_A_RANGE:
            if self._is_requested_range(response, self.end):
                return True
            self._drop_range(response.where)
            if response.status == 206 or (response.status == 416 and self.offset == 0):
                return False
        if response.status == 416 and self.offset and self._ranged:
            return self._begin_at_the_end(response)
        accept(response, self._blob)
        self._skip = 0
        if response.status == 206:
            return self._begin_rest(response)
        self._skip = self.offset
        self._expect(response.headers.content_length)
        return True

    def _is_requested_range(self, response: Response, end: int) -> bool:
        """Return whether it is exactly the requested range, or as much of it as the blob has."""
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range") or "")
        if response.status != 206 or self.encoding or not found or found[3] == "*":
            return False
        total, length = int(found[3]), response.headers.content_length
        end = min(end, total)
        if (int(found[1]), int(found[2])) != (self.offset, end - 1) or total != (self.total or total):
            return False
        if length not in {None, end - self.offset}:
            return False
        self.total, self.end, self._skip = total, end, 0
        return True

    def _drop_range(self, where: str) -> None:
        self.end = None
        if self.exact:
            raise errors.ProtocolError("gives something else than the piece that was asked for", where)

    def _begin_at_the_end(self, response: Response) -> bool:
        """Handle a 416: either all bytes are here already, or those that are belong to another blob."""
        size = _WHOLE_SIZE.fullmatch(response.headers.get("content-range") or "")
        whole = int(size[1]) if size else None
        if whole is not None and whole < self.offset:
            raise errors.SizeMismatchError(whole, self.offset, self._where)
        if self.offset in {self.total, whole}:
            self.done = True
            return False
        return self._restart(response)

    def _begin_rest(self, response: Response) -> bool:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range") or "")
        was_requested = self._ranged and self.offset > 0
        if not found or not was_requested or int(found[1]) != self.offset:
            return self._restart(response)
        last, total = int(found[2]), int(found[3]) if found[3] != "*" else None
        if last < self.offset or (total is not None and total <= last):
            return self._restart(response)  # such a part "MUST NOT" be combined with others (RFC 9110 14.4)
        self._expect(total)
        return True

    def _restart(self, response: Response) -> bool:
        """Request the whole blob, once; `feed` skips what it returned before."""
        if not self._ranged:
            raise errors.ProtocolError("gives another part of the blob than was asked for", response.where)
        self._ranged = False
        return False

    def _expect(self, length: int | None) -> None:
        if length is None or self.encoding:
            return
        if self.total is not None and length != self.total:
            raise errors.SizeMismatchError(self.total, length, self._where)
        self.total = length

    def feed(self, chunk: bytes, waited: float = 0.0) -> bytes:
        """Accept a chunk of the body, which took `waited` seconds to arrive, and return its part that is new."""
        self._check_pace(len(chunk), waited)
        if self._decompressor is not None:
            chunk = self._decompressed(chunk, self._decompressor)
        if self._skip:
            skipped = min(self._skip, len(chunk))
            chunk, self._skip = chunk[skipped:], self._skip - skipped
        self.offset += len(chunk)
        self._since_resume += len(chunk)
        if self.exact and self.end is not None and self.offset > self.end:
            self._drop_range(self._where)
        if self.total is not None and self.offset > self.total and not self._is_compressed():
            raise errors.SizeMismatchError(self.total, self.offset, self._where)
        return chunk

    def _is_compressed(self) -> bool:
        # Then the number of bytes says nothing about the blob's size.
        return bool(self.encoding) and self._decompressor is None

    def _decompressed(self, chunk: bytes, decompressor: _Decompressor) -> bytes:
        """Decompress a chunk, to at most one byte more than the blob has left."""
        limit = _MAX_DECOMPRESSED if self.total is None else max(self.total - self.offset, 0) + 1
        try:
            octets = decompressor.decompress(chunk, limit)
        except zlib.error:
            raise errors.ContentEncodingError(f"{self._where}: came as gzip, and is none") from None
        if decompressor.unconsumed_tail:
            raise errors.ContentEncodingError(f"{self._where}: came packed, and unpacks to something else")
        return octets

    def _check_pace(self, octets: int, waited: float) -> None:
        self._waited += waited
        self._window += octets
        if self._waited < _WINDOW:
            return
        if self._window < _SLOWEST * self._waited:
            raise errors.TransferTimeoutError(f"fewer than {_SLOWEST} bytes a second came for a minute", self._where)
        self._waited, self._window = 0.0, 0

    def ended(self) -> None:
        """Check that the body was complete; a TruncatedBodyError must be reported to `interrupted`."""
        expected = self.total if self.end is None else self.end
        if expected is not None and self.offset < expected and not self._is_compressed():
            self._short = errors.SizeMismatchError(self.total or expected, self.offset, self._where)
            raise errors.TruncatedBodyError(f"ended after {self.offset} of {expected} bytes", self._where)
        self.done = True

    def interrupted(self, failure: errors.TransportError) -> None:
        """Raise an error if the body broke off too often without progress, or if trying again is useless.

        If the last body had the length that it stated, yet the blob is longer, the error is a SizeMismatchError.
        """
        if self._since_resume >= MEBIBYTE:
            self._resumes = 0
        self._resumes, self._since_resume = self._resumes + 1, 0
        if not failure.retryable:
            raise failure
        if self._resumes > _MAX_RESUMES:
            if self._short is not None:
                raise self._short from failure
            reason = f"broke off after {self.offset} bytes, again and again ({failure.reason})"
            raise errors.TruncatedBodyError(reason, self._where) from failure
