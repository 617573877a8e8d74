"""The files below a URL, such as `s3://BUCKET/PATH`, read by fsspec and the file systems that are installed for it."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, BinaryIO, Final

from dreg_client import errors
from dreg_client.files.beneath import components
from dreg_client.files.remote import file_system, open_url, typed_errors
from dreg_client.files.rooted import Entry, ListedFiles, Status
from dreg_client.values.source_url import shown_source

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

    at_once = 8

    def __init__(self, url: str) -> None:
        self._url = url if url.endswith("://") else url.rstrip("/")
        self.name: str = shown_source(self._url)
        with _layout_errors(self._url):
            self._system, root = file_system(self._url)
        self._root = root.rstrip("/")

    def is_directory(self, place: str) -> bool:
        """Return whether there is a directory below the root; raise LayoutError if that cannot be found out."""
        with suppress(FileNotFoundError), _layout_errors(self._below(place)):
            return bool(self._system.isdir(self._path(place)))
        return False

    def open(self, *parts: str) -> BinaryIO:
        """Open a file for reading; see `Files.open`."""
        self.check_open()
        url = self._below("/".join(parts))
        with _layout_errors(url):
            return open_url(url)

    def read(self, *parts: str, limit: int) -> bytes:
        """Read a whole file by one request; see `Files.read`."""
        self.check_open()
        place = "/".join(parts)
        with _layout_errors(self._below(place)):
            raw = bytes(self._system.cat_file(self._path(place), start=0, end=limit + 1))
        if len(raw) > limit:
            raise errors.ResponseTooLargeError(shown_source(self._below(place)), len(raw), limit)
        return raw

    def status(self, place: str) -> Status | None:
        """Return the size and date of a file, as far as its file system states them; see `ListedFiles.status`."""
        self.check_open()
        found = dict[str, Any]()
        with suppress(FileNotFoundError), _layout_errors(self._below(place)):
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
        with suppress(FileNotFoundError), _layout_errors(self._below(place)):
            found = self._system.ls(path, detail=True)
        # Some file systems list the directory itself, an empty object that stands for it, or a file under its own path.
        kinds = {each["name"].rstrip("/"): each["type"] for each in found}
        named = {name.rpartition("/")[2]: kind for name, kind in kinds.items() if name != path.rstrip("/")}
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
        return "/".join((self._root, *self._parts(place)))

    def _below(self, place: str) -> str:
        return "/".join((self._url, *self._parts(place)))

    def _parts(self, place: str) -> list[str]:
        parts = components(place)
        if ".." in parts:
            raise errors.UnsafePathError(f"{self.name}/{place}", "leads outside the store; it was not read")
        return parts


@contextmanager
def _layout_errors(url: str) -> Generator[None]:
    """Raise FileNotFoundError, or LayoutError for any other error of fsspec and its file systems."""
    try:
        with typed_errors(url):
            yield
    except errors.NotFoundError:
        raise FileNotFoundError(shown_source(url)) from None
    except errors.FileError as failure:
        raise errors.LayoutError(failure.path, failure.reason) from None
