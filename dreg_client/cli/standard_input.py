"""Standard input, which may be closed."""

import errno
import sys
from typing import BinaryIO


def standard_input() -> BinaryIO:
    """Return standard input.

    Raises:
        OSError: It is closed.
    """
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] (so it is after `<&-`)
        raise OSError(errno.EBADF, "is closed", "standard input")
    return sys.stdin.buffer
