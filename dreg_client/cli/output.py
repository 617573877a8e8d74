"""Files that are written whole or not at all."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress

from dreg_client.errors import LayoutError


def write_whole(path: str, chunks: Iterable[bytes]) -> None:
    """Write chunks to a file that takes its name when all of them, and the check behind the last, went well.

    What was there before is there until then, and stays when anything fails. A link is followed to the file that it
    names; a device or a pipe is written as it is.

    Raises:
        LayoutError: The file cannot be written.
    """
    target = os.path.realpath(path)
    try:
        if os.path.exists(target) and not os.path.isfile(target):
            _fill(os.open(target, os.O_WRONLY), chunks)
        else:
            _replace(target, chunks)
    except OSError as failure:
        raise LayoutError(path, f"cannot be written: {failure.strerror}") from failure


def _replace(target: str, chunks: Iterable[bytes]) -> None:
    folder, name = os.path.split(target)
    # The name stands before the file does: whenever a signal comes, there is something to clear away by it.
    part = os.path.join(folder, f".{name[:100]}.{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        _fill(descriptor, chunks)
        os.chmod(part, 0o644 & ~_umask())
        os.replace(part, target)
    finally:
        with suppress(OSError):
            os.unlink(part)
    _keep_name(folder)


def _fill(descriptor: int, chunks: Iterable[bytes]) -> None:
    with os.fdopen(descriptor, "wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        with suppress(OSError):  # a pipe has no disk to go to
            os.fsync(file.fileno())


def _keep_name(folder: str) -> None:
    """The new name outlives a loss of power, where folders can be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
