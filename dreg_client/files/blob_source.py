"""The bytes of a blob to upload: bytes in memory, a file by its path, or an open file."""

import os
import stat
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from dreg_client import errors
from dreg_client.values.digest import SHA256, Digest, Verifier
from dreg_client.values.sizes import MAX_DOCUMENT, MEBIBYTE

_HASHED: Final = 16
"""How many mebibytes to hash before a cancellation is noticed."""


@runtime_checkable
class BinaryReader(Protocol):
    """An open file, or anything else that can be read in the same way."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...


@runtime_checkable
class _Seekable(Protocol):
    def seekable(self) -> bool: ...
    def tell(self) -> int: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...


class Octets:
    """Bytes in memory, read from an offset."""

    def __init__(self, octets: memoryview, start: int) -> None:
        self._octets, self._position = octets, start

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        start, self._position = self._position, self._position + size
        return bytes(self._octets[start : self._position])

    def close(self) -> None:
        """Do nothing."""


class OpenFile:
    """A caller's open file, which stays open. Its content begins at its present position.

    Attributes:
        size: The number of bytes; None if it cannot be read twice, such as a pipe.
    """

    def __init__(self, file: BinaryReader) -> None:
        self._file = file
        self.size: int | None = None
        self._begin = 0
        if isinstance(file, _Seekable):
            with suppress(OSError):
                self._find_size(file)

    def _find_size(self, file: "_Seekable") -> None:
        if file.seekable():
            self._begin = file.tell()
            size = max(file.seek(0, os.SEEK_END) - self._begin, 0)
            file.seek(self._begin)
            self.size = size

    def at(self, start: int) -> "OpenFile":
        """Return the file, at an offset of its content."""
        if self.size is not None and isinstance(self._file, _Seekable):
            self._file.seek(self._begin + start)
        return self

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        return checked_piece(self._file.read(size))

    def close(self) -> None:
        """Do nothing: the file belongs to the caller."""


class PathReader:
    """A file that is read from an offset. Errors name its path."""

    def __init__(self, path: str, start: int = 0) -> None:
        self._path = path
        try:
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115, PTH123 (`close` closes it)
            if start:
                self._file.seek(start)
        except OSError as failure:
            raise _unreadable(path, failure) from failure

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        try:
            return self._file.read(size) or b""
        except OSError as failure:
            raise _unreadable(self._path, failure) from failure

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def regular_size(path: str) -> int | None:
    """Return the size of a regular file; None for a pipe or a device, which can be read only once."""
    try:
        found = Path(path).stat()
    except OSError as failure:
        raise _unreadable(path, failure) from failure
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _unreadable(path: str, failure: OSError) -> errors.FileError:
    return errors.FileError(path, f"cannot be read: {(failure.strerror or str(failure)).lower()}")


def checked_piece(piece: object) -> bytes:
    """Return bytes from a caller's file or iterator."""
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, bytearray):
        return bytes(piece)
    if isinstance(piece, memoryview):
        return piece.tobytes()
    kind = type(piece).__name__
    raise TypeError(f"the content of a blob must be bytes, not {kind}; open files in binary mode ('rb')")


def hash_some(reader: BinaryReader, verifier: Verifier) -> bool:
    """Hash the next bytes of a file; return False at its end."""
    for _ in range(_HASHED):
        if not (piece := reader.read(MEBIBYTE)):
            return False
        verifier.update(piece)
    return True


def new_hash(digest: Digest | None) -> Verifier:
    """Return an object that hashes by the algorithm of a digest; by sha256 if there is none."""
    return Verifier(digest if digest is not None else Digest.of(b"", SHA256))


def document_at(source: BinaryReader | str) -> bytes:
    """Read a document from a path or an open file, up to one byte more than documents may have."""
    if isinstance(source, str):
        with closing(PathReader(source)) as reader:
            return document_at(reader)
    pieces, size = list[bytes](), 0
    while size <= MAX_DOCUMENT and (piece := source.read(MAX_DOCUMENT + 1 - size)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)
