"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dreg_client.errors import LayoutError


def write_whole(path: str, chunks: Iterable[bytes]) -> None:
    """Write chunks to a file that takes its name when all of them, and the check behind the last, went well.

    Raises:
        LayoutError: The file cannot be written; what was there before still is.
    """
    target = Path(path)
    try:
        descriptor, part = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent)
    except OSError as failure:
        raise LayoutError(path, f"cannot be written: {failure.strerror}") from failure
    try:
        _fill(descriptor, chunks)
        Path(part).chmod(0o644 & ~_umask())
        Path(part).replace(target)
    except OSError as failure:
        raise LayoutError(path, f"cannot be written: {failure.strerror}") from failure
    finally:
        with suppress(OSError):
            Path(part).unlink()


def _fill(descriptor: int, chunks: Iterable[bytes]) -> None:
    with os.fdopen(descriptor, "wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
