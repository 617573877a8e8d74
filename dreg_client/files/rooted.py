"""The files of a store on disk. No name and no link can lead outside its root."""

import errno
import os
import posixpath
import stat
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from dreg_client import errors
from dreg_client.files.beneath import OpenedPath, UnsafeStepError, open_beneath
from dreg_client.values.sizes import MEBIBYTE

NEVER_LINKS: Final = frozenset({"index.json", "oci-layout"})
"""The files of a layout that must not be links (LAY-03)."""
_SETTLED: Final = 2
"""The number of seconds after which the date of a directory tells whether it was changed again."""
MOST_LINKED: Final = 500_000
"""The maximum number of files to list in linked directories. Links can nest, so the number could explode."""


class Files(ABC):
    """The regular files below a root, which is a directory or an archive."""

    name: str
    """The path of the root, for messages."""
    is_closed: bool = False
    """Whether the root is closed. All methods then raise `ClosedError`."""

    @abstractmethod
    def open(self, *parts: str) -> BinaryIO:
        """Open a regular file. Links that stay below the root are followed, except for `NEVER_LINKS`.

        Raises:
            FileNotFoundError: The file does not exist.
            UnsafePathError: It is not a regular file, or a link leads outside the root.
            LayoutError: It cannot be read.
            ClosedError: The store is closed.
        """

    @abstractmethod
    def directory(self, name: str) -> str | None:
        """Return the path of a directory below the root after following links; None if it is not a directory."""

    @abstractmethod
    def below(self, place: str) -> Iterator[tuple[str, bool]]:
        """Yield the relative paths of all files and links below a directory, and whether each is a link.

        The path of the directory must not contain links, and no link is followed. The names in each directory are
        sorted.
        """

    def names(self, directory: str) -> Iterator[str]:
        """Yield the paths of all files and links below a directory of the root, sorted.

        The directory and its direct subdirectories may be links to directories below the root.

        Raises:
            UnsafePathError: Linked directories contain more than `MOST_LINKED` files.
            LayoutError: A directory cannot be listed.
        """
        place = self.directory(directory)
        if place is None:
            return
        listed, linked_files = set[str](), 0
        for name, is_link in self.below(place):
            linked = self.directory(f"{place}/{name}") if is_link and "/" not in name else None
            # A target next to the link is listed under its own name already.
            if linked is None or posixpath.dirname(linked) == place or linked in listed:
                yield f"{directory}/{name}"
                continue
            listed.add(linked)
            for below, _ in self.below(linked):
                linked_files += 1
                if linked_files > MOST_LINKED:
                    raise errors.UnsafePathError(self.name, f"has more than {MOST_LINKED} files in linked directories")
                yield f"{directory}/{name}/{below}"

    def has_directory(self, name: str) -> bool:
        """Return whether the root contains a directory with this name, or a link to one."""
        try:
            return self.directory(name) is not None
        except errors.LayoutError:  # it exists, but cannot be read
            return True

    def close(self) -> None:
        """Close the root, and the files that it holds open."""
        self.is_closed = True

    def check_open(self) -> None:
        """Raise `ClosedError` if the root is closed."""
        if self.is_closed:
            raise errors.ClosedError(self.name)

    def has(self, name: str) -> bool:
        """Return whether a file exists, readable or not."""
        try:
            self.open(name).close()
        except FileNotFoundError:
            return False
        except errors.LayoutError:
            return True
        return True

    def read(self, *parts: str, limit: int) -> bytes:
        """Read a whole file.

        Raises:
            ResponseTooLargeError: The file is larger than `limit` bytes. Nothing was read.
            FileNotFoundError: The file does not exist.
            LayoutError: It cannot be read (see `open`).
        """
        path = "/".join((self.name, *parts))
        with self.open(*parts) as file:
            size = size_of(file)
            if size > limit:
                raise errors.ResponseTooLargeError(path, size, limit)
            try:
                return file.read(size)  # not `limit`: Python allocates that much memory at once
            except OSError as failure:
                raise errors.LayoutError(path, f"cannot be read: {failure.strerror}") from failure


class Entry(NamedTuple):
    """An entry of a directory: its name, whether it is a directory, and whether it is a link, which is not followed."""

    name: str
    is_directory: bool
    is_link: bool


class Status(NamedTuple):
    """The size of a file in bytes, and the time of its last change in seconds since 1970; None if it is unknown."""

    size: int
    modified: float | None

    @classmethod
    def of(cls, found: os.stat_result) -> "Status | None":
        """Return the status of a regular file; None for anything else."""
        return cls(found.st_size, found.st_mtime) if stat.S_ISREG(found.st_mode) else None


class ListedFiles(Files):
    """The files below a root whose directories can be listed one at a time."""

    at_once: int = 1
    """How many files should be read or listed at a time: more than 1 if each of them is a request."""

    @abstractmethod
    def status(self, place: str) -> Status | None:
        """Return the size and date of a regular file, without reading it; None if there is none.

        Raises:
            LayoutError: The file system does not tell.
            ClosedError: The store is closed.
        """

    @abstractmethod
    def entries(self, place: str) -> list[Entry]:
        """Return the entries of a directory, sorted by name; an empty list if it does not exist, or is gone.

        Raises:
            UnsafePathError: The path contains a link.
            LayoutError: The directory cannot be listed.
            ClosedError: The store is closed.
        """

    def version(self, place: str) -> object:  # noqa: ARG002 (most file systems cannot tell)
        """Return what changes if an entry is added to a directory; None if that cannot be told."""
        return None


