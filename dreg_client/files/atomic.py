"""Files that are written whole or not at all."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dreg_client.errors import FileError


def write_whole(path: str, chunks: Iterable[bytes], *, mode: int = 0o644) -> None:
    """Write chunks to a file that gets its name only after the last one; raise FileError if that is not possible.

    If anything fails, also the iterator of chunks at its end, an existing file stays as it was. A link is followed to
    the file that it names; a device or a pipe is written directly.
    """
    given = Path(path)
    try:
        if given.exists() and not given.is_file():
            with given.open("wb") as file:  # by this name: that of an open pipe, as in /dev/stdout, leads nowhere else
                file.writelines(chunks)
        else:
            _replace(Path(os.path.realpath(path)), chunks, mode)
    except OSError as failure:
        raise FileError(path, f"cannot be written: {failure.strerror}") from failure


def _replace(target: Path, chunks: Iterable[bytes], mode: int) -> None:
    part = part_beside(target)  # known before the file exists, so that it is removed whenever a signal comes
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(mode & ~umask())
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink()
    sync_folder(target.parent)


def part_beside(target: Path) -> Path:
    """Return a new name in the same folder for a file until it is finished."""
    return target.with_name(f".{os.fsdecode(os.fsencode(target.name)[:100])}.{secrets.token_hex(8)}.part")


def umask() -> int:
    """Return the permissions that the process removes from new files."""
    removed = os.umask(0)
    os.umask(removed)
    return removed


def sync_folder(folder: Path) -> None:
    """Make a new name survive a power failure, where folders can be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
