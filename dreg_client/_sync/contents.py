# Generated from dreg_client/_async/contents.py by tools/generate_sync.py. Do not edit.
"""The bytes of blobs to write (`Content`): bytes, a path, an open file, an iterator of pieces."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Protocol, Self, TypeAlias

from dreg_client._sync._compat import Pieces, iterate, run_in_thread
from dreg_client._sync.ports import Content
from dreg_client.files.blob_source import (
    BinaryReader,
    Octets,
    OpenFile,
    PathReader,
    checked_piece,
    hash_some,
    new_hash,
    regular_size,
)
from dreg_client.values.digest import Digest
from dreg_client.values.sizes import MEBIBYTE

BlobSource: TypeAlias = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryReader | Pieces
"""The bytes of a blob: in memory, a file's path, an open binary file, or an iterable of pieces."""


class _Reader(BinaryReader, Protocol):
    def close(self) -> None: ...


class FileContent:
    """The bytes of a file, or of something that is read like one (a `Content`).

    Args:
        open_at: Opens it at an offset.
        size: The number of bytes; None if it is unknown, and the bytes can be read only once.
        digest: The digest of the bytes; None if it is unknown.
    """

    def __init__(self, open_at: Callable[[int], _Reader], size: int | None, digest: Digest | None) -> None:
        self._open_at, self.size, self.digest = open_at, size, digest
        self.is_repeatable = size is not None

    @contextmanager
    def chunks(self, start: int = 0) -> Generator[Iterator[bytes]]:
        """Open the bytes from an offset."""
        reader = run_in_thread(self._open_at, start)
        try:
            yield _Reading(reader)
        finally:
            reader.close()

    def find_digest(self) -> None:
        """Read all bytes to compute their digest, if it is unknown and they can be read again."""
        if self.digest is not None or not self.is_repeatable:
            return
        computed = new_hash(None)
        reader = run_in_thread(self._open_at, 0)
        try:
            while run_in_thread(hash_some, reader, computed):
                pass
        finally:
            reader.close()
        self.digest, self.size = computed.digest(), computed.size


class _Reading:
    """An iterator over a file."""

    def __init__(self, reader: BinaryReader) -> None:
        self._reader = reader

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if piece := run_in_thread(self._reader.read, MEBIBYTE):
            return piece
        raise StopIteration


class PiecesContent:
    """The bytes of a caller's iterable, which are read once (a `Content`)."""

    size = None
    is_repeatable = False

    def __init__(self, pieces: Pieces, digest: Digest | None) -> None:
        self._pieces, self.digest = pieces, digest

    @contextmanager
    def chunks(self, start: int = 0) -> Generator[Iterator[bytes]]:
        """Return the bytes. `start` must be 0."""
        if start:
            raise ValueError("an iterator can be read only once, from its beginning")
        yield _Checked(iterate(self._pieces))


class _Checked:
    """An iterator over the pieces of a caller, without empty ones."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        while not (piece := checked_piece(next(self._pieces))):
            pass
        return piece


def content_of(source: BlobSource, digest: Digest | None = None, *, hashed: bool = True) -> Content:
    """Return the content of a caller's source; with `hashed`, its digest is computed first if it can be read twice.

    Raises:
        FileError: A file cannot be read.
        TypeError: The source is not of a supported type.
    """
    content = _content_of(source, digest)
    if hashed and isinstance(content, FileContent):
        content.find_digest()
    return content


def _content_of(source: BlobSource, digest: Digest | None) -> FileContent | PiecesContent:
    if isinstance(source, bytes | bytearray | memoryview):
        view = memoryview(source).cast("B")
        return FileContent(lambda start: Octets(view, start), len(view), digest)
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        size = run_in_thread(regular_size, path)
        return FileContent(lambda start: PathReader(path, start), size, digest)
    if isinstance(source, BinaryReader):
        file = run_in_thread(OpenFile, source)
        return FileContent(file.at, file.size, digest)
    return PiecesContent(source, digest)
