"""Decompress an archive to a temporary file, with limits on memory and disk space.

Blobs are mostly compressed already, so most archives hardly grow. An archive that grows a lot is decompressed twice:
first to find out which members its documents name, then to keep only those.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, Final, cast

from dreg_client import errors
from dreg_client.files.compressed import BrokenStreamError, decompressed_chunks, most_unpacked
from dreg_client.files.due_members import Survey
from dreg_client.files.member_links import UnsafeLinkError
from dreg_client.files.tar_headers import HeaderError
from dreg_client.values.sizes import MAX_DOCUMENT

_SMALL: Final = MAX_DOCUMENT
_MAX_GROWTH: Final = 4
"""An archive that grows more than this, and to more than `_SMALL`, is examined first."""


def unpacked(archive: BinaryIO, name: str) -> tuple[BinaryIO, frozenset[str]]:
    """Return an open archive unchanged if it is not compressed; otherwise close it and return a decompressed copy.

    Also return the names of the members that the copy lacks: large ones that no document of the archive names.
    """
    try:
        is_compressed = decompressed_chunks(archive) is not None
    except OSError as failure:
        raise _unreadable(name, failure) from failure
    if not is_compressed:
        return archive, frozenset()
    with archive:
        try:
            plain = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 (the caller closes it)
        except OSError as failure:
            raise _no_space(name, failure) from failure
        try:
            left_out = _copy(archive, plain, name)
            plain.seek(0)
        except BaseException:
            with suppress(OSError):  # closing writes what is buffered, which fails again on a full disk
                plain.close()
            raise
        return plain, left_out


def _copy(archive: BinaryIO, plain: BinaryIO, name: str) -> frozenset[str]:
    """Decompress an archive; return the names of the members that were left out."""
    try:
        if _copy_most(archive, plain, name):
            return frozenset()
        survey = Survey(_chunks(archive, name))
        survey.read()
        _write(plain, survey.without_others(_chunks(archive, name)), name)
    except (BrokenStreamError, HeaderError) as failure:
        raise errors.LayoutCorruptError(name, str(failure)) from None
    except UnsafeLinkError as failure:
        raise errors.UnsafePathError(name, str(failure)) from None
    return survey.others


def _copy_most(archive: BinaryIO, plain: BinaryIO, name: str) -> bool:
    """Decompress an archive; stop and return False if it grows a lot."""
    most = max(_SMALL, _size(archive) * _MAX_GROWTH)

    def some() -> Iterator[bytes]:
        size = 0
        for chunk in _chunks(archive, name):
            size += len(chunk)
            if size > most:
                return
            yield chunk
        ended.append(True)

    ended: list[bool] = []
    _write(plain, some(), name)
    return bool(ended)


def _size(archive: BinaryIO) -> int:
    return os.fstat(archive.fileno()).st_size


def _chunks(archive: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield the decompressed bytes; raise LayoutError if there are too many."""
    packed, size = _size(archive), 0
    most = most_unpacked(packed)
    try:
        for chunk in decompressed_chunks(archive) or ():
            size += len(chunk)
            if size > most:
                raise _too_large(name, packed, most)
            yield chunk
    except OSError as failure:
        raise _unreadable(name, failure) from failure


def _unreadable(name: str, failure: OSError) -> errors.LayoutError:
    return errors.LayoutError(name, f"cannot be read: {failure.strerror or failure}")


def _too_large(name: str, packed: int, most: int) -> errors.LayoutError:
    what = f"is too large to decompress to a temporary file: {packed:,} bytes become more than {most:,}"
    return errors.LayoutError(name, f"{what}; decompress it yourself")


def _write(plain: BinaryIO, chunks: Iterator[bytes], name: str) -> None:
    """Replace the content of the temporary file."""
    try:
        plain.seek(0)
        plain.truncate()
        free = shutil.disk_usage(tempfile.gettempdir()).free
        for chunk in chunks:
            free -= len(chunk)
            if free < 0:
                raise errors.LayoutError(name, "is too large for the free space of the directory of temporary files")
            plain.write(chunk)
        plain.flush()
    except OSError as failure:
        raise _no_space(name, failure) from failure


def _no_space(name: str, failure: OSError) -> errors.LayoutError:
    what = f"cannot be decompressed to a temporary file: {failure.strerror or failure}"
    return errors.LayoutError(name, f"{what}; set TMPDIR to a directory with enough space, or decompress it yourself")
