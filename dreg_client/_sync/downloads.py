# Generated from dreg_client/_async/downloads.py by tools/generate_sync.py. Do not edit.
"""Read blobs from any source into memory, into a file, or as a stream, verified against their digest."""

import os
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self

from dreg_client import errors
from dreg_client._sync._compat import run_in_thread
from dreg_client._sync.ports import Source
from dreg_client._sync.write_behind import WriteBehind
from dreg_client.files.partial_file import BlobBuffer, Durability, PartialFile
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.content import MAX_BLOB, BlobRef, BlobRequest, blob_request
from dreg_client.values.digest import Verifier


def get_blob(source: Source, request: BlobRequest, limit: int = MAX_BLOB) -> bytes:
    """Read a whole blob of at most `limit` bytes into memory."""
    buffer = BlobBuffer(request, limit, refetches=source.refetches)
    while not buffer.is_verified:
        with source.open_blob(buffer.request) as chunks:
            for chunk in chunks:
                buffer.add(chunk)
            buffer.verify(_what(source, request), chunks.encoding)
    return buffer.octets()


@contextmanager
def stream_blob(source: Source, request: BlobRequest, verifier: Verifier | None = None) -> Generator[Iterator[bytes]]:
    """Yield an iterator over the chunks of a blob. It returns the last chunk only after verifying the digest.

    If the offset is not 0, verification needs a `verifier` that has received all earlier bytes.
    """
    verifier = verifier if request.start else request.digest.verifier()
    with source.open_blob(request) as chunks:
        yield chunks if verifier is None else VerifiedChunks(chunks, verifier, _what(source, request))


class BlobStream(AbstractContextManager[Iterator[bytes]]):
    """A blob to read in chunks. `with` opens it and yields the chunks.

    Raises:
        TypeError: It was iterated over without `with`.
    """

    def __init__(self, opening: AbstractContextManager[Iterator[bytes]]) -> None:
        self._opening = opening

    if not TYPE_CHECKING:  # type checkers know that it is not an iterator

        def __iter__(self) -> NoReturn:
            raise TypeError("open the blob first: with store.stream_blob(...) as chunks, then iterate over chunks")

    def __enter__(self) -> Iterator[bytes]:
        return self._opening.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return self._opening.__exit__(kind, error, traceback)


class VerifiedChunks:
    """An iterator that holds back one chunk, so that the last one is returned only after verification."""

    def __init__(self, chunks: Iterator[bytes], verifier: Verifier, what: str) -> None:
        self._chunks, self._verifier, self._what = chunks, verifier, what
        self._held = b""
        self._ended = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        while not self._ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._verifier.verify(self._what)  # if this fails, the next call fails again
                self._ended, chunk = True, b""
            self._verifier.update(chunk)
            if chunk or self._ended:
                held, self._held = self._held, chunk
                if held:
                    return held
        raise StopIteration


def download_blob(
    source: Source,
    blob: BlobRef,
    path: str | os.PathLike[str],
    *,
    resume: bool = False,
    durability: Durability = "full",
    ranges: int = 1,
) -> Descriptor:
    """Download a blob to a file, which gets its name only after verification (see `Store.download_blob`)."""
    request = blob_request(blob, ranges=ranges)
    with PartialFile(path, request, resume=resume, durability=durability, refetches=source.refetches) as file:
        if resume:
            run_in_thread(file.hash_kept)
        while not file.is_verified:
            try:
                _fill(source, file)
            except errors.SizeMismatchError:
                if not file.start_over():
                    raise
        run_in_thread(file.finish)
    return blob if isinstance(blob, Descriptor) else file.descriptor


def _fill(source: Source, file: PartialFile) -> None:
    with source.open_blob(file.request) as chunks, WriteBehind(file.write, file.hash) as behind:
        for chunk in chunks:
            if file.add(chunk):
                behind.put(file.take_block())
        behind.finish()
        file.verify(_what(source, file.request), chunks.encoding)


def _what(source: Source, request: BlobRequest) -> str:
    return f"blob {request.digest.short} of {source.name}"
