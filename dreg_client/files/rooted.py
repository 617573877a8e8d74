"""The files of a store on disk, opened so that neither a name nor a link leads outside its root."""

import errno
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from dreg_client import errors
from dreg_client.values.sizes import MEBIBYTE

_NO_LINKS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_LINK_ERRORS: Final = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})


class Files(ABC):
    """Regular files by their names below one root: a directory or an archive."""

    name: str
    """The path of the root, for messages."""
    is_closed: bool = False
    """Whether it was closed; then every method raises `ClosedError`."""

    @abstractmethod
    def open(self, *parts: str) -> BinaryIO:
        """Open a regular file; raise FileNotFoundError, UnsafePathError (also for a link), LayoutError, ClosedError."""

    @abstractmethod
    def names(self, directory: str) -> Iterator[str]:
        """Return the names of all files and links below a directory of the root, parts joined by `/`, sorted."""

    @abstractmethod
    def has_directory(self, name: str) -> bool:
        """Return whether there is such a directory, empty or not, directly below the root; a link does not count."""

    def close(self) -> None:
        """Close what is held open."""
        self.is_closed = True

    def check_open(self) -> None:
        """Raise `ClosedError` if this was closed."""
        if self.is_closed:
            raise errors.ClosedError(self.name)

    def read(self, *parts: str, limit: int) -> bytes:
        """Read a whole file; raise ResponseTooLargeError, before reading, if it is larger, and the errors of `open`."""
        path = "/".join((self.name, *parts))
        with self.open(*parts) as file:
            size = size_of(file)
            if size > limit:
                raise errors.ResponseTooLargeError(path, size, limit)
            try:
                return file.read(size)  # never more: Python allocates that much memory at once
            except OSError as failure:
                raise errors.LayoutError(path, f"cannot be read: {failure.strerror}") from failure


class DirectoryFiles(Files):
    """Files below a directory. No symbolic link below it is followed, even one that appears while we look (LAY-01)."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name: str = os.fspath(path)
        if not hasattr(os, "O_NOFOLLOW"):
            raise errors.LayoutError(self.name, "layouts on disk are read on Linux and macOS only")
        if not os.path.isdir(self.name):  # noqa: PTH112 (the text stays as the user wrote it)
            what = "is no directory" if os.path.lexists(self.name) else "does not exist"
            raise errors.NotFoundError("image layout", self.name, f"it {what}")

    def open(self, *parts: str) -> BinaryIO:
        """Open a regular file for reading; see `Files.open`."""
        self.check_open()
        try:
            directory = os.open(self.name, os.O_RDONLY | os.O_DIRECTORY | getattr(os, "O_CLOEXEC", 0))
        except OSError as failure:
            raise errors.LayoutError(self.name, f"cannot be read: {failure.strerror}") from failure
        try:
            for part in parts[:-1]:
                inner = self._open(part, os.O_RDONLY | os.O_DIRECTORY, directory, parts)
                os.close(directory)
                directory = inner
            # O_NONBLOCK: opening a named pipe would otherwise wait for a writer.
            descriptor = self._open(parts[-1], os.O_RDONLY | os.O_NONBLOCK, directory, parts)
        finally:
            os.close(directory)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return os.fdopen(descriptor, "rb")
        os.close(descriptor)
        raise errors.UnsafePathError(str(Path(self.name, *parts)), "is no regular file; nothing was read")

    def _open(self, part: str, flags: int, directory: int, parts: tuple[str, ...]) -> int:
        try:
            return os.open(part, flags | _NO_LINKS, dir_fd=directory)
        except FileNotFoundError:
            raise
        except OSError as failure:
            path = str(Path(self.name, *parts))
            if failure.errno == errno.ENAMETOOLONG:  # so there can be no such file
                raise FileNotFoundError(path) from None
            if failure.errno in _LINK_ERRORS:
                raise errors.UnsafePathError(path, "is a link or no regular file; nothing was read") from None
            raise errors.LayoutError(path, f"cannot be read: {failure.strerror}") from failure

    def names(self, directory: str) -> Iterator[str]:
        """Return the names of all files and links below a directory; links are not followed."""
        for above, inner, files in os.walk(Path(self.name, directory), onerror=self._unlisted):
            inner.sort()
            links = [name for name in inner if Path(above, name).is_symlink()]
            below = Path(above).relative_to(self.name).as_posix()
            yield from (f"{below}/{name}" for name in sorted([*files, *links]))

    def _unlisted(self, failure: OSError) -> None:
        if not isinstance(failure, FileNotFoundError | NotADirectoryError):
            raise errors.LayoutError(failure.filename, f"cannot be listed: {failure.strerror}") from failure

    def has_directory(self, name: str) -> bool:
        """Return whether there is such a directory; a link to one does not count."""
        path = Path(self.name, name)
        return path.is_dir() and not path.is_symlink()


def size_of(file: BinaryIO) -> int:
    """Return the number of bytes of an open file, and leave it at its beginning."""
    with suppress(OSError, AttributeError):
        return os.fstat(file.fileno()).st_size
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def read_chunk(file: BinaryIO, path: str) -> bytes:
    """Read at most a mebibyte of an open file, none at its end; raise `LayoutError` if that fails."""
    try:
        return file.read(MEBIBYTE)
    except OSError as failure:
        raise errors.LayoutError(path, f"cannot be read: {failure.strerror}") from failure


def chunks_of(file: BinaryIO, path: str) -> Iterator[bytes]:
    """Read an open file to its end in chunks of `read_chunk`."""
    while chunk := read_chunk(file, path):
        yield chunk
