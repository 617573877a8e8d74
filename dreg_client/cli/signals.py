"""SIGINT, SIGTERM and SIGHUP: the first unwinds, so that temporary files are removed; the second exits at once."""

import os
import signal
import sys
from types import FrameType

_code = 0


def exit_on_signals() -> None:
    """Exit with 130 on SIGINT, 143 on SIGTERM, 129 on SIGHUP; an ignored signal stays ignored."""
    owner = os.getpid()

    def leave(number: int, _frame: FrameType | None) -> None:
        global _code  # noqa: PLW0603 (signals come to the process, and so does what is known of them)
        if _code or os.getpid() != owner:  # a worker process has nothing to clean up
            os._exit(128 + number)
        _code = 128 + number
        sys.unraisablehook = lambda _: None  # if the exit below is lost, as in a finalizer, do not print it
        # Do not wait for worker processes while we unwind, nor for a thread that waits for a credential helper.
        for worker in sys.modules["multiprocessing"].active_children() if "multiprocessing" in sys.modules else ():
            worker.kill()
        if helpers := sys.modules.get("dreg_client.credentials.program"):
            helpers.end_all()
        raise SystemExit(_code)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def signal_exit_code() -> int:
    """Return the exit code for the signal that came, 0 if none did; later errors are not reported."""
    return _code
