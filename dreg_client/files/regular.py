"""Open files that must be regular ones, whatever another process puts in their place."""

import os
import stat
from typing import BinaryIO, Final

from dreg_client.errors import FileError

# O_NONBLOCK: opening a named pipe would otherwise wait for a writer.
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def open_regular(
    path: str | os.PathLike[str], reason: str = "is not a regular file; it was not read", *, buffering: int = -1
) -> BinaryIO:
    """Open a regular file for reading.

    It is checked after it was opened: another user can replace a file by a named pipe at any time before.

    Raises:
        FileError: It is not a regular file, for this reason.
        OSError: It cannot be opened.
    """
    file = os.fdopen(os.open(path, _FLAGS), "rb", buffering)
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise FileError(os.fspath(path), reason)
