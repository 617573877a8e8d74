"""Take turns: one thread or task of this process at a time, whatever event loop it belongs to."""

import os
import threading
from collections.abc import Hashable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Final


class _Queues:
    """The last turn for each key."""

    def __init__(self) -> None:
        # Held for a few instructions, never while waiting. Reentrant, since a turn may be collected meanwhile.
        self.lock = threading.RLock()
        self.last: dict[Hashable, Future[None]] = {}


_of_process: Final[dict[int, _Queues]] = {}  # a forked process waits for no turn of its parent: none of them ends there


class Turn:
    """A turn at what a key names, as a context manager. It is entered at once, and begins when the turn before is done.

    An interrupt may come between any two instructions, also while a turn is entered or left. It drops the turn then,
    and the collector ends what was not ended, so that no other turn waits forever.
    """

    def __init__(self, key: Hashable) -> None:
        self._key, self._over = key, Future[None]()
        self._queues = _of_process.setdefault(os.getpid(), _Queues())
        self._before: Future[None] | None = None

    def __enter__(self) -> Future[None]:
        """Queue; return the turn before this one, which is done if there is none."""
        with self._queues.lock:
            self._before = self._queues.last.get(self._key) or _done()
            self._queues.last[self._key] = self._over
        return self._before

    def __exit__(self, *_: object) -> None:
        """End this turn; if it has not begun, once the one before it ends."""
        if self._before is not None:
            self._before.add_done_callback(self._finish)

    def _finish(self, _: Future[None]) -> None:
        with self._queues.lock:
            if self._queues.last.get(self._key) is self._over:
                del self._queues.last[self._key]
        with suppress(InvalidStateError):
            self._over.set_result(None)

    def __del__(self) -> None:
        if hasattr(self, "_before"):
            self.__exit__()


def _done() -> Future[None]:
    future = Future[None]()
    future.set_result(None)
    return future
