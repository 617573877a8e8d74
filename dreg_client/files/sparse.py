"""Recognise sparse files: a few bytes on a disk that read as terabytes of zeros."""

import os
from typing import BinaryIO, Final

from dreg_client import errors
from dreg_client.files.rooted import check_size
from dreg_client.values.sizes import most_decompressed

_SMALL: Final = 4 << 30
"""Files of this size are read, whether they are sparse or not: it takes seconds."""
_SECTOR: Final = 512
"""The unit of `st_blocks`, whatever the block size of the file system."""
_MOST_RANGES: Final = 10_000
"""The maximum number of ranges with bytes to look for. A file with more of them that seems sparse is sparse."""


def check_stored(file: BinaryIO, path: str) -> None:
    """Raise `LayoutCorruptError` if a newly opened file is sparse and large: reading it could take hours.

    The limit is 4 GiB, or that of compressed content of unknown size (`most_decompressed`), whichever is larger.
    """
    try:
        descriptor = file.fileno()
    except OSError:  # a member of an archive, which was checked as a whole
        return
    found = os.fstat(descriptor)
    stored = getattr(found, "st_blocks", found.st_size) * _SECTOR
    if found.st_size <= _most(stored):
        return
    # Some file systems do not state the stored size. Those that cannot tell holes from bytes state that all are bytes.
    stored = _size_of_ranges(descriptor, found.st_size)
    if found.st_size > _most(stored):
        sizes = f"of its {found.st_size:,} bytes, only {stored:,} are stored"
        raise errors.LayoutCorruptError(path, f"is a sparse file: {sizes}; it was not read")


def at_offset(file: BinaryIO, start: int, size: int | None, path: str) -> BinaryIO:
    """Return a newly opened blob at an offset; close it if it is not as it should be.

    Raises:
        SizeMismatchError: It has another size than the given one (None: unknown).
        LayoutCorruptError: It is a large sparse file.
    """
    try:
        check_size(file, size, path)
        check_stored(file, path)
        file.seek(start)
    except BaseException:
        file.close()
        raise
    return file


def _most(stored: int) -> int:
    return max(_SMALL, most_decompressed(stored))


def _size_of_ranges(descriptor: int, size: int) -> int:
    """Return how many bytes of a file are not in holes."""
    if not hasattr(os, "SEEK_DATA"):
        return size
    total = place = 0
    try:
        for _ in range(_MOST_RANGES):
            start = os.lseek(descriptor, place, os.SEEK_DATA)
            place = os.lseek(descriptor, start, os.SEEK_HOLE)
            total += place - start
    except OSError:  # there is no range after the last one
        pass
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)
    return total