class DirectoryFiles(ListedFiles):
    """The files below a directory. Links that stay below the root are followed (LAY-01).

    Opening and listing are safe even if another process changes the directory meanwhile.
    """

    is_durable: bool = True
    """Whether files that are written must survive a power failure."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name: str = os.fspath(path)
        if not hasattr(os, "O_NOFOLLOW"):
            raise errors.LayoutError(self.name, "cannot be read: layouts on disk require Linux or macOS")
        if not os.path.isdir(self.name):  # noqa: PTH112 (keeps the spelling of the user)
            what = "is not a directory" if os.path.lexists(self.name) else "does not exist"
            raise errors.NotFoundError("image layout", self.name, f"the path {what}")

    def open(self, *parts: str) -> BinaryIO:
        """Open a regular file for reading; see `Files.open`."""
        self.check_open()
        descriptor = self._find(*parts).descriptor
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return os.fdopen(descriptor, "rb")
        os.close(descriptor)
        raise errors.UnsafePathError(str(Path(self.name, *parts)), "is not a regular file; it was not read")

    def _find(self, *parts: str) -> OpenedPath:
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
            if failure.errno in {errno.ENOENT, errno.ENAMETOOLONG}:  # a file with too long a name cannot exist
                raise FileNotFoundError(path) from None
            raise errors.LayoutError(path, f"cannot be read: {failure.strerror}") from failure

    def status(self, place: str) -> Status | None:
        """Return the size and date of a regular file; see `ListedFiles.status`."""
        with suppress(FileNotFoundError, errors.UnsafePathError), self.open(place) as file:
            return Status.of(os.fstat(file.fileno()))
        return None

    def version(self, place: str) -> object:
        """Return what changes if an entry is added to a directory; see `ListedFiles.version`."""
        with suppress(OSError, UnsafeStepError):
            descriptor = open_beneath(self.name, (place,), most_links=0).descriptor
            found = os.fstat(descriptor)
            os.close(descriptor)
            # Within a few milliseconds, a directory may change twice without another time.
            if found.st_mtime < time.time() - _SETTLED:
                return found.st_dev, found.st_ino, found.st_mtime_ns
        return None

    def directory(self, name: str) -> str | None:
        """Return the path of a directory after following links; see `Files.directory`."""
        try:
            found = self._find(name)
        except (FileNotFoundError, errors.UnsafePathError):
            return None
        is_directory = stat.S_ISDIR(os.fstat(found.descriptor).st_mode)
        os.close(found.descriptor)
        return "/".join(found.parts) if is_directory else None

    def below(self, place: str) -> Iterator[tuple[str, bool]]:
        """Yield the relative paths of all files and links below a directory; see `Files.below`."""
        ahead = [""]
        while ahead:
            start = ahead.pop()
            inner: list[str] = []
            for name, is_directory, is_link in self.entries(f"{place}/{start}"):
                if is_directory:
                    inner.append(f"{start}{name}/")
                else:
                    yield f"{start}{name}", is_link
            ahead += reversed(inner)

    def entries(self, place: str) -> list[Entry]:
        """Return the entries of a directory, sorted by name; see `ListedFiles.entries`."""
        self.check_open()
        try:
            descriptor = open_beneath(self.name, (place,), most_links=0).descriptor
            try:
                with os.scandir(descriptor) as entries:
                    return sorted(
                        Entry(entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink()) for entry in entries
                    )
            finally:
                os.close(descriptor)
        except UnsafeStepError as failure:
            raise errors.UnsafePathError(str(Path(self.name, place)), f"{failure}; it was not listed") from None
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as failure:
            path = str(Path(self.name, place))
            raise errors.LayoutError(path, f"cannot be listed: {failure.strerror}") from failure


def size_of(file: BinaryIO) -> int:
    """Return the size of an open file in bytes; its position stays the same."""
    with suppress(OSError, AttributeError):
        return os.fstat(file.fileno()).st_size
    place = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(place)
    return size


def check_size(file: BinaryIO, size: int | None, path: str) -> None:
    """Raise SizeMismatchError if an open file has another size than the given one (None: unknown)."""
    if size is not None and (found := size_of(file)) != size:
        raise errors.SizeMismatchError(size, found, path)


def read_chunk(file: BinaryIO, path: str, most: int = MEBIBYTE) -> bytes:
    """Read at most a mebibyte of an open file; empty at its end. Raise `LayoutError` if reading fails."""
    try:
        return file.read(min(most, MEBIBYTE))
    except OSError as failure:
        raise errors.LayoutError(path, f"cannot be read: {failure.strerror}") from failure


def most_to_read(file: BinaryIO) -> int:
    """Return how many bytes to read of an open file: its rest, and one more, which shows that it has grown.

    Reading to the end might never end, because another process may be adding bytes.
    """
    return max(0, size_of(file) - file.tell() + 1)


def chunks_of(file: BinaryIO, path: str) -> Iterator[bytes]:
    """Yield the rest of an open file in chunks (see `read_chunk` and `most_to_read`)."""
    left = most_to_read(file)
    while chunk := read_chunk(file, path, left):
        left -= len(chunk)
        yield chunk
