"""SIGINT and SIGTERM: the first unwinds, so that whatever was begun is cleared away; the second leaves at once."""

import os
import signal
from types import FrameType


def leave_on_signals() -> None:
    """Leave with 130 on SIGINT and with 143 on SIGTERM, without a word; what was ignored stays ignored."""
    owner = os.getpid()
    stopped = False

    def leave(number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        code = 128 + number
        # A process that works for us has nothing to clear away: its owner reads no more of its results.
        if stopped or os.getpid() != owner:
            os._exit(code)
        stopped = True
        raise SystemExit(code)

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)
