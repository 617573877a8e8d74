"""The files of a store on disk, opened so that neither a name nor a link leads outside its root."""

import errno
import os
import posixpath
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
MOST_LINKED: Final = 500_000
"""The most files to list in linked directories: many links may each lead to a directory that holds the one before."""


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
    def directory(self, name: str) -> str | None:
        """Return the path below the root, without links, of the directory that a name leads to; None if to none."""

    @abstractmethod
    def below(self, place: str) -> Iterator[tuple[str, bool]]:
        """Return the names of all files and links below a directory without links, and whether each is a link.

        Parts are joined by `/`; the names in one directory are sorted. No link is followed.
        """

    def names(self, directory: str) -> Iterator[str]:
        """Return the names of all files and links below a directory of the root, parts joined by `/`, sorted.

        The directory, and those directly in it, may be links to directories below the root.

        Raises:
            UnsafePathError: More than `MOST_LINKED` files are in linked directories.
            LayoutError: A directory cannot be listed.
        """
        place = self.directory(directory)
        if place is None:
            return
        listed, linked_files = set[str](), 0
        for name, is_link in self.below(place):
            linked = self.directory(f"{place}/{name}") if is_link and "/" not in name else None
            # A directory beside the link is listed by its own name already.
            if linked is None or posixpath.dirname(linked) == place or linked in listed:
                yield f"{directory}/{name}"
                continue
            listed.add(linked)
            for below, _ in self.below(linked):
                linked_files += 1
                if linked_files > MOST_LINKED:
                    raise errors.UnsafePathError(
                        self.name, f"has links to more than {MOST_LINKED} files in directories"
                    )
                yield f"{directory}/{name}/{below}"

    def has_directory(self, name: str) -> bool:
        """Return whether there is such a directory, empty or not, directly below the root, or a link to one."""
        try:
            return self.directory(name) is not None
        except errors.LayoutError:  # it is there, and cannot be read
            return True

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
    """Files below a directory. Follows links that stay below the root (LAY-01).

    Opening is safe while another process changes the directory. `names` is not: it lists directories by their paths.
    """

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

    def directory(self, name: str) -> str | None:
        """Return where the name of a directory leads; see `Files.directory`."""
        try:
            found = self._find(name)
        except (FileNotFoundError, errors.UnsafePathError):
            return None
        is_directory = stat.S_ISDIR(os.fstat(found.descriptor).st_mode)
        os.close(found.descriptor)
        return "/".join(found.parts) if is_directory else None

    def below(self, place: str) -> Iterator[tuple[str, bool]]:
        """Return the names of all files and links below a directory; see `Files.below`."""
        ahead = [""]
        while ahead:
            start = ahead.pop()
            inner: list[str] = []
            for name, is_directory, is_link in self._entries(Path(self.name, place, start)):
                if is_directory:
                    inner.append(f"{start}{name}/")
                else:
                    yield f"{start}{name}", is_link
            ahead += reversed(inner)

    def _entries(self, path: Path) -> list[tuple[str, bool, bool]]:
        """Return each name in a directory, whether it is a directory, and whether it is a link; none if it is gone."""
        try:
            with os.scandir(path) as entries:
                return sorted(
                    (entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink()) for entry in entries
                )
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as failure:
            raise errors.LayoutError(str(path), f"cannot be listed: {failure.strerror}") from failure


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
