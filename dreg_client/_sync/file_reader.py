# Generated from dreg_client/_async/file_reader.py by tools/generate_sync.py. Do not edit.
"""Blobs that are files. Async code opens and reads them in a thread, so that its event loop never waits for a disk."""

from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO, Self

from dreg_client._sync._compat import run_in_thread
from dreg_client.files.rooted import read_chunk


class FileReader:
    """Reads a file in chunks; implements `BlobReader`.

    Args:
        open_file: Opens the file at the first byte to read.
        path: What an error calls the file.
    """

    encoding = ""

    def __init__(self, open_file: Callable[[], BinaryIO], path: str) -> None:
        self._open_file, self._path = open_file, path
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        try:
            run_in_thread(self._open)
        except BaseException:
            self._close()  # it may have been cancelled after the file was opened
            raise
        return self

    def _open(self) -> None:
        self._file = self._open_file()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()  # it has nothing to write, so this does not block

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._file is None:
            raise StopIteration
        chunk = run_in_thread(read_chunk, self._file, self._path)
        if not chunk:
            raise StopIteration
        return chunk
