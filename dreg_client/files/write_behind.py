"""Two threads behind the reading of a large blob: one writes a block, one hashes it, while the next one comes."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Self

_MOST: Final = 3
"""So many blocks wait at most; then the reading waits, too."""

Step = Callable[[list[bytes]], None]


class _Blocks:
    """Blocks that are on their way, in order. Threads begin with the first, and have ended when this is closed.

    Args:
        steps: What is done with a block, each by a thread of its own. What has failed once is to do nothing.
    """

    def __init__(self, *steps: Step) -> None:
        self._steps = steps
        self._threads: list[ThreadPoolExecutor] = []
        self._waiting: deque[Future[None]] = deque()

    def _hand_over(self, block: list[bytes]) -> None:
        while len(self._threads) < len(self._steps):
            self._threads.append(ThreadPoolExecutor(1, thread_name_prefix="dreg-behind"))
        for thread, step in zip(self._threads, self._steps, strict=True):
            self._waiting.append(thread.submit(step, block))

    def _late(self, most: int) -> Future[None] | None:
        """The oldest of what waits, where more than so many blocks do."""
        return self._waiting.popleft() if len(self._waiting) > most * len(self._steps) else None

    def _close(self) -> None:
        """Wait until nothing is written any more, whatever comes in between."""
        try:
            self._join()
        finally:
            self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.shutdown()


class Behind(_Blocks):
    """The blocks of a reading by a thread. A context manager."""

    def put(self, block: list[bytes]) -> None:
        """Hand a block over.

        Raises:
            LayoutError: An earlier one cannot be written.
        """
        self._hand_over(block)
        self._wait(_MOST)

    def finish(self) -> None:
        """Wait for all of them (see `put`)."""
        self._wait(0)

    def _wait(self, most: int) -> None:
        while late := self._late(most):
            late.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


class AsyncBehind(_Blocks):
    """The blocks of a reading by a task. An asynchronous context manager."""

    async def put(self, block: list[bytes]) -> None:
        """Hand a block over.

        Raises:
            LayoutError: An earlier one cannot be written.
        """
        self._hand_over(block)
        await self._wait(_MOST)

    async def finish(self) -> None:
        """Wait for all of them (see `put`)."""
        await self._wait(0)

    async def _wait(self, most: int) -> None:
        import asyncio  # noqa: PLC0415 (threads do without)

        while late := self._late(most):
            # A cancelled task does not take its blocks back: behind a gap, nothing may be written.
            await asyncio.shield(asyncio.wrap_future(late))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close()  # a few blocks are left at most; a task that is cancelled twice must not leave them behind
