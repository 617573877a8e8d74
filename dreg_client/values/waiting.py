"""Wait in steps, so that Ctrl-C always ends a wait."""

from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Final

_STEP: Final = 1.0


def wait_in_steps(step: Callable[[float], object], timeout: float = inf) -> bool:
    """Wait by calling `step`, which waits for some seconds; return whether its condition was met within `timeout`.

    Python handles a signal between two calls of C functions, or when it interrupts a system call. If it arrives just
    before a system call, it is handled only once that returns: without a timeout, perhaps never.
    """
    until = monotonic() + timeout
    while True:
        left = until - monotonic()
        if step(max(min(left, _STEP), 0)):
            return True
        if left <= _STEP:
            return False
