"""Blobs in files. Async code opens and reads them in a thread, so that its event loop never waits for a disk."""

from collections.abc import Callable
from typing import BinaryIO, Self

from dreg_client._async._compat import run_in_thread
from dreg_client.files.rooted import most_to_read, read_chunk


class AsyncFileReader:
    """Reads a file in chunks, from the position at which `open_file` opens it (an `AsyncBlobReader`)."""

    encoding = ""

    def __init__(self, open_file: Callable[[], BinaryIO], path: str) -> None:
        self._open_file, self._path = open_file, path
        self._file: BinaryIO | None = None
        self._left = 0

    async def __aenter__(self) -> Self:
        try:
            await run_in_thread(self._open)
        except BaseException:
            await self.__aexit__()  # this may have been cancelled after the file was opened
            raise
        return self

    def _open(self) -> None:
        self._file = self._open_file()
        self._left = most_to_read(self._file)

    async def __aexit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()  # there is nothing to write, so this does not block

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._file is None or not (chunk := await run_in_thread(read_chunk, self._file, self._path, self._left)):
            raise StopAsyncIteration
        self._left -= len(chunk)
        return chunk
