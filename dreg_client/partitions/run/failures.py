"""Why a partition has no report of all its documents, in words."""

import signal
import traceback
from contextlib import suppress
from pathlib import Path


def unexpected(failure: Exception) -> str:
    """Return the reason for an exception that neither the file nor the folder causes, such as a bug.

    Examples:
        >>> unexpected(MemoryError())
        'not enough memory (MemoryError); use fewer jobs or smaller partitions'
        >>> unexpected(RecursionError("too deep"))
        'this is a bug in dreg: RecursionError: too deep; report it with this message'
    """
    if isinstance(failure, MemoryError):
        return "not enough memory (MemoryError); use fewer jobs or smaller partitions"
    frames = traceback.extract_tb(failure.__traceback__, limit=-1)
    where = "".join(f" ({Path(frame.filename).name}, line {frame.lineno})" for frame in frames)
    said = (str(failure).strip().splitlines() or ["no message"])[0]
    return f"this is a bug in dreg: {type(failure).__name__}: {said}{where}; report it with this message"


def ended(times: int, exit_code: int | None) -> str:
    """Return how a worker process ended, several times, from its last exit code; negative is a signal.

    Examples:
        >>> ended(4, -9)
        'the worker process was killed 4 times, perhaps because memory ran out'
        >>> ended(4, -11), ended(4, 3)
        ('the worker process was ended 4 times by SIGSEGV', 'the worker process ended 4 times with exit code 3')
    """
    if exit_code is None or exit_code >= 0:
        return f"the worker process ended {times} times with exit code {exit_code}"
    if -exit_code == signal.SIGKILL:
        return f"the worker process was killed {times} times, perhaps because memory ran out"
    name = f"signal {-exit_code}"
    with suppress(ValueError):
        name = signal.Signals(-exit_code).name
    return f"the worker process was ended {times} times by {name}"
