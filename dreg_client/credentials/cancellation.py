"""Signal cancellation to a function that blocks in a thread, because a thread cannot be stopped from outside."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_check: Final[ContextVar[Callable[[], bool] | None]] = ContextVar("check", default=None)


def is_cancelled() -> bool:
    """Return whether the caller of this thread's work was cancelled. Long work must check this often, and end if so."""
    check = _check.get()
    return check is not None and check()


@contextmanager
def cancelled_by(check: Callable[[], bool]) -> Generator[None]:
    """Make `is_cancelled` also call `check` within the block, and in threads that copy its context."""
    outer = _check.get()
    before = _check.set(check if outer is None else lambda: check() or outer())
    try:
        yield
    finally:
        _check.reset(before)
