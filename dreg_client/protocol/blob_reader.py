"""Read one blob, resuming after interruptions, by one request or by concurrent range requests; without I/O.

A transfer accepts bytes, and decides what to request next (D-31).
"""

import re
import zlib
from dataclasses import replace
from typing import Final, Protocol

from dreg_client import errors
from dreg_client.protocol.blobs import blob_request
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.content_encoding import GZIP, encoding_of
from dreg_client.protocol.error_responses import raise_unless_content
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.pace import Pace
from dreg_client.protocol.retry import may_help
from dreg_client.values.reference import RepositoryName
from dreg_client.values.sizes import MEBIBYTE, most_decompressed

RANGE_SIZE: Final = 4 * MEBIBYTE
MIN_RANGED: Final = 16 * MEBIBYTE
"""A smaller blob is read by one request."""
EXTRA_RANGES: Final = 2
"""The number of ranges, beyond one per request, that may be held in memory or being read."""
_MAX_RESUMES: Final = 5
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.ASCII)
_WHOLE_SIZE: Final = re.compile(r"bytes \*/(\d{1,19})", re.ASCII)
_MAY_BE_A_RANGE: Final = frozenset({200, 206, 416})
_MAX_DECOMPRESSED: Final = 16 * MEBIBYTE
"""The most bytes of a blob of unknown size that one chunk may give, since they are held in memory."""
_MAX_OVERHEAD: Final = MEBIBYTE
"""The most bytes by which compression makes a blob longer."""


class _Decompressor(Protocol):
    """The type of `zlib.decompressobj()`, which has no public name."""

    @property
    def unconsumed_tail(self) -> bytes: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes: ...


class BlobTransfer:
    """The state of reading one blob, or one range of it (up to `end`), over any number of responses.

    Until it is `done`: send its `request`, pass the response to `begin` and each chunk of the body to `feed`, then call
    `ended` or `interrupted`. `feed` returns the blob's bytes in order, each once, not verified yet.
    """

    def __init__(self, repository: RepositoryName, request: BlobRequest, *, end: int | None = None) -> None:
        self.offset: int = request.start  # of the next byte that `feed` returns
        self.encoding: str = ""  # the `Content-Encoding` of the bytes, although none was requested
        self.total: int | None = request.size  # of the blob; None while unknown
        self.end: int | None = end  # of the requested range; None for the whole blob, or if ranges do not work
        self.done: bool = bool(request.size) and request.start == request.size  # whether all bytes were returned
        # Whether to reject a response that is not exactly the requested range, because other ranges are being read.
        # Otherwise, the transfer falls back to reading the whole blob.
        self.exact: bool = False
        self._blob = blob_request("GET", repository, request.digest)
        self._where, self._decode, self._fresh = self._blob.what, request.decode, request.fresh
        self._ranged, self._skip = True, 0
        self._resumes, self._since_resume = 0, 0
        self.pace: Pace = Pace(self._where)
        self._compressed, self._decompressed = 0, 0  # bytes of this response: before and after decompression
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
        """Check a response. Return whether to `feed` its body; if not, send the next `request` unless `done`."""
        self.encoding, self._short = encoding_of(response), None
        is_gzip = self._decode and self.encoding in GZIP
        self._decompressor = zlib.decompressobj(wbits=31) if is_gzip else None
        self._compressed, self._decompressed = 0, 0
        if self.end is not None and response.status in _MAY_BE_A_RANGE:
            if self._is_requested_range(response, self.end):
                return True
            self._drop_range(response.where)
            if response.status == 206 or (response.status == 416 and self.offset == 0):
                return False
        if response.status == 416 and self.offset and self._ranged:
            return self._begin_at_the_end(response)
        raise_unless_content(response, self._blob, is_range=True)
        self._skip = 0
        if response.status == 206:
            return self._begin_rest(response)
        self._skip = self.offset
        self._expect(response.headers.content_length)
        return True

    def _is_requested_range(self, response: Response, end: int) -> bool:
        """Return whether the response is exactly the requested range, or the part of it that the blob has."""
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
            raise errors.ProtocolError("the response is not the requested range", where)

    def _begin_at_the_end(self, response: Response) -> bool:
        """Handle a 416: either all bytes have been received, or the received bytes belong to another blob."""
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
            return self._restart(response)  # such a range "MUST NOT" be combined with others (RFC 9110 14.4)
        self._expect(total)
        return True

    def _restart(self, response: Response) -> bool:
        """Request the whole blob, once; `feed` skips the bytes that it has already returned."""
        if not self._ranged:
            raise errors.ProtocolError("the response is not the requested part of the blob", response.where)
        self._ranged = False
        return False

    def _expect(self, length: int | None) -> None:
        if length is None or self.encoding:
            return
        if self.total is not None and length != self.total:
            raise errors.SizeMismatchError(self.total, length, self._where)
        self.total = length

    def feed(self, chunk: bytes, waited: float = 0.0) -> bytes:
        """Accept a chunk of the body that took `waited` seconds to arrive; return the part of it that is new."""
        if self._decompressor is not None:
            chunk = self._decompress(chunk, self._decompressor)
        self.pace.add(len(chunk), waited)  # only bytes of the blob are progress: gzip allows any number of empty blocks
        if self._skip:
            skipped = min(self._skip, len(chunk))
            chunk, self._skip = chunk[skipped:], self._skip - skipped
        self.offset += len(chunk)
        self._since_resume += len(chunk)
        if self.exact and self.end is not None and self.offset > self.end:
            self._drop_range(self._where)
        overhead = _MAX_OVERHEAD if self._is_compressed() else 0
        if self.total is not None and self.offset > self.total + overhead:
            raise errors.SizeMismatchError(self.total, self.offset, self._where)
        return chunk

    def _is_compressed(self) -> bool:
        # The number of compressed bytes says little about the blob's size.
        return bool(self.encoding) and self._decompressor is None

    def _decompress(self, chunk: bytes, decompressor: _Decompressor) -> bytes:
        """Decompress a chunk of exactly one gzip member, to at most one byte more than the rest of the blob."""
        self._compressed += len(chunk)
        most = most_decompressed(self._compressed) if self.total is None else self.total
        limit = max(most - self.offset + self._skip, 0) + 1
        if self.total is None:
            limit = min(limit, _MAX_DECOMPRESSED)
        try:
            octets = decompressor.decompress(chunk, limit)
        except zlib.error:
            raise errors.ContentEncodingError(f"{self._where}: has Content-Encoding gzip, but is not gzip") from None
        if decompressor.unconsumed_tail:
            raise errors.ContentEncodingError(f"{self._where}: decompresses to more bytes than expected")
        if decompressor.unused_data:
            raise errors.ContentEncodingError(f"{self._where}: has more bytes after the end of its gzip content")
        self._decompressed += len(octets)
        if self._compressed > 2 * self._decompressed + _MAX_OVERHEAD:
            raise errors.ContentEncodingError(f"{self._where}: has gzip content that is much longer than the blob")
        return octets

    def ended(self) -> None:
        """Check that the body was complete. If not, raise a TruncatedBodyError, to be passed to `interrupted`."""
        expected = self.total if self.end is None else self.end
        if expected is not None and self.offset < expected and not self._is_compressed():
            self._short = errors.SizeMismatchError(self.total or expected, self.offset, self._where)
            raise errors.TruncatedBodyError(f"the body ended after {self.offset} of {expected} bytes", self._where)
        self.done = True

    def interrupted(self, failure: errors.TransportError) -> None:
        """Raise an error if the body was interrupted too often without progress, or if a retry would not help."""
        self.pace.check()
        if self._since_resume >= MEBIBYTE:
            self._resumes = 0
        self._resumes, self._since_resume = self._resumes + 1, 0
        if not may_help(failure):
            raise failure
        if self._resumes > _MAX_RESUMES:
            if self._short is not None:  # the body had its stated length, but the blob is longer
                raise self._short from failure
            reason = f"interrupted repeatedly, last after {self.offset} bytes ({failure.reason})"
            raise errors.TruncatedBodyError(reason, self._where) from failure


