"""SIGINT, SIGTERM, SIGHUP: the first unwinds, so that whatever was begun is cleared away; the second leaves at once."""

import os
import signal
import sys
from types import FrameType
from typing import Final

_NUMBERS: Final = tuple(
    number for number in signal.Signals if number.name in {"SIGINT", "SIGTERM", "SIGHUP"}
)  # not every system has a terminal that hangs up
_code = 0


def leave_on_signals() -> None:
    """Leave with 130 on SIGINT, 143 on SIGTERM, 129 on SIGHUP; what was ignored stays ignored."""
    owner = os.getpid()

    def leave(number: int, _frame: FrameType | None) -> None:
        global _code  # noqa: PLW0603 (signals come to the process, and so does what is known of them)
        if _code or os.getpid() != owner:  # a process that works for us has nothing to clear away
            os._exit(128 + number)
        _code = 128 + number
        sys.unraisablehook = lambda _: (
            None
        )  # where the next line is lost, as in a finalizer, nobody wants to hear of it
        _end_workers()
        raise SystemExit(_code)

    for number in _NUMBERS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def asked_to_leave() -> int:
    """The exit code that a signal asked for, 0 when none came: what fails from then on is no failure."""
    return _code


def _end_workers() -> None:
    """End the processes that work for us: whoever waits for their results would wait on while we unwind."""
    multiprocessing = sys.modules.get("multiprocessing")
    for worker in multiprocessing.active_children() if multiprocessing else ():
        worker.kill()
    helpers = sys.modules.get("dreg_client.credentials.program")
    if helpers:  # a thread that waits for one is not waited for
        helpers.end_all()
