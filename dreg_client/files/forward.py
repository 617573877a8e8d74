"""Files that are only read forwards: decompressed ones, and pipes."""

import io
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import BinaryIO, Final, cast

from dreg_client.files.compressed import (
    COMPRESSIONS,
    MAGIC,
    BrokenStreamError,
    Compression,
    Readable,
    compression_of,
    decompressed,
)
from dreg_client.values.sizes import KIBIBYTE

_BUFFER: Final = 256 * KIBIBYTE


class ForwardFile(io.RawIOBase):
    """Chunks of bytes as a file that can only be read forwards."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._chunk = b""
        self._start = self._place = 0
        """The offsets of the chunk, and of the next byte to read."""

    def readable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go forwards to an offset, or to the end."""
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only forwards")
        while offset > self._start + len(self._chunk) and self._next():
            pass
        self._place = offset
        return offset

    @property
    def reached(self) -> int:
        """How many bytes there are at least; after a `seek` or `read` beyond the end, exactly so many."""
        return self._start + len(self._chunk)

    def read(self, size: int = -1, /) -> bytes:
        """Read bytes; fewer at the end."""
        pieces: list[bytes] = []
        while size:
            at = self._place - self._start
            piece = self._chunk[at : at + size] if size > 0 else self._chunk[at:]
            if not piece and not self._next():
                break
            pieces.append(piece)
            size -= len(piece) if size > 0 else 0
            self._place += len(piece)
        return b"".join(pieces)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read bytes of one chunk."""
        while self._place >= self._start + len(self._chunk) and self._next():
            pass
        at = self._place - self._start
        piece = memoryview(self._chunk)[at : at + len(buffer)]
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def _next(self) -> bool:
        self._start += len(self._chunk)
        self._chunk = next(self._chunks, b"")
        return bool(self._chunk)


def plain_stream(
    file: BinaryIO, expected: str = "", on_read: Callable[[int], None] = lambda _: None
) -> BinaryIO | ForwardFile:
    """Return a file that was just opened, decompressed if it is compressed.

    Args:
        file: The file, which may be a pipe.
        expected: The name of the expected compression; if empty, there is none. The first bytes take precedence.
        on_read: Called with the number of compressed bytes each time that some are read.

    Raises:
        BrokenStreamError: The file is empty, but should be compressed. Reading raises it, too.
        OSError: The file cannot be read.
    """
    start = file.read(MAGIC)
    found = compression_of(start) or _truncated(start, expected)
    if found is not None:
        return ForwardFile(decompressed(_Counted(file, on_read), start, found))
    if file.seekable():
        file.seek(0)
        return file
    return ForwardFile(chain([start], _chunks(file)))


class _Counted:
    """A stream that reports how much was read."""

    def __init__(self, stream: Readable, on_read: Callable[[int], None]) -> None:
        self._stream, self._on_read = stream, on_read

    def read(self, size: int, /) -> bytes:
        piece = _arrived(self._stream, size)
        self._on_read(len(piece))
        return piece


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    return iter(partial(_arrived, file, _BUFFER), b"")


def _arrived(stream: Readable, size: int) -> bytes:
    """Read bytes; fewer if more have not arrived yet, since whoever writes to a pipe may pause."""
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    return read(size)


def _truncated(start: bytes, expected: str) -> Compression | None:
    """Return the expected compression if the file is so short that its first bytes do not show it."""
    found = next((it for it in COMPRESSIONS if it.name == expected), None)
    if found is not None and not start:
        raise BrokenStreamError(f"is empty, so it is not a file of {expected}")
    return found if found is not None and found.may_start(start) else None


def buffered(stream: BinaryIO | ForwardFile) -> BinaryIO:
    """Return a stream with a buffer, so that lines can be read from it."""
    if isinstance(stream, ForwardFile):
        return cast("BinaryIO", io.BufferedReader(stream, _BUFFER))
    return stream
