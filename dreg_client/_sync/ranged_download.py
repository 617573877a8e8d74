# Generated from dreg_client/_async/ranged_download.py by tools/generate_sync.py. Do not edit.
"""Read one large blob by concurrent range requests. `BlobRanges` decides what to request next.

Bytes are copied twice, through blocks of memory that are reused. Passing on the bytes from the socket directly would
save 0.2 s of CPU for 1 GiB, but cost 10 to 20 MiB of memory, because each thread has its own heap, which never shrinks
(measured with 4 threads and glibc). Allocating memory for each block is even slower: zeroing 320,000 pages for 1 GiB
made four requests 3.7 times as slow as one. If connections are not throttled, four requests still take twice as long as
one, so the speed of the first range decides whether to use more.
"""

from collections import deque
from mmap import mmap
from time import monotonic
from typing import Final, Self

from dreg_client import errors
from dreg_client._sync._compat import Event, Semaphore, TaskGroup, new_lock, sleep
from dreg_client._sync.blob_body import BlobBody
from dreg_client._sync.client import Client
from dreg_client.errors.groups import first_error_only
from dreg_client.protocol.blob_reader import EXTRA_RANGES, RANGE_SIZE, BlobRanges, BlobTransfer
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.events import Received
from dreg_client.values.reference import RepositoryName
from dreg_client.values.sizes import MEBIBYTE

_BLOCK: Final = MEBIBYTE
_FAST: Final = 128 * MEBIBYTE
"""Bytes per second. A faster connection is not throttled, and more connections would compete for the CPU."""
_HEAD_START: Final = 0.05
"""The seconds after which the other ranges are requested, even if the first one is not complete."""
_LONG_ENOUGH: Final = 0.25
"""The seconds spent waiting for bytes after which a fast connection is measured again."""


class RangedDownload:
    """The bytes of a registry's blob in order, by up to `request.ranges` concurrent requests (a `BlobReader`).

    The first range is requested alone. If it arrives fast, a single request reads the rest, as long as it stays fast.
    Otherwise, one thread per request reads one range after another. All threads have ended when the context exits. If
    any response is not the requested range, all threads end, and a single request reads the rest.
    """

    def __init__(self, client: Client, repository: RepositoryName, request: BlobRequest) -> None:
        self._client, self._digest = client, request.digest
        self._ranges = BlobRanges(repository, request, min(request.ranges, client.connections))
        self._single = self._body(self._ranges.first)
        self._reads_single = True  # whether the next bytes come from `_single`, or else from the oldest range
        self._is_fast: bool | None = None  # whether a single request reads the rest; None until that is decided
        self._deciding = new_lock()
        self._waited, self._received = 0.0, 0
        self._group: TaskGroup | None = None
        self._held: deque[_Range] = deque()
        self._unread: deque[_Range] = deque()
        self._unread_count = Semaphore(0)
        self._free_blocks: list[memoryview] = []
        self._left = False

    def _body(self, transfer: BlobTransfer) -> BlobBody:
        return BlobBody(self._client, self._digest, transfer)

    @property
    def encoding(self) -> str:
        """The `Content-Encoding` of the bytes; empty if there is none."""
        return self._single.encoding

    def __enter__(self) -> Self:
        try:
            self._single.__enter__()
            if self._ranges.begin():
                self._start_tasks()
        except BaseException:
            self._close()
            raise
        return self

    def _start_tasks(self) -> None:
        size = (self._ranges.requests + EXTRA_RANGES) * RANGE_SIZE
        memory = memoryview(mmap(-1, size))  # unlike a bytearray, it takes up memory only once it is written to
        self._free_blocks.extend([memory[start : start + _BLOCK] for start in range(0, size, _BLOCK)])
        group = TaskGroup()
        group.__enter__()
        self._group = group
        for _ in range(self._ranges.requests - 1):
            group.start_soon(self._read_ranges)
        group.start_soon(self._decide_late)

    def _decide_late(self) -> None:
        sleep(_HEAD_START)
        self._decide(is_fast=False)

    def _decide(self, *, is_fast: bool) -> bool:
        """Decide whether a single request reads the rest, unless that is already decided; return the decision."""
        with self._deciding:
            if self._is_fast is None:
                self._is_fast = is_fast
                if not is_fast:
                    self._add_next_ranges()
            return self._is_fast

    def _add_next_ranges(self) -> None:
        while (transfer := self._ranges.next()) is not None:
            added = _Range(self._body(transfer), self._free_blocks)
            self._held.append(added)
            self._unread.append(added)
            self._unread_count.release()

    def _read_ranges(self) -> None:
        """Read one range after another, until the group is cancelled."""
        while True:
            self._unread_count.acquire()
            self._unread.popleft().read()

    def __exit__(self, *_: object) -> None:
        self._left = True
        self._close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        while not (chunk := self._next_chunk()):
            if not self._has_more():
                raise StopIteration
        self._ranges.advance(len(chunk))
        if not self._reads_single or self._single.transfer.exact:
            self._client.emit(Received(self._digest, len(chunk), self._ranges.total, self._ranges.offset))
        return chunk

    def _next_chunk(self) -> bytes:
        """Return the next bytes; empty at the end of the current range or request."""
        if self._reads_single:
            return self._next_of_single()
        return self._held[0].next_chunk() if self._held else b""

    def _has_more(self) -> bool:
        """Continue with the next range or request; return whether there is one."""
        if self._ranges.offset == self._ranges.total or (self._reads_single and not self._single.transfer.exact):
            return False
        if self._left:
            raise errors.ClosedError(f"the stream of blob {self._digest.short}")
        if self._reads_single:
            self._finish_first()
        else:
            self._finish_range(self._held[0])
        return True

    def _next_of_single(self) -> bytes:
        if self._has_become_slow():
            self._single.__exit__(None, None, None)
            self._ranges.split_rest()
            self._start_ranges()
            return self._next_chunk()
        began = monotonic()
        try:
            chunk = next(self._single, b"")
        except errors.ProtocolError:
            if not self._single.transfer.exact or self._single.transfer.end is not None:
                raise
            chunk = b""  # the first range was interrupted, and the response for its rest is not what was requested
        self._waited += monotonic() - began
        self._received += len(chunk)
        return chunk

    def _has_become_slow(self) -> bool:
        if not self._is_fast or self._waited < _LONG_ENOUGH or self._single.encoding:
            return False
        is_slow = self._received < self._waited * _FAST
        self._waited, self._received = 0.0, 0
        return is_slow

    def _finish_first(self) -> None:
        if self._single.transfer.end is None:
            self._close()
            self._read_rest()
        elif self._decide(is_fast=self._received >= self._waited * _FAST):
            self._read_rest()
        else:
            self._ranges.finish_range()
            self._start_ranges()

    def _start_ranges(self) -> None:
        """Read all further ranges in threads."""
        self._reads_single = self._is_fast = False
        self._add_next_ranges()
        if self._group is not None:
            self._group.start_soon(self._read_ranges)

    def _read_rest(self) -> None:
        """Read the rest by a single request."""
        self._single, self._reads_single = self._body(self._ranges.rest()), True
        self._single.__enter__()

    def _finish_range(self, oldest: "_Range") -> None:
        if oldest.body.transfer.end is None:
            self._close()
            self._read_rest()
        elif oldest.failure is not None:
            raise oldest.failure
        else:
            self._held.popleft()
            self._ranges.finish_range()
            self._add_next_ranges()

    def _close(self) -> None:
        """Cancel all threads, and wait until they end, even if interrupted."""
        try:
            self._end_tasks()
        except BaseException:
            self._end_tasks()
            raise
        finally:
            self._single.__exit__(None, None, None)

    def _end_tasks(self) -> None:
        if self._group is not None:
            self._group.cancel()
            try:
                with first_error_only():  # several threads may fail, so in a group of errors
                    self._group.__exit__(None, None, None)
            finally:
                self._group = None
                self._held.clear()
                self._unread.clear()
                self._free_blocks.clear()


