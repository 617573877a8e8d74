"""Why a partition has no report of all its documents, in words."""

import traceback
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
