"""Take turns: one thread or task of this process at a time, across event loops."""

import os
from collections.abc import Hashable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Final


class _Place:
    """A place in the queue of a key."""

    def __init__(self, key: Hashable) -> None:
        self.key, self.over = (os.getpid(), key), Future[None]()  # in a forked child, those of its parent never end


_entered: Final[list[_Place]] = []
"""The turns that were entered and are not over, in order. Few at a time, so one list for all keys is enough."""


class Turn:
    """A turn for a key, as a context manager. Entering does not block: the turn begins once the one before it ends.

    An interrupt (Ctrl-C) may come between any two instructions, even while a turn is entered or left. So there is no
    lock that could stay locked: each step that others depend on is a single call of a C function. If an interrupt
    prevents `__exit__`, the garbage collector ends the turn.
    """

    def __init__(self, key: Hashable) -> None:
        self._place = _Place(key)

    def __enter__(self) -> Future[None]:
        """Join the queue; return a future for the end of the turn before this one, already done if there is none."""
        try:
            _entered.append(self._place)
            return self._before()
        except BaseException:  # an interrupt
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        """End this turn. If it has not begun, it ends together with the one before it."""
        if not self._place.over.done():
            self._before().add_done_callback(self._finish)

    def _before(self) -> Future[None]:
        before: Future[None] | None = None
        for place in _entered.copy():
            if place is self._place:
                break
            if place.key == self._place.key:
                before = place.over
        return before or _done()

    def _finish(self, _: Future[None]) -> None:
        with suppress(InvalidStateError):
            self._place.over.set_result(None)
        with suppress(ValueError):
            _entered.remove(self._place)

    def __del__(self) -> None:
        if hasattr(self, "_place"):
            self.__exit__()


def _done() -> Future[None]:
    future = Future[None]()
    future.set_result(None)
    return future
