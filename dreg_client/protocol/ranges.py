"""The reading of one blob by several requests side by side: which piece is asked for next, and how much is ahead."""

from typing import Final

from dreg_client.protocol.blob_reader import BlobDownload
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName
from dreg_client.values.sizes import MEBIBYTE

PIECE: Final = 4 * MEBIBYTE
SMALLEST: Final = 16 * MEBIBYTE
"""Of fewer bytes, no pieces are made."""
_AHEAD: Final = 2
"""So many pieces more than connections are held, or on their way, at most."""


class Pieces:
    """Where the reading of one blob in pieces stands.

    Let its `first` piece `begin`; where that says so, read each that is the `next`, and tell how many bytes were
    `handed_on` in order, and that a piece is `over`. Where one does not fit (its `end` is None), `rest` reads what is
    left.

    Args:
        repository: Where the blob is.
        digest: Which one.
        start: The place of the first byte.
        size: The number of the blob's bytes, None where it is not known.
        connections: How many pieces are read at a time.

    Attributes:
        first: The first piece; it is the one stream of all, where the registry gives no pieces.
        connections: How many pieces are read at a time.
        offset: The place of the next byte that is handed on.
        total: The size of the blob, None as long as it is not known.
    """

    first: BlobDownload
    connections: int
    offset: int
    total: int | None

    def __init__(
        self, repository: RepositoryName, digest: Digest, *, start: int, size: int | None, connections: int
    ) -> None:
        self._repository, self._digest = repository, digest
        self.connections, self.offset, self.total = connections, start, size
        self._asked = start + PIECE
        self._ahead = 1
        worth = connections > 1 and (size is None or size - start >= SMALLEST)
        self.first = BlobDownload(repository, digest, start=start, size=size, end=self._asked if worth else None)

    def begin(self) -> bool:
        """The first piece has its answer: whether others are to be read beside it."""
        self.total = self.first.total
        self.first.is_beside = self.first.end is not None and self.total is not None and self.first.end < self.total
        return self.first.is_beside

    def next(self) -> BlobDownload | None:
        """The piece to ask for now, None where that is to wait, or nothing is left."""
        if self.total is None or self._asked >= self.total or self._ahead >= self.connections + _AHEAD:
            return None
        start, self._asked = self._asked, min(self._asked + PIECE, self.total)
        self._ahead += 1
        piece = BlobDownload(self._repository, self._digest, start=start, size=self.total, end=self._asked)
        piece.is_beside = True
        return piece

    def handed_on(self, octets: int) -> None:
        """So many bytes more were handed on."""
        self.offset += octets

    def over(self) -> None:
        """The oldest piece was handed on whole."""
        self._ahead -= 1

    def rest(self) -> BlobDownload:
        """What is left, by one stream."""
        return BlobDownload(self._repository, self._digest, start=self.offset, size=self.total)
