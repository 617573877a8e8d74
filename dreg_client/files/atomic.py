"""Files that are written whole or not at all."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dreg_client.errors import FileError


def write_whole(path: str, chunks: Iterable[bytes], *, mode: int = 0o644) -> None:
    """Write chunks to a file that takes its name when all of them, and the check behind the last, went well.

    What was there before is there until then, and stays when anything fails. A link is followed to the file that it
    names; a device or a pipe is written as it is.

    Raises:
        FileError: The file cannot be written.
    """
    given = Path(path)
    try:
        if given.exists() and not given.is_file():
            _write_through(given, chunks)  # by this name: that of an open pipe, as in /dev/stdout, leads nowhere else
        else:
            _replace(Path(os.path.realpath(path)), chunks, mode)
    except OSError as failure:
        raise FileError(path, f"cannot be written: {failure.strerror}") from failure


def _write_through(target: Path, chunks: Iterable[bytes]) -> None:
    with target.open("wb") as file:
        file.writelines(chunks)


def _replace(target: Path, chunks: Iterable[bytes], mode: int) -> None:
    # The name stands before the file does: whenever a signal comes, there is something to clear away by it.
    start = os.fsdecode(os.fsencode(target.name)[:100])
    part = target.with_name(f".{start}.{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb", opener=open_for_us_alone) as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(mode & ~umask())
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink()
    keep_name(target.parent)


def open_for_us_alone(path: str, flags: int) -> int:
    """Open a file that nobody else may read until it is whole."""
    return os.open(path, flags, 0o600)


def umask() -> int:
    """What the process takes away from the rights of its files."""
    taken = os.umask(0)
    os.umask(taken)
    return taken


def keep_name(folder: Path) -> None:
    """See that a new name outlives a loss of power, where folders can be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
