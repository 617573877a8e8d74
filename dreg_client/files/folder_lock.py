"""A lock on a folder, for changes of a file that is replaced as a whole: the file itself cannot carry the lock."""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from dreg_client.files.flock import lock_now

_PATIENCE: Final = 30.0
_PAUSE: Final = 0.01


class LockedError(Exception):
    """Another process has held the lock for too long."""


@contextmanager
def folder_lock(folder: Path) -> Generator[bool, None, None]:
    """Hold the lock of a folder. No file is created for it, so a killed process leaves nothing.

    Yields:
        Whether it is locked. Some systems and network file systems have no locks.

    Raises:
        LockedError: Another process, or another thread, did not release it within 30 seconds.
    """
    file = _opened(folder)
    try:
        yield file is not None and _is_locked(file)
    finally:
        if file is not None:
            with suppress(OSError):
                os.close(file)


def _opened(folder: Path) -> int | None:
    with suppress(OSError):
        return os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
    return None


def _is_locked(file: int) -> bool:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            lock_now(file)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise LockedError from None
            time.sleep(_PAUSE)
        except OSError:
            return False
        else:
            return True
