"""Open files that only this user can have written: partial downloads and journals, whose names others can predict."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

_NO_LINKS: Final = getattr(os, "O_NOFOLLOW", 0)
# O_NONBLOCK: opening a named pipe or a device would otherwise wait.
_FLAGS: Final = (
    os.O_RDWR | _NO_LINKS | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
)
_IS_LINK: Final = frozenset({errno.ELOOP, errno.EMLINK})
"""The errors of various systems if the last component is a link and O_NOFOLLOW is set."""


class ForeignFileError(Exception):
    """A file may belong to someone else. The message continues a sentence about its path."""


def create_own(path: Path) -> int:
    """Create a file that only this user can read, and open it; raise FileExistsError if the name is taken."""
    return os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)


def open_own(path: Path) -> int:
    """Open a file for reading and writing, and lock it; create it if it does not exist.

    A file that another user owns, can write, or reaches by a second name is rejected: it could be changed after its
    bytes were verified.

    Raises:
        ForeignFileError: The file is not a regular file of this user alone.
        BlockingIOError: Another process, or another thread, has locked it.
        OSError: The file cannot be opened.
    """
    while True:
        file = _created_or_opened(path)
        try:
            _lock(file)
            if is_at(path, file):  # otherwise, another process has renamed or deleted it in between
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def is_at(path: Path, file: int) -> bool:
    """Return whether a path still names an open file."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.lstat(path), os.fstat(file))
    return False


def _created_or_opened(path: Path) -> int:
    while True:
        # The owner of a new file is not checked: some network file systems state another one.
        with suppress(FileExistsError):
            return create_own(path)
        with suppress(FileNotFoundError):
            return _opened(path)


def _opened(path: Path) -> int:
    try:
        file = os.open(path, _FLAGS)
    except OSError as failure:
        if failure.errno in _IS_LINK:
            raise ForeignFileError("is a symbolic link") from None
        raise
    try:
        _check_own(os.fstat(file))
    except BaseException:
        os.close(file)
        raise
    return file


def _check_own(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ForeignFileError("is not a regular file")
    if os.name == "nt":
        return
    if found.st_uid != os.geteuid():
        raise ForeignFileError("belongs to another user")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ForeignFileError("can be written by other users")
    if found.st_nlink > 1:
        raise ForeignFileError("has another name (a hard link)")


def _lock(file: int) -> None:
    try:
        import fcntl  # noqa: PLC0415 (not available on Windows)
    except ImportError:
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
