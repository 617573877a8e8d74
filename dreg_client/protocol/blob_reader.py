"""The reading of one blob, through interruptions: fed with bytes, it says what to ask for next (decision D-31)."""

import re
import zlib
from typing import Any, Final

from dreg_client import errors
from dreg_client.protocol.blobs import blob_request
from dreg_client.protocol.content_encoding import GZIP, encoding_of
from dreg_client.protocol.error_responses import accept
from dreg_client.protocol.messages import Request, Response
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName
from dreg_client.values.sizes import MEBIBYTE

MAX_RESUMES: Final = 5
_SLOWEST: Final = 1024
_WINDOW: Final = 60.0
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.ASCII)
_WHOLE_SIZE: Final = re.compile(r"bytes \*/(\d{1,19})", re.ASCII)
_MAY_BE_A_PIECE: Final = frozenset({200, 206, 416})
_LARGEST_UNPACKED: Final = 16 * MEBIBYTE


class BlobDownload:
    """Where the reading of one blob stands.

    Ask it for a `request`, let it `begin` with the answer, `feed` it each chunk, tell it that the body `ended` or was
    `interrupted`; until it is `done`. What it hands on are the blob's bytes in order, each once; nothing is proven yet.

    Attributes:
        offset: The place of the next byte that it hands on.
        total: The size of the blob, None as long as it is not known.
        end: The place behind the last byte of the piece that is wanted; None where all is, or no piece is to be had.
        is_beside: Whether others read beside it: what does not fit the piece is refused, not made the best of.
        done: Whether all bytes were handed on.
        encoding: How the bytes came packed though that was not asked for; empty where they did not.
    """

    offset: int
    total: int | None
    end: int | None
    is_beside: bool
    done: bool
    encoding: str

    def __init__(
        self,
        repository: RepositoryName,
        digest: Digest,
        *,
        start: int = 0,
        size: int | None = None,
        end: int | None = None,
        decode: bool = False,
        fresh: bool = False,
    ) -> None:
        self.offset, self.total, self.done, self.encoding = start, size, bool(size) and start == size, ""
        self.end, self.is_beside = end, False
        self._asked = blob_request("GET", repository, digest)
        self._where, self._decode, self._fresh = self._asked.what, decode, fresh
        self._ranged, self._restarts, self._skip = True, 0, 0
        self._resumes, self._since_resume = 0, 0
        self._waited, self._window = 0.0, 0
        self._short: errors.SizeMismatchError | None = None
        self._unpacking: Any = None

    def request(self) -> Request:
        """What to ask for: the rest of the piece or of the blob, or where ranges do not work, all of it."""
        headers: list[tuple[str, str]] = []
        if self.end is not None:
            headers.append(("Range", f"bytes={self.offset}-{self.end - 1}"))
        elif self.offset and self._ranged:
            headers.append(("Range", f"bytes={self.offset}-"))
        if self._fresh:
            headers.append(("Cache-Control", "no-cache"))
        asked = self._asked
        mirrored = not self._fresh
        return Request(
            "GET", asked.target, asked.scope, tuple(headers), streams=True, mirrored=mirrored, what=asked.what
        )

    def begin(self, response: Response) -> bool:
        """Take an answer.

        Returns:
            Whether its body is what is to be fed; otherwise ask anew, or be done.

        Raises:
            NotFoundError: And what else `accept` raises.
            SizeMismatchError: The answer's length is not that of the blob.
            ProtocolError: It is another part of the blob than was asked for, also when all was asked for.
        """
        self.encoding, self._short = self._encoding(response), None
        if self.end is not None and response.status in _MAY_BE_A_PIECE:
            if self._is_piece(response, self.end):
                return True
            self._give_up_the_piece(response.where)
            if response.status == 206 or (response.status == 416 and self.offset == 0):
                return False
        if response.status == 416 and self.offset and self._ranged:
            return self._behind_the_end(response)
        accept(response, self._asked)
        self._skip = 0
        if response.status == 206:
            return self._part(response)
        self._skip = self.offset
        self._expect(response.length)
        return True

    def _is_piece(self, response: Response, end: int) -> bool:
        """Whether it is exactly the piece that was asked for, or what the blob has of it."""
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range") or "")
        if response.status != 206 or self.encoding or not found or found[3] == "*":
            return False
        total, length = int(found[3]), response.length
        end = min(end, total)
        if (int(found[1]), int(found[2])) != (self.offset, end - 1) or total != (self.total or total):
            return False
        if length not in {None, end - self.offset}:
            return False
        self.total, self.end, self._skip = total, end, 0
        return True

    def _give_up_the_piece(self, where: str) -> None:
        self.end = None
        if self.is_beside:
            raise errors.ProtocolError("gives something else than the piece that was asked for", where)

    def _encoding(self, response: Response) -> str:
        encoding = encoding_of(response)
        if self._decode and encoding in GZIP:
            self._unpacking = zlib.decompressobj(wbits=31)
        return encoding

    def _behind_the_end(self, response: Response) -> bool:
        """416: we have it all, or the part that we have is of something else."""
        size = _WHOLE_SIZE.fullmatch(response.headers.get("content-range") or "")
        whole = int(size[1]) if size else None
        if whole is not None and whole < self.offset:
            raise errors.SizeMismatchError(whole, self.offset, self._where)
        if self.offset in {self.total, whole}:
            self.done = True
            return False
        return self._restart(response)

    def _part(self, response: Response) -> bool:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range") or "")
        was_asked_for = self._ranged and self.offset > 0
        if not found or not was_asked_for or int(found[1]) != self.offset:
            return self._restart(response)
        last, total = int(found[2]), int(found[3]) if found[3] != "*" else None
        if last < self.offset or (total is not None and total <= last):
            return self._restart(response)  # such a part "MUST NOT" be joined to what is there (RFC 9110 14.4)
        self._expect(total)
        return True

    def _restart(self, response: Response) -> bool:
        """Ask for all of it, once; what was handed on already is skipped."""
        if self._restarts:
            raise errors.ProtocolError("gives another part of the blob than was asked for", response.where)
        self._ranged, self._restarts = False, 1
        return False

    def _expect(self, length: int | None) -> None:
        if length is None or self.encoding:
            return
        if self.total is not None and length != self.total:
            raise errors.SizeMismatchError(self.total, length, self._where)
        self.total = length

    def feed(self, chunk: bytes, waited: float = 0.0) -> bytes:
        """Take a chunk of the body, and hand on what of it is new.

        Args:
            chunk: The bytes.
            waited: The seconds that one waited for them.

        Raises:
            SizeMismatchError: There are more bytes than the blob has.
            TransferTimeoutError: For a minute, fewer than 1 KiB a second came.
        """
        self._pace(len(chunk), waited)
        if self._unpacking is not None:
            chunk = self._unpacked(chunk)
        if self._skip:
            skipped = min(self._skip, len(chunk))
            chunk, self._skip = chunk[skipped:], self._skip - skipped
        self.offset += len(chunk)
        self._since_resume += len(chunk)
        if self.is_beside and self.end is not None and self.offset > self.end:
            self._give_up_the_piece(self._where)
        if self.total is not None and self.offset > self.total and not self._may_unpack:
            raise errors.SizeMismatchError(self.total, self.offset, self._where)
        return chunk

    @property
    def _may_unpack(self) -> bool:
        """Whether the bytes are packed, so that their number says nothing."""
        return bool(self.encoding) and self._unpacking is None

    def _unpacked(self, chunk: bytes) -> bytes:
        """A chunk unpacked, no more of it than the blob can have left."""
        bound = _LARGEST_UNPACKED if self.total is None else max(self.total - self.offset, 0) + 1
        try:
            octets: bytes = self._unpacking.decompress(chunk, bound)
        except zlib.error:
            raise errors.ContentEncodingError(f"{self._where}: came as gzip, and is none") from None
        if self._unpacking.unconsumed_tail:
            raise errors.ContentEncodingError(f"{self._where}: came packed, and unpacks to something else")
        return octets

    def _pace(self, octets: int, waited: float) -> None:
        self._waited += waited
        self._window += octets
        if self._waited < _WINDOW:
            return
        if self._window < _SLOWEST * self._waited:
            raise errors.TransferTimeoutError(f"fewer than {_SLOWEST} bytes a second came for a minute", self._where)
        self._waited, self._window = 0.0, 0

    def ended(self) -> None:
        """The body has ended.

        Raises:
            TruncatedBodyError: The blob has more bytes; tell it that it was `interrupted`.
        """
        due = self.total if self.end is None else self.end
        if due is not None and self.offset < due and not self._may_unpack:
            self._short = errors.SizeMismatchError(self.total or due, self.offset, self._where)
            raise errors.TruncatedBodyError(f"ended after {self.offset} of {due} bytes", self._where)
        self.done = True

    def interrupted(self, failure: errors.TransportError) -> None:
        """The body broke off; go on where it did.

        Raises:
            TransportError: It did so too often without getting further, or nothing is gained by going on.
            SizeMismatchError: So it did, and the last body was whole by its own account, yet the blob is longer.
        """
        if self._since_resume >= MEBIBYTE:
            self._resumes = 0
        self._resumes, self._since_resume = self._resumes + 1, 0
        if not failure.retryable:
            raise failure
        if self._resumes > MAX_RESUMES:
            if self._short is not None:
                raise self._short from failure
            raise errors.TruncatedBodyError(
                f"broke off after {self.offset} bytes, again and again ({failure.reason})", self._where
            ) from failure
