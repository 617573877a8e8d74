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
    """A turn at what a key names. It begins when `before` is done, and ends by `end`, or when an interrupt drops it.

    Attributes:
        before: The turn before this one; done if there is none.
    """

    def __init__(self, key: Hashable) -> None:
        self.before: Future[None] = Future()
        self.before.set_result(None)
        self._key, self._over = key, Future[None]()
        self._queues = _of_process.setdefault(os.getpid(), _Queues())
        with self._queues.lock:
            self.before = self._queues.last.get(key, self.before)
            self._queues.last[key] = self._over

    def end(self) -> None:
        """End this turn; if it has not begun, once the one before it ends."""
        self.before.add_done_callback(self._finish)

    def _finish(self, _: Future[None]) -> None:
        with self._queues.lock:
            if self._queues.last.get(self._key) is self._over:
                del self._queues.last[self._key]
        with suppress(InvalidStateError):
            self._over.set_result(None)

    def __del__(self) -> None:
        """End a turn whose `end` was cut short by an interrupt, so that nothing waits for it forever."""
        if hasattr(self, "_queues"):
            self.end()
