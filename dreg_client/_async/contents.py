"""The bytes of blobs to write (`AsyncContent`): bytes, a path, an open file, an iterator of pieces."""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol, Self, TypeAlias

from dreg_client._async._compat import Pieces, iterate, run_in_thread
from dreg_client._async.ports import AsyncContent
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


class AsyncFileContent:
    """The bytes of a file, or of something that is read like one (an `AsyncContent`).

    Args:
        open_at: Opens it at an offset.
        size: The number of bytes; None if it is unknown, and the bytes can be read only once.
        digest: The digest of the bytes; None if it is unknown.
    """

    def __init__(self, open_at: Callable[[int], _Reader], size: int | None, digest: Digest | None) -> None:
        self._open_at, self.size, self.digest = open_at, size, digest
        self.is_repeatable = size is not None

    @asynccontextmanager
    async def chunks(self, start: int = 0) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Open the bytes from an offset."""
        reader = await run_in_thread(self._open_at, start)
        try:
            yield _AsyncReading(reader)
        finally:
            reader.close()

    async def find_digest(self) -> None:
        """Read all bytes to compute their digest, if it is unknown and they can be read again."""
        if self.digest is not None or not self.is_repeatable:
            return
        computed = new_hash(None)
        reader = await run_in_thread(self._open_at, 0)
        try:
            while await run_in_thread(hash_some, reader, computed):
                pass
        finally:
            reader.close()
        self.digest, self.size = computed.digest(), computed.size


class _AsyncReading:
    """An async iterator over a file."""

    def __init__(self, reader: BinaryReader) -> None:
        self._reader = reader

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if piece := await run_in_thread(self._reader.read, MEBIBYTE):
            return piece
        raise StopAsyncIteration


class AsyncPiecesContent:
    """The bytes of a caller's iterable, which are read once (an `AsyncContent`)."""

    size = None
    is_repeatable = False

    def __init__(self, pieces: Pieces, digest: Digest | None) -> None:
        self._pieces, self.digest = pieces, digest

    @asynccontextmanager
    async def chunks(self, start: int = 0) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Return the bytes. `start` must be 0."""
        if start:
            raise ValueError("an iterator can be read only once, from its beginning")
        yield _AsyncChecked(iterate(self._pieces))


class _AsyncChecked:
    """An async iterator over the pieces of a caller, without empty ones."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not (piece := checked_piece(await anext(self._pieces))):
            pass
        return piece


async def content_of(source: BlobSource, digest: Digest | None = None, *, hashed: bool = True) -> AsyncContent:
    """Return the content of a caller's source; with `hashed`, its digest is computed first if it can be read twice.

    Raises:
        FileError: A file cannot be read.
        TypeError: The source is not of a supported type.
    """
    content = await _content_of(source, digest)
    if hashed and isinstance(content, AsyncFileContent):
        await content.find_digest()
    return content


async def _content_of(source: BlobSource, digest: Digest | None) -> AsyncFileContent | AsyncPiecesContent:
    if isinstance(source, bytes | bytearray | memoryview):
        view = memoryview(source).cast("B")
        return AsyncFileContent(lambda start: Octets(view, start), len(view), digest)
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        size = await run_in_thread(regular_size, path)
        return AsyncFileContent(lambda start: PathReader(path, start), size, digest)
    if isinstance(source, BinaryReader):
        file = await run_in_thread(OpenFile, source)
        return AsyncFileContent(file.at, file.size, digest)
    return AsyncPiecesContent(source, digest)
