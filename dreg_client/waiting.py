"""Whether anybody still waits for what a thread does: a task that is cancelled cannot stop its thread."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event
from typing import Final

_left: Final[ContextVar[Event | None]] = ContextVar("left", default=None)


def nobody_waits() -> bool:
    """Whether the task that this thread works for was cancelled."""
    left = _left.get()
    return left is not None and left.is_set()


@contextmanager
def waiting() -> Generator[Callable[[], None]]:
    """What is begun within the block in another thread can be told, by calling what is given, that nobody waits."""
    left = Event()
    before = _left.set(left)
    try:
        yield left.set
    finally:
        _left.reset(before)
