"""Write and hash the blocks of a large blob in two threads, while the next block is read."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Self

from dreg_client._async._compat import wait_future
from dreg_client.files.step_thread import Block, StepThread

MAX_BLOCKS: Final = 3
"""Reading pauses while more blocks than this are waiting."""


class AsyncWriteBehind:
    """Applies each step to all blocks, in order, in its own thread. An async context manager.

    The threads start with the first block. They have always ended when the context exits, so a file that they write to
    can be closed safely. A step that failed must do nothing when it is called again.
    """

    def __init__(self, *steps: Callable[[Block], None]) -> None:
        self._threads = [StepThread(step) for step in steps]
        self._waiting: deque[Future[None]] = deque()

    async def put(self, block: Block) -> None:
        """Add a block."""
        self._waiting.extend([thread.submit(block) for thread in self._threads])
        await self._wait(MAX_BLOCKS * len(self._threads))

    async def finish(self) -> None:
        """Wait until all blocks are processed."""
        await self._wait(0)

    async def _wait(self, limit: int) -> None:
        while len(self._waiting) > limit:
            await wait_future(self._waiting.popleft())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        # This blocks, but only for a few blocks. A wait that can be cancelled might leave threads running.
        self._close()

    def _close(self) -> None:
        """End the threads, even if interrupted repeatedly; then raise the interrupt."""
        try:
            for thread in self._threads:
                thread.close()
        except BaseException:
            self._close()
            raise
