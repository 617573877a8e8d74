"""Collect the chunks of a blob into blocks, which are large enough to be written and hashed in other threads."""

from typing import Final

from dreg_client.files.step_thread import Block, add_piece
from dreg_client.values.sizes import MEBIBYTE

BLOCK: Final = MEBIBYTE
"""The bytes in a block, at least."""
_MAX_PIECES: Final = 8


class BlockBuffer:
    """The chunks that were received, but not written and hashed yet."""

    def __init__(self) -> None:
        self._chunks: Block = []
        self._size = 0

    def add(self, chunk: bytes) -> bool:
        """Add a chunk; return whether there are enough chunks for a block."""
        add_piece(self._chunks, chunk)
        self._size += len(chunk)
        return self._size >= BLOCK

    def take(self) -> Block:
        """Remove and return the chunks as one block, which must be written and hashed in order."""
        # A few large pieces are hashed as they are. Hashing many small ones would contend with reading for the GIL.
        block: Block = self._chunks if len(self._chunks) <= _MAX_PIECES else [b"".join(self._chunks)]
        self._chunks, self._size = [], 0
        return block
