"""Decompress gzip, zstd, bzip2 and xz in chunks, with limits on memory and time."""

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, BinaryIO, Final, Protocol, cast

from dreg_client.errors import MissingLibraryError
from dreg_client.values.sizes import MEBIBYTE, most_decompressed

MAX_UNPACKED: Final = 64 << 30
"""The maximum number of bytes to decompress from an archive: 64 GiB.

Layers are mostly compressed already, so real archives stay far below.
"""
_MAX_XZ_MEMORY: Final = 256 << 20
_MAX_ZSTD_WINDOW: Final = 27
"""The base-2 logarithm of the most memory for what a stream may refer back to: 128 MiB, as `zstd -d` allows."""
_CHUNK: Final = MEBIBYTE
_PACKED: Final = 16 * 1024
"""The number of compressed bytes to read at a time. What follows the end of a stream is copied for each stream."""
_MOST_EMPTY: Final = 1000
_BROKEN: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""The errors that the decompressors raise; bzip2 raises OSError, as a file that cannot be read does."""


class BrokenStreamError(Exception):
    """The bytes cannot be decompressed. The message continues a sentence about the file."""


class Readable(Protocol):
    """What is only read forwards."""

    def read(self, size: int, /) -> bytes:
        """Read bytes; fewer at the end."""
        ...


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


class _Zstd:
    """A decompressor of one zstd frame, whose errors are those of bzip2."""

    def __init__(self) -> None:
        library: Any = _zstd_library()
        self._error: type[Exception] = library.ZstdError
        options = {library.DecompressionParameter.window_log_max: _MAX_ZSTD_WINDOW}
        self._frame = cast("_Stream", library.ZstdDecompressor(options=options))

    @property
    def eof(self) -> bool:
        return self._frame.eof

    @property
    def needs_input(self) -> bool:
        return self._frame.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._frame.unused_data

    def decompress(self, packed: bytes, most: int, /) -> bytes:
        try:
            return self._frame.decompress(packed, most)
        except self._error as failure:
            raise OSError(str(failure)) from None


def _zstd_library() -> object:
    """Return the module of the standard library (from Python 3.14), or its backport."""
    try:
        return import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    except ImportError:
        raise MissingLibraryError("backports.zstd", "zstd") from None


@dataclass(frozen=True, slots=True)
class Compression:
    """A format of compressed files.

    Attributes:
        name: The name of the format.
        magics: What each stream begins with.
        new: Returns a decompressor of one stream.
    """

    name: str
    magics: tuple[bytes, ...]
    new: Callable[[], _Stream]

    def may_start(self, start: bytes) -> bool:
        """Return whether a file with these first bytes may have this format; a short file is perhaps truncated."""
        return any(start.startswith(magic) or magic.startswith(start) for magic in self.magics)


_SKIPPABLE: Final = tuple(bytes([octet, 0x2A, 0x4D, 0x18]) for octet in range(0x50, 0x60))
"""The magic numbers of frames without content; `pzstd` writes one before each frame."""
GZIP: Final = Compression("gzip", (b"\x1f\x8b",), _Gzip)
ZSTD: Final = Compression("zstd", (b"\x28\xb5\x2f\xfd", *_SKIPPABLE), _Zstd)
BZIP2: Final = Compression("bzip2", (b"BZh",), bz2.BZ2Decompressor)
XZ: Final = Compression(
    "xz", (b"\xfd7zXZ\x00",), lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_XZ_MEMORY)
)
COMPRESSIONS: Final = (GZIP, ZSTD, BZIP2, XZ)
_OF_ARCHIVES: Final = (GZIP, BZIP2, XZ)
MAGIC: Final = 6
"""The number of bytes that tell how a file is compressed."""


def compression_of(start: bytes) -> Compression | None:
    """Return how a file with these first bytes is compressed; None if it is not, or in another way."""
    return next((it for it in COMPRESSIONS if start.startswith(it.magics)), None)


def most_unpacked(packed: int) -> int:
    """Return the most bytes to accept from an archive with this compressed size."""
    return min(MAX_UNPACKED, most_decompressed(packed))


def first_bytes(file: BinaryIO) -> tuple[bytes, bool]:
    """Return the first bytes of a file, decompressed if possible, and whether the file is compressed."""
    chunks = decompressed_chunks(file)
    if chunks is None:
        return file.read(_CHUNK), False
    try:
        return next(chunks, b""), True
    except BrokenStreamError:
        return b"", True


def decompressed_chunks(archive: BinaryIO) -> Iterator[bytes] | None:
    """Return an iterator of the decompressed bytes of an archive; None if it is not compressed with gzip, bzip2 or xz.

    Raises:
        BrokenStreamError: The bytes cannot be decompressed. Raised by the iterator.
        OSError: The file cannot be read.
    """
    archive.seek(0)
    start = archive.read(MAGIC)
    found = compression_of(start)
    if found in _OF_ARCHIVES:
        return decompressed(archive, start, found)
    archive.seek(0)
    return None


def decompressed(stream: Readable, start: bytes, compression: Compression) -> Iterator[bytes]:
    """Decompress successive streams. Their contents are joined, as the tools of these formats do.

    Args:
        stream: The compressed bytes after `start`. It is only read forwards.
        start: The first compressed bytes.
        compression: The format.

    Raises:
        BrokenStreamError: The bytes cannot be decompressed. What is before is yielded first.
        MissingLibraryError: The library for zstd is not installed.
        OSError: The file cannot be read.
    """
    packed, empty = start + stream.read(_PACKED), 0
    while packed:
        decompressor, size = compression.new(), 0
        for chunk in _stream_of(stream, decompressor, packed):
            size += len(chunk)
            yield chunk
        empty = 0 if size else empty + 1
        if empty > _MOST_EMPTY:
            raise _broken(f"it has more than {_MOST_EMPTY} empty streams one after another")
        packed = decompressor.unused_data.lstrip(b"\0")
        while not packed and (more := stream.read(_PACKED)):
            packed = more.lstrip(b"\0")
        if len(packed) < MAGIC:
            packed += stream.read(_PACKED)


def _stream_of(archive: Readable, stream: _Stream, packed: bytes) -> Iterator[bytes]:
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
