"""Writers of an archive, which is written as a whole once the last of them has ended."""

import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from dreg_client._async._compat import run_in_thread, run_shielded


class AsyncArchiveSession:
    """The writers of an archive. Tasks may write together.

    Args:
        begin: Is called before the first writer.
        finish: Is called after the last writer if all writers have succeeded.
        close: Is called at the end in any case.
    """

    def __init__(self, begin: Callable[[], object], finish: Callable[[], object], close: Callable[[], object]) -> None:
        self._begin, self._finish, self._close = begin, finish, close
        self._writers: list[object] = []
        self._has_failed = False
        self._turn = threading.Lock()

    @asynccontextmanager
    async def writer(self) -> AsyncGenerator[None]:
        """Begin to write, and end."""
        self._enter(writer := object())
        try:
            yield
        except BaseException:
            self._has_failed = True
            raise
        finally:
            # If it is interrupted repeatedly, it is called again.
            await run_shielded(run_in_thread, self._leave, writer)

    def _enter(self, writer: object) -> None:
        with self._turn:
            if not self._writers:
                self._has_failed = False
                self._begin()
            self._writers.append(writer)

    def _leave(self, writer: object) -> None:
        with self._turn:
            if writer in self._writers:
                self._writers.remove(writer)
                if not self._writers:
                    self._end()

    def _end(self) -> None:
        try:
            if not self._has_failed:
                self._finish()
        finally:
            self._close()
