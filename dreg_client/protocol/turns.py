"""Take turns: one thread or task of this process at a time, across event loops."""

import os
import threading
from collections.abc import Hashable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Final


class _Queues:
    """The last turn for each key."""

    def __init__(self) -> None:
        # Held for a few instructions, never while waiting. Reentrant, because the garbage collector may end a turn
        # while it is held.
        self.lock = threading.RLock()
        self.last: dict[Hashable, Future[None]] = {}


_of_process: Final[dict[int, _Queues]] = {}  # by process: in a forked child, the turns of its parent would never end


class Turn:
    """A turn for a key, as a context manager. Entering does not block: the turn begins once the one before it ends.

    An interrupt (Ctrl-C) may come between any two instructions, even while a turn is entered or left. The garbage
    collector then ends the turn, so that no later turn waits forever.
    """

    def __init__(self, key: Hashable) -> None:
        self._key, self._over = key, Future[None]()
        self._queues = _of_process.setdefault(os.getpid(), _Queues())
        self._before: Future[None] | None = None

    def __enter__(self) -> Future[None]:
        """Join the queue; return a future for the end of the turn before this one, already done if there is none."""
        with self._queues.lock:
            self._before = self._queues.last.get(self._key) or _done()
            self._queues.last[self._key] = self._over
        return self._before

    def __exit__(self, *_: object) -> None:
        """End this turn. If it has not begun, it ends together with the one before it."""
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


class Turns:
    """Turns of one object, each of which is a context manager like `Turn`. No lock is held, so none can be lost.

    Each step that others depend on is a single call of a C function, before or after which an interrupt may come.
    """

    def __init__(self) -> None:
        self.taken: list[Future[None]] = []  # in order; each is done once its turn has ended

    def next(self) -> "NextTurn":
        """Return a turn that begins once those that were entered earlier have ended."""
        return NextTurn(self)


class NextTurn:
    """A turn of `Turns`. If an interrupt prevents `__exit__`, the garbage collector ends it."""

    def __init__(self, turns: Turns) -> None:
        self._taken, self._over = turns.taken, Future[None]()

    def __enter__(self) -> Future[None]:
        """Join the queue; return a future for the end of the turn before this one, already done if there is none."""
        self._taken.append(self._over)
        return self._before()

    def __exit__(self, *_: object) -> None:
        """End this turn. If it has not begun, it ends together with the one before it."""
        if not self._over.done():
            self._before().add_done_callback(self._finish)

    def _before(self) -> Future[None]:
        known = self._taken[:]
        place = known.index(self._over) if self._over in known else 0
        return known[place - 1] if place else _done()

    def _finish(self, _: Future[None]) -> None:
        with suppress(InvalidStateError):
            self._over.set_result(None)
        with suppress(ValueError):
            self._taken.remove(self._over)

    def __del__(self) -> None:
        if hasattr(self, "_over"):
            self.__exit__()


def _done() -> Future[None]:
    future = Future[None]()
    future.set_result(None)
    return future
