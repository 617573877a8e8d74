"""Write files atomically: completely or not at all."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dreg_client.errors import FileError


def write_whole(path: str, chunks: Iterable[bytes], *, mode: int = 0o644) -> None:
    """Write chunks to a temporary file, and rename it after the last chunk.

    If writing or the iterator fails, an existing file stays unchanged. A link is followed to its target; a device or a
    pipe is written directly.

    Raises:
        FileError: The file cannot be written.
    """
    given = Path(path)
    try:
        if given.exists() and not given.is_file():
            with given.open("wb") as file:  # not by the resolved path: that of a pipe behind /dev/stdout does not exist
                file.writelines(chunks)
        else:
            _replace(Path(os.path.realpath(path)), chunks, mode)
    except OSError as failure:
        raise FileError(path, f"cannot be written: {failure.strerror}") from failure


def _replace(target: Path, chunks: Iterable[bytes], mode: int) -> None:
    part = part_beside(target)  # set before the file exists, so that it is removed after an interrupt at any moment
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
    """Return a new temporary name in the same directory."""
    return target.with_name(f".{os.fsdecode(os.fsencode(target.name)[:100])}.{secrets.token_hex(8)}.part")


def umask() -> int:
    """Return the umask of the process."""
    removed = os.umask(0)
    os.umask(removed)
    return removed


def sync_folder(folder: Path) -> None:
    """Make a renamed file survive a power failure, on systems that can sync directories."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
