"""The writer of an archive, which is written as a whole once the writer has ended."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

from dreg_client._async._compat import run_in_thread, run_shielded


class AsyncArchiveSession:
    """The writer of an archive. There is one at a time: whatever writes during its block is part of it.

    So other tasks that write must be started within the block, and end before it does.

    All functions are called in a thread.

    Args:
        begin: Is called before the block.
        finish: Is called after the block, unless it has failed.
        close: Is called at the end in any case, also if `begin` has failed. It may be called again.
    """

    def __init__(self, begin: Callable[[], object], finish: Callable[[], object], close: Callable[[], object]) -> None:
        self._begin, self._finish, self._close = begin, finish, close
        self._is_active = self._has_begun = False
        self._inner = 0  # the number of blocks within the block

    @asynccontextmanager
    async def writer(self) -> AsyncGenerator[None]:
        """Begin to write, and end; within another block, do nothing."""
        if self._is_active:
            with self._within():
                yield
            return
        self._is_active = True
        try:
            await run_in_thread(self._begin)
            self._has_begun = True
            yield
            assert not self._inner, "a task still writes the archive"  # noqa: S101 (see the class)
            await run_in_thread(self._finish)
        finally:
            try:
                await run_shielded(run_in_thread, self._close)
            finally:
                self._is_active = self._has_begun = False

    @contextmanager
    def _within(self) -> Generator[None]:
        assert self._has_begun, "a task writes the archive too early"  # noqa: S101 (see the class)
        self._inner += 1
        try:
            yield
        finally:
            self._inner -= 1
