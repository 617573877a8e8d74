"""Open files that must be regular ones, whatever another process puts in their place."""

import os
import stat
from typing import BinaryIO, Final

from dreg_client.errors import FileError

_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0)  # opening a named pipe would otherwise wait for a writer

Version = tuple[int, int, int, int]
"""What changes if a file is replaced or written: its device, its inode, its size, and the time."""


def open_regular(
    path: str | os.PathLike[str], reason: str = "is not a regular file; it was not read", *, buffering: int = -1
) -> BinaryIO:
    """Open a regular file for reading.

    It is checked after it was opened: another user can replace a file by a named pipe at any time before.

    Raises:
        FileError: It is not a regular file, for this reason.
        OSError: It cannot be opened.
    """
    file = open(path, "rb", buffering, opener=lambda name, flags: os.open(name, flags | _AT_ONCE))  # noqa: SIM115 (returned; pathlib takes no opener)
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise FileError(os.fspath(path), reason)


def version_of(found: os.stat_result) -> Version:
    """Return the version of a file, given its status."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
