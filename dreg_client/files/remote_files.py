"""The files below a URL, such as `s3://BUCKET/PATH`, read by fsspec and the file systems that are installed for it."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib import import_module
from typing import Any, BinaryIO, Final, NoReturn, cast

from dreg_client import errors
from dreg_client.files.beneath import components
from dreg_client.files.rooted import Entry, ListedFiles, Status
from dreg_client.values.origin import without_query

_BUFFERED: Final = 1 << 16
_DATES: Final = ("mtime", "LastModified", "last_modified", "updated", "created")
"""Where file systems state the date of a file: local files, S3, Azure, Google, and memory."""


class RemoteFiles(ListedFiles):
    """The files below a URL. Only what fsspec reports as a directory is listed; lists are never cached.

    Args:
        url: The URL of the root, such as `s3://registry/docker/registry/v2`.

    Raises:
        MissingLibraryError: fsspec or the library for this kind of URL is not installed.
        LayoutError: The URL cannot be used.
    """

    def __init__(self, url: str) -> None:
        self.name = without_query(url.rstrip("/"))
        self._system, root = _opened(url, self.name)
        self._root = root.rstrip("/")

    def is_directory(self, place: str) -> bool:
        """Return whether there is a directory below the root; raise LayoutError if that cannot be found out."""
        with _reported(f"{self.name}/{place}", "read"):
            return bool(self._system.isdir(self._path(place)))
        return False

    def open(self, *parts: str) -> BinaryIO:
        """Open a file for reading; see `Files.open`."""
        self.check_open()
        place = "/".join(parts)
        with _reported(f"{self.name}/{place}", "read"):
            file = self._system.open(self._path(place), "rb")
        return cast("BinaryIO", io.BufferedReader(_RemoteFile(file, f"{self.name}/{place}"), _BUFFERED))

    def read(self, *parts: str, limit: int) -> bytes:
        """Read a whole file by one request; see `Files.read`."""
        self.check_open()
        path = f"{self.name}/{'/'.join(parts)}"
        with _reported(path, "read"):
            raw = bytes(self._system.cat_file(self._path("/".join(parts)), start=0, end=limit + 1))
        if len(raw) > limit:
            raise errors.ResponseTooLargeError(path, len(raw), limit)
        return raw

    def status(self, place: str) -> Status | None:
        """Return the size and date of a file, as far as its file system states them; see `ListedFiles.status`."""
        self.check_open()
        found = dict[str, Any]()
        with suppress(FileNotFoundError, NotADirectoryError), _reported(f"{self.name}/{place}", "read"):
            found = self._system.info(self._path(place))
        if found.get("type") != "file":
            return None
        dates = (found.get(name) for name in _DATES)
        modified = next((each for each in dates if each is not None), None)
        return Status(found["size"] or 0, modified.timestamp() if isinstance(modified, datetime) else modified)

    def entries(self, place: str) -> list[Entry]:
        """Return the entries of a directory, sorted by name; see `ListedFiles.entries`."""
        self.check_open()
        path = self._path(place)
        found = list[Any]()
        with suppress(FileNotFoundError, NotADirectoryError), _reported(f"{self.name}/{place}", "listed"):
            found = self._system.ls(path, detail=True)
        # Some file systems list the directory itself, or a file under its own path.
        named = {each["name"].rstrip("/").rpartition("/")[2]: each["type"] for each in found if each["name"] != path}
        return sorted(Entry(name, kind == "directory", kind == "link") for name, kind in named.items() if name)

    def directory(self, name: str) -> str | None:
        """Return the path of a directory; see `Files.directory`."""
        return name if self.is_directory(name) else None

    def below(self, place: str) -> Iterator[tuple[str, bool]]:
        """Yield the relative paths of all files below a directory; see `Files.below`."""
        ahead = [""]
        while ahead:
            start = ahead.pop()
            inner = self.entries(f"{place}/{start}")
            yield from ((f"{start}{each.name}", each.is_link) for each in inner if not each.is_directory)
            ahead += [f"{start}{each.name}/" for each in reversed(inner) if each.is_directory]

    def _path(self, place: str) -> str:
        parts = components(place)
        if ".." in parts:
            raise errors.UnsafePathError(f"{self.name}/{place}", "leads outside the store; it was not read")
        return "/".join((self._root, *parts))


class _RemoteFile(io.RawIOBase):
    """A remote file that is open for reading. All errors of its file system are LayoutErrors."""

    def __init__(self, file: Any, name: str) -> None:  # noqa: ANN401 (fsspec has no types)
        self._file, self._name = file, name

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with _reported(self._name, "read"):
            return int(self._file.seek(offset, whence))
        return 0

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        with _reported(self._name, "read"):
            octets = self._file.read(len(buffer))
            buffer[: len(octets)] = octets
            return len(octets)
        return 0

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _opened(url: str, name: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it."""
    try:
        core = import_module("fsspec.core")
    except ImportError:
        raise errors.MissingLibraryError("fsspec", "remote") from None
    try:
        system, root = core.url_to_fs(url, use_listings_cache=False)
    except ImportError as failure:
        missing = getattr(failure.__cause__, "name", None) or failure.name
        raise errors.MissingLibraryError(missing or "its library", "") from failure
    except Exception as failure:  # noqa: BLE001 (each file system has its own errors)
        _fail(name, "opened", failure)
    return system, str(root)


@contextmanager
def _reported(path: str, what: str) -> Iterator[None]:
    """Report all errors of a file system as LayoutError; FileNotFoundError and NotADirectoryError stay as they are."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, errors.DregError):
        raise
    except Exception as failure:  # noqa: BLE001 (each file system has its own errors)
        _fail(path, what, failure)


def _fail(path: str, what: str, failure: Exception) -> NoReturn:
    reason = " ".join((getattr(failure, "strerror", None) or str(failure) or type(failure).__name__).split())[:200]
    raise errors.LayoutError(path, f"cannot be {what}: {reason}") from failure
