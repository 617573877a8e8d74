# Generated from dreg_client/_async/archive_session.py by tools/generate_sync.py. Do not edit.
"""Writers of an archive, which is written as a whole once the last of them has ended."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from dreg_client._sync._compat import run_in_thread, run_shielded


class ArchiveSession:
    """The writers of an archive. Threads may write together.

    Args:
        begin: Is called before the first writer.
        finish: Is called after the last writer if that one has succeeded. An earlier one that failed, such as the
            writer of one blob, does not matter: whoever has called it either fails as well, or goes on without it.
        close: Is called at the end in any case.
    """

    def __init__(self, begin: Callable[[], object], finish: Callable[[], object], close: Callable[[], object]) -> None:
        self._begin, self._finish, self._close = begin, finish, close
        self._writers: list[object] = []
        self._turn = threading.Lock()

    @contextmanager
    def writer(self) -> Generator[None]:
        """Begin to write, and end."""
        self._enter(writer := object())
        has_failed = True
        try:
            yield
            has_failed = False
        finally:
            # If it is interrupted repeatedly, it is called again.
            run_shielded(run_in_thread, self._leave, writer, has_failed)

    def _enter(self, writer: object) -> None:
        with self._turn:
            if not self._writers:
                self._begin()
            self._writers.append(writer)

    def _leave(self, writer: object, has_failed: bool) -> None:  # noqa: FBT001 (private)
        with self._turn:
            if writer in self._writers:
                self._writers.remove(writer)
                if not self._writers:
                    self._end(has_failed)

    def _end(self, has_failed: bool) -> None:  # noqa: FBT001 (private)
        try:
            if not has_failed:
                self._finish()
        finally:
            self._close()
