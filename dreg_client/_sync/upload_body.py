# Generated from dreg_client/_async/upload_body.py by tools/generate_sync.py. Do not edit.
"""The bytes of an upload: hashed while they are sent, and held in memory if they can be read only once."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Final, Self

from dreg_client import errors
from dreg_client._sync.ports import Content
from dreg_client._sync.write_behind import WriteBehind
from dreg_client.files.blob_source import new_hash
from dreg_client.files.step_thread import Block
from dreg_client.protocol.upload_session import Available
from dreg_client.values.digest import Digest
from dreg_client.values.sizes import MEBIBYTE

_BLOCK: Final = MEBIBYTE
"""The bytes to hash at once in the other thread."""


class UploadBody:
    """The bytes of one upload. A context manager.

    Args:
        content: The bytes.
        what: Their name, for errors.
        emit: Is called with the number of bytes that were sent, and the offset after them.
    """

    def __init__(self, content: Content, what: str, emit: Callable[[int, int], None]) -> None:
        self._content, self._what, self._emit = content, what, emit
        self._is_repeatable = content.is_repeatable and content.size is not None
        self._end = (content.size or 0) if self._is_repeatable else 0
        self._first = 0
        self._is_whole = self._is_repeatable
        self._held: deque[bytes] = deque()
        self._pieces: Iterator[bytes] | None = None
        self._hash, self._hashed = new_hash(content.digest), 0
        self._block: Block = []
        self._block_size = 0
        self._behind = WriteBehind(self._update)
        self._stack = ExitStack()
        self._digest: Digest | None = content.digest

    def __enter__(self) -> Self:
        self._stack.enter_context(self._behind)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    @property
    def size(self) -> int:
        """The number of bytes that are known to exist."""
        return self._end

    @property
    def known(self) -> Available:
        """What is known of the bytes."""
        return Available(self._first, self._end, self._digest, self._is_whole)

    def fill(self, offset: int, size: int) -> None:
        """Read up to `size` bytes from an offset into memory, if they can be read only once.

        Bytes before the offset have arrived, and are no longer held. If this was the last part, the digest is known.

        Raises:
            DigestMismatchError: The digest of all bytes is not the stated one.
            SizeMismatchError: There are more or fewer bytes than stated.
        """
        if self._is_repeatable:
            return
        if self._pieces is None:
            self._pieces = self._stack.enter_context(self._content.chunks())
        self._drop(offset)
        # One byte more shows whether this is the last part.
        while not self._is_whole and self._end <= offset + size:
            piece = next(self._pieces, None)
            if piece is None:
                self._is_whole = True
                self._check_size(self._end)
            else:
                self._held.append(piece)
                self._end += len(piece)
                self._drop(offset)

    def _drop(self, offset: int) -> None:
        """Forget the pieces before an offset. If an earlier process has sent them, they are hashed now."""
        while self._held and self._first + len(self._held[0]) <= offset:
            piece = self._held.popleft()
            if self._first + len(piece) > self._hashed:
                self._add(self._first, piece)
            self._first += len(piece)

    def hash_held(self) -> None:
        """Compute the digest before anything is sent, if all bytes are in memory."""
        if self._is_whole and self._first == 0 and not self._is_repeatable:
            position = 0
            for piece in self._held:
                if position + len(piece) > self._hashed:
                    self._add(position, piece)
                position += len(piece)
            self.complete()

    def hash_sent(self) -> None:
        """Hash the bytes that an earlier process has sent, if they can be read again."""
        if self._is_repeatable and self._hashed < self._end:
            for _ in self.part(self._end, self._end):
                pass  # nothing is left to send

    def complete(self) -> Digest:
        """Return the digest after all bytes were sent; raise DigestMismatchError if it is not the stated one."""
        self._flush()
        self._behind.finish()
        actual = self._hash.digest()
        if self._digest is not None and actual != self._digest:
            raise errors.DigestMismatchError(self._digest, actual, self._what)
        self._digest = actual
        return actual

    def part(self, start: int, end: int) -> Generator[bytes]:
        """Yield the bytes from `start` up to `end`. The last bytes of all are yielded once they are verified."""
        position = min(start, self._hashed)
        with self._opened(position) as pieces:
            for read in pieces:
                piece = read[: end - position] if position + len(read) > end else read
                self._add(position, piece)
                if len(read) > len(piece) and self._is_whole and end == self._end:
                    self._check_size(position + len(read))
                position += len(piece)
                if position == end == self._end and self._is_whole:
                    self._check_end(pieces, position)
                if position > start:
                    sent = piece[-(position - start) :] if position - start < len(piece) else piece
                    yield sent
                    self._emit(len(sent), position)
                if position >= end:
                    return
        self._check_size(position)

    def _check_end(self, pieces: Iterator[bytes], position: int) -> None:
        if self._is_repeatable and (more := next(pieces, None)) is not None:
            self._check_size(position + len(more))
        self.complete()

    def _opened(self, start: int) -> AbstractContextManager[Iterator[bytes]]:
        if self._is_repeatable:
            return self._content.chunks(start)
        return _Held(self._held, start - self._first)

    def _check_size(self, actual: int) -> None:
        expected = self._end if self._is_repeatable else self._content.size
        if expected is not None and actual != expected:
            raise errors.SizeMismatchError(expected, actual, self._what)

    # --- hashing

    def _add(self, position: int, piece: bytes) -> None:
        """Hash the bytes that were not hashed yet, in another thread if there are many."""
        fresh = piece[self._hashed - position :] if position < self._hashed else piece
        self._hashed += len(fresh)
        self._block.append(fresh)
        self._block_size += len(fresh)
        if self._block_size >= _BLOCK:
            self._flush()

    def _flush(self) -> None:
        block, self._block = self._block, []
        size, self._block_size = self._block_size, 0
        if self._hashed <= _BLOCK:
            self._update(block)  # not worth a thread
        elif size:
            self._behind.put(block)

    def _update(self, block: Block) -> None:
        for piece in block:
            self._hash.update(piece)


class _Held:
    """Pieces in memory, from an offset. A context manager, and an iterator."""

    def __init__(self, pieces: deque[bytes], skipped: int) -> None:
        self._pieces, self._skipped = iter(tuple(pieces)), skipped

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        for piece in self._pieces:
            skipped = min(self._skipped, len(piece))
            self._skipped -= skipped
            if len(piece) > skipped:
                return piece[skipped:]
        raise StopIteration
