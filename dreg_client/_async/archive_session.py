"""The writer of an archive, which is written as a whole once the writer has ended."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from dreg_client._async._compat import run_in_thread, run_shielded


class AsyncArchiveSession:
    """The writer of an archive. There is one at a time: whatever writes during its block is part of it.

    All functions are called in a thread.

    Args:
        begin: Is called before the block.
        finish: Is called after the block, unless it has failed.
        close: Is called at the end in any case, also if `begin` has failed. It may be called again.
    """

    def __init__(self, begin: Callable[[], object], finish: Callable[[], object], close: Callable[[], object]) -> None:
        self._begin, self._finish, self._close = begin, finish, close
        self._is_active = False

    @asynccontextmanager
    async def writer(self) -> AsyncGenerator[None]:
        """Begin to write, and end; within another block, do nothing."""
        if self._is_active:
            yield
            return
        self._is_active = True
        try:
            await run_in_thread(self._begin)
            yield
            await run_in_thread(self._finish)
        finally:
            try:
                await run_shielded(run_in_thread, self._close)
            finally:
                self._is_active = False
