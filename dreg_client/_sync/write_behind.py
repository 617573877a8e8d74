# Generated from dreg_client/_async/write_behind.py by tools/generate_sync.py. Do not edit.
"""Writes and hashes the blocks of a large blob in two threads, while the next block is read."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Self

from dreg_client._sync._compat import wait_future
from dreg_client.files.step_thread import Block, StepThread

MAX_BLOCKS: Final = 3
"""While more blocks than these wait, reading waits as well."""


class WriteBehind:
    """Applies each step to all blocks, in order, in a thread of its own. A context manager.

    The threads start with the first block. They have ended when the context is left, however it is left: only then
    may a file that they write to be closed. A step that has failed once must do nothing from then on.
    """

    def __init__(self, *steps: Callable[[Block], None]) -> None:
        self._threads = [StepThread(step) for step in steps]
        self._waiting: deque[Future[None]] = deque()

    def put(self, block: Block) -> None:
        """Add a block."""
        self._waiting.extend([thread.submit(block) for thread in self._threads])
        self._wait(MAX_BLOCKS * len(self._threads))

    def finish(self) -> None:
        """Wait for all blocks (see `put`)."""
        self._wait(0)

    def _wait(self, limit: int) -> None:
        while len(self._waiting) > limit:
            wait_future(self._waiting.popleft())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # This blocks, but a few blocks are left at most. A wait that could be cancelled might leave the threads behind.
        self._close()

    def _close(self) -> None:
        """End the threads, even if interrupted again and again; then raise the interrupt."""
        try:
            for thread in self._threads:
                thread.close()
        except BaseException:
            self._close()
            raise
