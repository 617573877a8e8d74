"""Lock an open file or directory. The kernel releases the lock when its last descriptor is closed."""

import errno


class NoLocksError(OSError):
    """This system has no such locks (Windows)."""


def lock_now(file: int, *, shared: bool = False) -> None:
    """Lock an open file or directory without waiting.

    Args:
        file: Its descriptor. Other descriptors of this process exclude it, too.
        shared: Whether others may hold a shared lock at the same time.

    Raises:
        BlockingIOError: Another descriptor holds a lock that excludes this one.
        NoLocksError: The system has no such locks.
        OSError: The file system has none.
    """
    try:
        import fcntl  # noqa: PLC0415 (not available on Windows)
    except ImportError:
        raise NoLocksError(errno.ENOSYS, "there are no locks") from None
    fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