class BlobRanges:
    """The state of reading one blob by range requests.

    Read `first`, and call `begin` once it has its response. If `begin` returns True, read each range that `next`
    returns. Report the bytes that were passed on, in order, to `advance`, and the end of the oldest range to
    `finish_range`. If a response is not the requested range, its `end` is None; `rest` then reads what is left. If the
    registry does not support ranges, `first` is the whole blob.
    """

    def __init__(self, repository: RepositoryName, request: BlobRequest, requests: int) -> None:
        self._repository, self._request = repository, request
        self.requests = requests  # the most concurrent range requests
        self.offset: int = request.start  # of the next byte to pass on
        self.total: int | None = request.size  # of the blob; None while unknown
        self._requested = request.start + RANGE_SIZE
        self._held = 1
        is_large = request.size is None or request.size - request.start >= MIN_RANGED
        end = self._requested if requests > 1 and is_large else None
        self.first: BlobTransfer = BlobTransfer(repository, request, end=end)

    def begin(self) -> bool:
        """Return whether to request more ranges, once the first one has its response."""
        self.total = self.first.total
        self.first.exact = self.first.end is not None and self.total is not None and self.first.end < self.total
        return self.first.exact

    def next(self) -> BlobTransfer | None:
        """Return the next range to request; None if too many are held, or nothing is left."""
        if self.total is None or self._requested >= self.total or self._held >= self.requests + EXTRA_RANGES:
            return None
        start, self._requested = self._requested, min(self._requested + RANGE_SIZE, self.total)
        self._held += 1
        transfer = BlobTransfer(self._repository, self._from(start), end=self._requested)
        transfer.exact = True
        return transfer

    def advance(self, octets: int) -> None:
        """Report the number of bytes that were passed on."""
        self.offset += octets

    def finish_range(self) -> None:
        """Report that all bytes of the oldest range were passed on."""
        self._held -= 1

    def split_rest(self) -> None:
        """Read the rest by ranges again, from the next byte to pass on."""
        self._requested, self._held = self.offset, 0

    def rest(self) -> BlobTransfer:
        """Return the transfer that reads the rest by one request."""
        return BlobTransfer(self._repository, self._from(self.offset))

    def _from(self, start: int) -> BlobRequest:
        return replace(self._request, start=start, size=self.total)
