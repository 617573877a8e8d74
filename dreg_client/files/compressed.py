"""Decompress gzip, bzip2 and xz in chunks, with limits on memory and time."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Final, Protocol

from dreg_client.values.sizes import MEBIBYTE, most_decompressed

MAX_UNPACKED: Final = 64 << 30
"""The layers in an archive are mostly compressed already. Uncompressed ones rarely shrink to a tenth."""
_MAX_XZ_MEMORY: Final = 256 << 20
_CHUNK: Final = MEBIBYTE
_PACKED: Final = 16 * 1024
"""The number of compressed bytes to read at a time. What follows the end of a stream is copied for each stream."""
_MOST_EMPTY: Final = 1000
_BROKEN: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""The errors that the decompressors raise; bzip2 raises OSError, as a file that cannot be read does."""


class BrokenStreamError(Exception):
    """The bytes cannot be decompressed. The message continues a sentence about the file."""


class _Stream(Protocol):
    """A decompressor of one stream, such as `bz2.BZ2Decompressor`."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, packed: bytes, most: int, /) -> bytes: ...


class _Gzip:
    """A decompressor of one gzip stream, like those of the other formats."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)  # 16: with the header and the trailer of gzip

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, packed: bytes, most: int, /) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + packed, most)


_BZIP2: Final = b"BZh"
_COMPRESSIONS: Final[Mapping[bytes, Callable[[], _Stream]]] = {
    b"\x1f\x8b": _Gzip,
    _BZIP2: bz2.BZ2Decompressor,
    b"\xfd7zXZ\x00": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_XZ_MEMORY),
}


def most_unpacked(packed: int) -> int:
    """Return the most bytes to accept from an archive with this compressed size."""
    return min(MAX_UNPACKED, most_decompressed(packed))


def first_bytes(file: BinaryIO) -> tuple[bytes, bool]:
    """Return the first bytes of a file, decompressed if possible, and whether the file is compressed."""
    chunks = chunks_of(file)
    if chunks is None:
        return file.read(_CHUNK), False
    try:
        return next(chunks, b""), True
    except BrokenStreamError:
        return b"", True


def chunks_of(archive: BinaryIO) -> Iterator[bytes] | None:
    """Return an iterator of the decompressed bytes of a file; None if it is not compressed with gzip, bzip2 or xz.

    Raises:
        BrokenStreamError: The bytes cannot be decompressed. Raised by the iterator.
        OSError: The file cannot be read.
    """
    archive.seek(0)
    start = archive.read(6)
    archive.seek(0)
    found = next(((magic, new) for magic, new in _COMPRESSIONS.items() if start.startswith(magic)), None)
    return None if found is None else _streams(archive, *found)


def _streams(archive: BinaryIO, magic: bytes, new: Callable[[], _Stream]) -> Iterator[bytes]:
    """Decompress successive streams. Their contents are joined, as the tools of these formats do."""
    packed, empty = archive.read(_PACKED), 0
    while packed:
        stream, size = new(), 0
        for chunk in _stream_of(archive, stream, packed):
            size += len(chunk)
            yield chunk
        empty += not size
        if empty > _MOST_EMPTY:
            raise _broken(f"it has more than {_MOST_EMPTY} empty streams")
        packed = stream.unused_data.lstrip(b"\0")
        while not packed and (more := archive.read(_PACKED)):
            packed = more.lstrip(b"\0")
        if len(packed) < len(magic):
            packed += archive.read(_PACKED)
        if magic == _BZIP2 and not packed.startswith(magic):
            return  # bzip2 ignores what follows


def _stream_of(archive: BinaryIO, stream: _Stream, packed: bytes) -> Iterator[bytes]:
    """Decompress one stream, of which the first compressed bytes were read already."""
    while not stream.eof:
        try:
            chunk = stream.decompress(packed, _CHUNK)
        except _BROKEN as failure:
            raise _broken(failure) from failure
        if chunk:
            yield chunk
        packed = archive.read(_PACKED) if stream.needs_input and not stream.eof else b""
        if not (packed or chunk or stream.eof) and stream.needs_input:
            raise _broken("the stream is truncated")


def _broken(reason: object) -> BrokenStreamError:
    return BrokenStreamError(f"cannot be decompressed: {reason}")
