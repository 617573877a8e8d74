"""Reading one blob by several range requests at a time, without I/O: which range is next, and how many are held."""

from dataclasses import replace
from typing import Final

from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.content import BlobRequest
from dreg_client.values.reference import RepositoryName
from dreg_client.values.sizes import MEBIBYTE

RANGE_SIZE: Final = 4 * MEBIBYTE
MIN_RANGED: Final = 16 * MEBIBYTE
"""A blob with fewer bytes is read by one request."""
EXTRA_RANGES: Final = 2
"""At most so many ranges more than requests are held, or being read."""


class BlobRanges:
    """The state of reading one blob by range requests.

    Let its `first` range `begin`. If that returns True, read each range that `next` returns, report the bytes that were
    handed on in order to `advance`, and the end of the oldest range to `finish_range`. If a response is not the range
    that was requested (its `end` is None then), `rest` reads what is left.

    Attributes:
        first: The first range; it is the whole blob if the registry does not support ranges.
        requests: The most range requests at a time.
        offset: Offset of the next byte to be handed on.
        total: The size of the blob, None while it is unknown.
    """

    def __init__(self, repository: RepositoryName, request: BlobRequest, requests: int) -> None:
        self._repository, self._request = repository, request
        self.requests, self.offset = requests, request.start
        self.total: int | None = request.size
        self._requested = request.start + RANGE_SIZE
        self._held = 1
        is_large = request.size is None or request.size - request.start >= MIN_RANGED
        self.first = BlobTransfer(repository, request, end=self._requested if requests > 1 and is_large else None)

    def begin(self) -> bool:
        """Return whether to request more ranges, now that the first one has its response."""
        self.total = self.first.total
        self.first.exact = self.first.end is not None and self.total is not None and self.first.end < self.total
        return self.first.exact

    def next(self) -> BlobTransfer | None:
        """Return the range to request now, None if too many are held or nothing is left."""
        if self.total is None or self._requested >= self.total or self._held >= self.requests + EXTRA_RANGES:
            return None
        start, self._requested = self._requested, min(self._requested + RANGE_SIZE, self.total)
        self._held += 1
        transfer = BlobTransfer(self._repository, self._from(start), end=self._requested)
        transfer.exact = True
        return transfer

    def advance(self, octets: int) -> None:
        """Report that so many bytes more were handed on."""
        self.offset += octets

    def finish_range(self) -> None:
        """Report that all bytes of the oldest range were handed on."""
        self._held -= 1

    def rest(self) -> BlobTransfer:
        """Return what is left, to be read by one request."""
        return BlobTransfer(self._repository, self._from(self.offset))

    def _from(self, start: int) -> BlobRequest:
        return replace(self._request, start=start, size=self.total)