class _Range:
    """A range that is being read into blocks of memory. A block is reused once its bytes have been passed on."""

    def __init__(self, body: BlobBody, free_blocks: list[memoryview]) -> None:
        self.body = body
        self.failure: Exception | None = None
        self._free_blocks = free_blocks
        self._block: memoryview | None = None
        self._size = 0
        self._filled: deque[tuple[memoryview, int]] = deque()
        self._ended = False
        self._changed = Event()

    def read(self) -> None:
        """Read the range to its end. An error is kept until the bytes before it have been passed on."""
        try:
            with self.body as chunks:
                for chunk in chunks:
                    self._store(memoryview(chunk))
        except Exception as failure:  # noqa: BLE001 (raised later, see `_finish_range`)
            self.failure = failure
        self._hand_over()
        self._ended = True
        self._changed.set()

    def _store(self, chunk: memoryview) -> None:
        while chunk:
            if self._block is None:
                self._block = self._free_blocks.pop()
            part = chunk[: _BLOCK - self._size]
            self._block[self._size : self._size + len(part)] = part
            self._size += len(part)
            chunk = chunk[len(part) :]
            if self._size == _BLOCK:
                self._hand_over()

    def _hand_over(self) -> None:
        if self._block is not None:
            self._filled.append((self._block, self._size))
            self._block, self._size = None, 0
            self._changed.set()

    def next_chunk(self) -> bytes:
        """Wait for the next bytes, and return them; empty at the end."""
        while not self._filled:
            # Both must precede the next check, so that no change is missed: the last block is added before the end.
            self._changed, has_ended = Event(), self._ended
            if self._filled:
                break
            if has_ended:
                return b""
            self._changed.wait()
        block, size = self._filled.popleft()
        chunk = bytes(block[:size])
        self._free_blocks.append(block)
        return chunk
