"""The lock files of an image layout on disk.

There are two, because writers exclude each other only while they change the index, but exclude deletions all the time:

- `CONTENT`: writers share it for as long as blobs must stay; `gc` and deletions hold it alone.
- `INDEX`: held alone by a writer that changes `index.json`.

The locks are those of `flock`. The kernel releases them when a process ends, so a killed process blocks no other.
The files are empty and are never deleted.
"""

import errno
import os
import stat
from pathlib import Path
from typing import Final

from dreg_client import errors
from dreg_client.files.flock import lock_now
from dreg_client.files.own_file import is_at

CONTENT: Final = ".dreg.lock"
INDEX: Final = ".dreg.index.lock"
_FLAGS: Final = (
    getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)  # of a named pipe
)
_IS_LINK: Final = frozenset({errno.ELOOP, errno.EMLINK})
_MAY_BE_READ: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class LockFile:
    """A lock file of a layout. Closing it releases the lock.

    Each object has a file descriptor of its own, so threads and tasks of a process exclude each other, too.

    Args:
        root: The layout.
        name: `CONTENT` or `INDEX`.
        creates: Whether to create the file. If it does not exist, no writer of this library is active.
        what: What it locks, for errors.

    Raises:
        UnsafePathError: The file is a link, or is not a regular file.
        LayoutError: The file cannot be created or locked.
    """

    def __init__(self, root: str, name: str, *, creates: bool = True, what: str = "layout") -> None:
        self.path: str = str(Path(root, name))
        self._file, self._creates, self._what = -1, creates, what

    def try_lock(self, *, shared: bool) -> bool:
        """Lock the file unless another process, thread or task holds a lock that excludes this one; return whether."""
        if self._file < 0 and not self._creates and not os.path.lexists(self.path):
            return True
        if self._file < 0:
            self._file = self._opened()
        if not self._flock(shared=shared):
            return False
        if is_at(Path(self.path), self._file):
            return True
        self.close()  # someone has deleted the file, and others may lock a new one
        return False

    def _opened(self) -> int:
        try:
            file = os.open(self.path, os.O_RDWR | (os.O_CREAT if self._creates else 0) | _FLAGS, 0o644)
        except OSError as failure:
            if failure.errno not in _MAY_BE_READ:
                raise self._refused(failure) from failure
            try:
                file = os.open(self.path, os.O_RDONLY | _FLAGS)  # it belongs to another user; this is enough to lock it
            except OSError:
                raise self._refused(failure) from failure
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise errors.UnsafePathError(self.path, "is not a regular file; delete it")
        return file

    def _flock(self, *, shared: bool) -> bool:
        try:
            lock_now(self._file, shared=shared)
        except BlockingIOError:
            return False
        except OSError as failure:
            reason = f"cannot be locked, so the {self._what} cannot be written safely; use a file system with locks"
            raise errors.LayoutLockedError(self.path, reason) from failure
        return True

    def _refused(self, failure: OSError) -> errors.LayoutError:
        if failure.errno in _IS_LINK:
            return errors.UnsafePathError(self.path, "is a symbolic link; delete it")
        reason = f"cannot be created, so the {self._what} cannot be written: {failure.strerror}"
        return errors.LayoutError(self.path, reason)

    def close(self) -> None:
        """Release the lock."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
