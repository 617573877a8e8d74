"""A directory of a store that stays open, so that many small files in it can be read quickly."""

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final, Self

from dreg_client.errors import LayoutError, UnsafePathError
from dreg_client.files.beneath import UnsafeStepError, components, open_beneath
from dreg_client.files.rooted import DirectoryFiles, Entry, ListedFiles, Status

_NO_LINKS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_DIRECTORY: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_LINKS
_FILE: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_LINKS  # opening a named pipe would wait for a writer
_GONE: Final = frozenset({errno.ENOENT, errno.ENAMETOOLONG})
_LINK: Final = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})


class HeldDirectory:
    """A directory below the root of a store. A context manager, which closes it.

    Opening a file from the root opens each directory on its path. This takes ten times as long as reading a small file.

    Args:
        files: The files of the store.
        place: The path of the directory; it need not exist.
    """

    def __init__(self, files: ListedFiles, place: str) -> None:
        self._files, self._place = files, place
        self._descriptor: int | None = None
        if isinstance(files, DirectoryFiles):
            with suppress(OSError, UnsafeStepError):  # reading from the root then says what is wrong
                self._descriptor = open_beneath(files.name, components(place), most_links=0).descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the directory."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def read(self, *parts: str, limit: int) -> bytes:
        """Read a whole file; see `Files.read`."""
        place = "/".join((self._place, *parts))
        if self._descriptor is None:
            return self._files.read(place, limit=limit)
        try:
            raw = _read(self._descriptor, parts, limit + 1)
        except OSError as failure:
            if failure.errno in _GONE:
                raise FileNotFoundError(place) from None
            raw = None
        if raw is None or len(raw) > limit:  # a link, something that is not a file, or too large: all are rare
            return self._files.read(place, limit=limit)
        return raw

    def entries(self, *parts: str) -> list[Entry]:
        """Return the entries of this directory, or of one below it; see `ListedFiles.entries`.

        Raises:
            UnsafePathError: It is not a directory, or the path contains a link.
        """
        place = "/".join((self._place, *parts))
        if self._descriptor is not None:
            try:
                return _entries(self._descriptor, parts or (".",))
            except OSError as failure:
                if failure.errno in _GONE:
                    return []
                if failure.errno in _LINK:
                    raise UnsafePathError(
                        f"{self._files.name}/{place}", "is not a directory, or a link to one"
                    ) from None
        return self._files.entries(place)

    def has(self, name: str) -> bool:
        """Return whether this directory has an entry with this name now."""
        if self._descriptor is None:
            return any(each.name == name for each in self._files.entries(self._place))
        try:
            os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except OSError as failure:
            return failure.errno not in _GONE
        return True

    def status(self, *parts: str) -> Status | None:
        """Return the size and date of a file; None if it does not exist. Nothing is read.

        Raises:
            LayoutError: The file system does not tell.
        """
        place = "/".join((self._place, *parts))
        if self._descriptor is None:
            return self._files.status(place)
        try:
            # Links are followed: this only finds out whether the server has the file.
            return Status.of(os.stat("/".join(parts), dir_fd=self._descriptor))
        except OSError as failure:
            if failure.errno in _GONE | _LINK:
                return None
            raise LayoutError(f"{self._files.name}/{place}", f"cannot be read: {failure.strerror}") from failure


def _read(directory: int, parts: tuple[str, ...], most: int) -> bytes | None:
    """Read a file below an open directory, without following links; None if it is not a regular file, or a link."""
    try:
        with _opened(directory, parts, _FILE) as descriptor:
            found = os.fstat(descriptor)
            return _first(descriptor, found.st_size, most) if stat.S_ISREG(found.st_mode) else None
    except OSError as failure:
        if failure.errno in _LINK:
            return None
        raise


def _first(descriptor: int, size: int, most: int) -> bytes:
    """Read a file to its end, or more than `most` bytes. On network file systems, one read may return fewer bytes."""
    read = os.read(descriptor, min(most, size + 1))
    while len(read) < min(most, size) and (more := os.read(descriptor, min(most, size + 1) - len(read))):
        read += more
    return read


def _entries(directory: int, parts: tuple[str, ...]) -> list[Entry]:
    """Return the entries of a directory below an open one, without following links."""
    with _opened(directory, parts, _DIRECTORY) as descriptor, os.scandir(descriptor) as entries:
        return sorted(Entry(each.name, each.is_dir(follow_symlinks=False), each.is_symlink()) for each in entries)


@contextmanager
def _opened(directory: int, parts: tuple[str, ...], flags: int) -> Generator[int]:
    """Open a file or directory below an open directory, one component at a time, without following links."""
    opened: list[int] = []
    try:
        for position, part in enumerate(parts, 1):
            last = flags if position == len(parts) else _DIRECTORY
            opened.append(os.open(part, last, dir_fd=opened[-1] if opened else directory))
        yield opened[-1]
    finally:
        for descriptor in opened:
            os.close(descriptor)
