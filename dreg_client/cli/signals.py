"""SIGINT, SIGTERM and SIGHUP: the first signal exits after the clean-up, a second one exits at once."""

import atexit
import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Final

_PATIENCE: Final = 1.0
"""Seconds after a signal until output whose reader has stopped is discarded."""
_code = 0
_is_deferred = False


def exit_on_signals() -> None:
    """Exit with 130 on SIGINT, 143 on SIGTERM, 129 on SIGHUP; an ignored signal stays ignored."""

    def leave(number: int, _frame: FrameType | None) -> None:
        global _code  # noqa: PLW0603 (signals arrive once per process)
        if _code:
            os._exit(128 + number)
        _code = 128 + number
        sys.unraisablehook = lambda _: None  # in a finalizer, SystemExit is printed and ignored
        # Without this, the clean-up would wait for worker processes, and for threads that wait for a credential helper.
        for worker in sys.modules["multiprocessing"].active_children() if "multiprocessing" in sys.modules else ():
            worker.kill()
        if helpers := sys.modules.get("dreg_client.credentials.program"):
            helpers.end_all()
        _watch_output()
        if not _is_deferred:
            raise SystemExit(_code)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def _watch_output() -> None:
    """From now on, discard output that nothing reads, so that one signal ends the process even while it is written.

    A reader that is only slow gets all of it. An interrupted write is continued with the same file descriptor.
    """
    from select import select

    def look(_number: int, _frame: FrameType | None) -> None:
        for stream in (1, 2):
            with suppress(OSError):  # it is closed
                if not select([], [stream], [], 0)[1]:
                    os.dup2(os.open(os.devnull, os.O_WRONLY), stream)

    if hasattr(signal, "setitimer"):  # not on Windows
        signal.signal(signal.SIGALRM, look)
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE, _PATIENCE)
        atexit.register(_stop_watching)


def _stop_watching() -> None:
    """Write the rest of the output. Then stop the timer: near its end, Python no longer handles its signal."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or None
            stream.flush()
    signal.setitimer(signal.ITIMER_REAL, 0)


class DeferredSignals:
    """A block that the first signal does not interrupt: it exits at the end, so that a piece of output is whole."""

    def __enter__(self) -> None:
        """Begin the block."""
        global _is_deferred  # noqa: PLW0603 (signals are handled in one thread)
        _is_deferred = True

    def __exit__(self, *_: object) -> None:
        """End the block; exit if a signal was received."""
        global _is_deferred  # noqa: PLW0603 (as above)
        _is_deferred = False
        if _code:
            raise SystemExit(_code)


def signal_exit_code() -> int:
    """Return the exit code for the signal that was received; 0 if none was. Errors after a signal are not reported."""
    return _code
