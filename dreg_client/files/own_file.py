"""Open files that only this user can have written: partial downloads and journals, whose names others can predict."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from dreg_client.files.beneath import MOST_LINKS
from dreg_client.files.flock import NoLocksError, lock_now

_NO_LINKS: Final = getattr(os, "O_NOFOLLOW", 0)
# O_NONBLOCK: opening a named pipe or a device would otherwise wait.
_FLAGS: Final = (
    os.O_RDWR | _NO_LINKS | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
)
_NOT_A_LINK: Final = frozenset({errno.EINVAL, errno.ENOENT, errno.ENOTDIR})
"""The errors of reading a link if it is none, or if there is no file yet."""
_IS_LINK: Final = frozenset({errno.ELOOP, errno.EMLINK})
"""The errors of various systems if the last component is a link and O_NOFOLLOW is set."""


class ForeignFileError(Exception):
    """A file may belong to someone else. The message continues a sentence about its path."""


def followed(path: str | os.PathLike[str]) -> Path:
    """Return the path that a path leads to. Its last component was not a link when it was looked at.

    A link that another user has put into a folder that everyone can write to is not followed: it could lead to any file
    of this user. Linux protects `open` in the same way (`protected_symlinks`), but not a link that is read and renamed.

    Raises:
        ForeignFileError: There is such a link.
        OSError: There are too many links, or a folder cannot be read.
        ValueError: The path contains NUL, or characters that no file name can have.
    """
    place = os.fspath(path)
    for _ in range(MOST_LINKS):
        folder, name = os.path.split(place.rstrip("/"))
        if name in {"", ".", ".."}:
            return Path(os.path.realpath(place))
        found = Path(os.path.realpath(folder), name)
        try:
            target = str(found.readlink())
        except OSError as failure:
            if failure.errno in _NOT_A_LINK:
                return found
            raise
        _check_link(found)
        place = f"{found.parent}/{target}" if target[:1] != "/" else target
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _check_link(link: Path) -> None:
    if os.name == "nt":
        return
    folder = link.parent.stat()
    trusted = {0, os.geteuid(), folder.st_uid}
    if folder.st_mode & stat.S_IWOTH and link.lstat().st_uid not in trusted:
        raise ForeignFileError(f"is a link of another user ({link}), in a folder that everyone can write to")


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
    with suppress(NoLocksError):
        lock_now(file)
