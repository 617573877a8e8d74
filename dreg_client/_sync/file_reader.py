# Generated from dreg_client/_async/file_reader.py by tools/generate_sync.py. Do not edit.
"""Blobs in files."""

from collections.abc import Callable
from typing import BinaryIO, Self

from dreg_client._sync._compat import run_in_thread
from dreg_client.files.rooted import most_to_read, read_chunk


class FileReader:
    """Reads a file in chunks, from the position at which `open_file` opens it (a `BlobReader`)."""

    encoding = ""

    def __init__(self, open_file: Callable[[], BinaryIO], path: str) -> None:
        self._open_file, self._path = open_file, path
        self._file: BinaryIO | None = None
        self._left = 0

    def __enter__(self) -> Self:
        try:
            run_in_thread(self._open)
        except BaseException:
            self.__exit__()  # this may have been cancelled after the file was opened
            raise
        return self

    def _open(self) -> None:
        self._file = self._open_file()
        self._left = most_to_read(self._file)

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()  # there is nothing to write, so this does not block

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._file is None or not (chunk := run_in_thread(read_chunk, self._file, self._path, self._left)):
            raise StopIteration
        self._left -= len(chunk)
        return chunk
