"""Decompress an archive to a temporary file, with limits on memory and disk space."""

import bz2
import gzip
import lzma
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import BinaryIO, Final, cast

from dreg_client import errors
from dreg_client.values.sizes import MEBIBYTE, most_decompressed

MAX_UNPACKED: Final = 64 << 30
"""The layers in an archive are mostly compressed already. Uncompressed ones rarely shrink to a tenth."""
_MAX_XZ_MEMORY: Final = 256 << 20
_CHUNK: Final = MEBIBYTE
_BROKEN: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""The errors that the decompressors raise."""


def unpacked(archive: BinaryIO, name: str) -> BinaryIO:
    """Return an open archive unchanged if it is not compressed; otherwise close it and return a decompressed copy."""
    chunks = _chunks_of(archive)
    if chunks is None:
        return archive
    with archive:
        plain = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 (the caller closes it)
        try:
            _copy_bounded(chunks, plain, name, os.fstat(archive.fileno()).st_size)
            plain.seek(0)
        except BaseException as failure:
            plain.close()
            if isinstance(failure, _BROKEN):
                raise errors.LayoutCorruptError(name, f"cannot be decompressed: {failure}") from failure
            raise
        return plain


def first_bytes(file: BinaryIO) -> tuple[bytes, bool]:
    """Return the first bytes of a file, decompressed if possible, and whether the file is compressed."""
    chunks = _chunks_of(file)
    if chunks is None:
        return file.read(_CHUNK), False
    try:
        return next(chunks, b""), True
    except _BROKEN:
        return b"", True


def _chunks_of(archive: BinaryIO) -> Iterator[bytes] | None:
    """Return an iterator of the decompressed bytes of a file; None if it is not compressed with gzip, bzip2 or xz."""
    start = archive.read(6)
    archive.seek(0)
    decompress = next((found for magic, found in _COMPRESSIONS.items() if start.startswith(magic)), None)
    return None if decompress is None else decompress(archive)


def _xz(archive: BinaryIO) -> Iterator[bytes]:
    """Decompress successive xz streams with a memory limit, which `lzma.open` does not have."""
    packed = archive.read(_CHUNK)
    while packed:
        stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_XZ_MEMORY)
        while not stream.eof:
            yield stream.decompress(packed, _CHUNK)
            packed = archive.read(_CHUNK) if stream.needs_input else b""
            if not packed and stream.needs_input and not stream.eof:
                raise EOFError("the stream is truncated")
        packed = stream.unused_data.lstrip(b"\0") or archive.read(_CHUNK).lstrip(b"\0")


_COMPRESSIONS: Final[Mapping[bytes, Callable[[BinaryIO], Iterator[bytes]]]] = {
    b"\x1f\x8b": lambda archive: iter(partial(gzip.open(archive).read, _CHUNK), b""),  # noqa: SIM115 (the archive is closed)
    b"BZh": lambda archive: iter(partial(bz2.open(archive).read, _CHUNK), b""),  # noqa: SIM115 (the archive is closed)
    b"\xfd7zXZ\x00": _xz,
}


def _copy_bounded(chunks: Iterator[bytes], target: BinaryIO, name: str, packed: int) -> None:
    bound = min(MAX_UNPACKED, most_decompressed(packed), shutil.disk_usage(tempfile.gettempdir()).free)
    for chunk in chunks:
        if target.tell() + len(chunk) > bound:
            what = f"is too large to decompress to a temporary file: {packed:,} bytes become more than {bound:,}"
            raise errors.LayoutError(name, f"{what}; decompress it yourself")
        target.write(chunk)
