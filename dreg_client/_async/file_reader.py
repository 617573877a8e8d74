"""Blobs that are files. Async code opens and reads them in a thread, so that its event loop never waits for a disk."""

from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO, Self

from dreg_client._async._compat import run_in_thread
from dreg_client.files.rooted import read_chunk


class AsyncFileReader:
    """Reads a file in chunks; implements `AsyncBlobReader`.

    Args:
        open_file: Opens the file at the first byte to read.
        path: What an error calls the file.
    """

    encoding = ""

    def __init__(self, open_file: Callable[[], BinaryIO], path: str) -> None:
        self._open_file, self._path = open_file, path
        self._file: BinaryIO | None = None

    async def __aenter__(self) -> Self:
        try:
            await run_in_thread(self._open)
        except BaseException:
            self._close()  # it may have been cancelled after the file was opened
            raise
        return self

    def _open(self) -> None:
        self._file = self._open_file()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()  # it has nothing to write, so this does not block

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._file is None:
            raise StopAsyncIteration
        chunk = await run_in_thread(read_chunk, self._file, self._path)
        if not chunk:
            raise StopAsyncIteration
        return chunk
