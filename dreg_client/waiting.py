"""Whether anybody still waits for what a thread does: who is cancelled, or interrupted, cannot stop a thread."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event, Lock
from typing import Final


class LeftError(Exception):
    """Nobody waits for what was about to be done."""


class _Wait:
    """One who waits, and who may leave."""

    def __init__(self) -> None:
        self.left = Event()
        self._wake: Callable[[], None] | None = None
        self._own = Lock()

    def leave(self) -> None:
        with self._own:
            self.left.set()
            if self._wake is not None:
                self._wake()

    def wake_by(self, wake: Callable[[], None] | None) -> None:
        with self._own:
            self._wake = wake
            if wake is not None and self.left.is_set():
                wake()


_wait: Final[ContextVar[_Wait | None]] = ContextVar("wait", default=None)


def nobody_waits() -> bool:
    """Whether the one that this thread works for has left."""
    wait = _wait.get()
    return wait is not None and wait.left.is_set()


def pause(seconds: float) -> None:
    """Sleep, as long as somebody waits."""
    wait = _wait.get()
    if wait is None:
        time.sleep(seconds)
    else:
        wait.left.wait(seconds)


def on_leaving(wake: Callable[[], None] | None) -> None:
    """What ends the step that this thread is about to take, where who waits for it leaves; None: there is none now."""
    wait = _wait.get()
    if wait is not None:
        wait.wake_by(wake)


@contextmanager
def waiting() -> Generator[Callable[[], None]]:
    """What is begun within the block, here or in another thread, can be told by calling what is given: nobody waits."""
    wait = _Wait()
    before = _wait.set(wait)
    try:
        yield wait.leave
    finally:
        _wait.reset(before)
