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
from dreg_client.files.beneath import Found, UnsafeStepError, open_beneath
from dreg_client.values.sizes import MEBIBYTE

NEVER_LINKS: Final = frozenset({"index.json", "oci-layout"})
"""The files of a layout that must be files of their own (LAY-03)."""


class Files(ABC):
    """Regular files by their names below one root: a directory or an archive."""

    name: str
    """The path of the root, for messages."""
    is_closed: bool = False
    """Whether it was closed; then every method raises `ClosedError`."""

    @abstractmethod
    def open(self, *parts: str) -> BinaryIO:
        """Open a regular file, also behind links that stay below the root (but for `NEVER_LINKS`).

        Raises:
            FileNotFoundError: There is no such file.
            UnsafePathError: It is not a regular file, or a link leads outside of the root.
            LayoutError: It cannot be read.
            ClosedError: The store was closed.
        """

    @abstractmethod
    def names(self, directory: str) -> Iterator[str]:
        """Return the names of all files and links below a directory of the root, parts joined by `/`, sorted.

        The directory, and those directly in it, may be links to directories below the root.
        """

    @abstractmethod
    def has_directory(self, name: str) -> bool:
        """Return whether there is such a directory, empty or not, directly below the root, or a link to one."""

    def close(self) -> None:
        """Close what is held open."""
        self.is_closed = True

    def check_open(self) -> None:
        """Raise `ClosedError` if this was closed."""
        if self.is_closed:
            raise errors.ClosedError(self.name)

    def has(self, name: str) -> bool:
        """Return whether there is such a file, readable or not."""
        try:
            self.open(name).close()
        except FileNotFoundError:
            return False
        except errors.LayoutError:
            return True
        return True

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
    """Files below a directory. A link is followed if it stays below it, also while somebody changes it (LAY-01)."""

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
        descriptor = self._find(*parts).descriptor
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return os.fdopen(descriptor, "rb")
        os.close(descriptor)
        raise errors.UnsafePathError(str(Path(self.name, *parts)), "is not a regular file; it was not read")

    def _find(self, *parts: str) -> Found:
        path = str(Path(self.name, *parts))
        try:
            if not parts[1:] and parts[0] in NEVER_LINKS:
                return open_beneath(self.name, parts, most_links=0)
            return open_beneath(self.name, parts)
        except UnsafeStepError as failure:
            raise errors.UnsafePathError(path, f"{failure}; it was not read") from None
        except OSError as failure:
            if failure.filename == self.name:
                raise errors.LayoutError(self.name, f"cannot be read: {failure.strerror}") from failure
            if failure.errno in {errno.ENOENT, errno.ENAMETOOLONG}:  # no file has a name that is too long
                raise FileNotFoundError(path) from None
            raise errors.LayoutError(path, f"cannot be read: {failure.strerror}") from failure

    def names(self, directory: str) -> Iterator[str]:
        """Return the names of all files and links below a directory; see `Files.names`."""
        place = self._directory(directory)
        if place is None:
            return
        listed: set[Path] = set()
        for name in self._below(place):
            linked = self._directory(f"{directory}/{name}") if Path(self.name, place, name).is_symlink() else None
            # A directory beside the link is listed by its own name already.
            if linked is None or "/" in name or linked.parent == place or linked in listed:
                yield f"{directory}/{name}"
                continue
            listed.add(linked)
            yield from (f"{directory}/{name}/{below}" for below in self._below(linked))

    def _below(self, place: Path) -> Iterator[str]:
        """Return the names of all files and links below a directory, without following a link."""
        for above, inner, files in os.walk(Path(self.name, place), onerror=self._unlisted):
            inner.sort()
            links = [name for name in inner if Path(above, name).is_symlink()]
            below = Path(above).relative_to(Path(self.name, place)).parts
            yield from ("/".join((*below, name)) for name in sorted([*files, *links]))

    def _unlisted(self, failure: OSError) -> None:
        if not isinstance(failure, FileNotFoundError | NotADirectoryError):
            raise errors.LayoutError(failure.filename, f"cannot be listed: {failure.strerror}") from failure

    def _directory(self, name: str) -> Path | None:
        """Return the path below the root of a directory that a name leads to; None if it leads to none."""
        try:
            found = self._find(name)
        except (FileNotFoundError, errors.UnsafePathError):
            return None
        is_directory = stat.S_ISDIR(os.fstat(found.descriptor).st_mode)
        os.close(found.descriptor)
        return Path(*found.parts) if is_directory else None

    def has_directory(self, name: str) -> bool:
        """Return whether a name leads to a directory below the root."""
        try:
            return self._directory(name) is not None
        except errors.LayoutError:  # it is there, and cannot be read
            return True


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
