"""Files at URLs, read by fsspec. All errors of fsspec and its file systems become errors of this package."""

import io
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from typing import Any, BinaryIO, Final, cast

from dreg_client import errors
from dreg_client.values.sizes import MEBIBYTE
from dreg_client.values.source_url import shown_source, without_query, without_secrets

SourceStatus = tuple[int, str, bool]
"""The size, the version (empty if it is unknown), and whether it is a directory."""
_BLOCK: Final = 4 * MEBIBYTE
"""The number of bytes to request at a time."""
_BUFFER: Final = 256 * 1024
_INSTALL: Final = re.compile(r"(?i)install ['\"]?([A-Za-z][\w.-]*)|requires ['\"]?([A-Za-z][\w.-]*)")
_VERSIONS: Final = (
    *("ETag", "etag", "generation", "md5Hash", "sha"),
    *("LastModified", "last_modified", "updated", "modificationTime", "modify", "last_write_time", "mtime", "created"),
)
"""The members of the description of a file that change with its content, by file system."""


@contextmanager
def typed_errors(source: str, what: str = "cannot be read") -> Generator[None]:
    """Raise an error of this package for any error of fsspec and its file systems, without the secrets of the URL."""
    try:
        yield
    except errors.DregError:
        raise
    except FileNotFoundError:
        raise errors.NotFoundError(f"file or directory {shown_source(source)}") from None
    except ImportError as failure:
        library = _library(failure)
        raise errors.MissingLibraryError(library, "remote" if library == "fsspec" else "") from None
    except Exception as failure:  # noqa: BLE001 (each file system has exceptions of its own)
        reason = without_secrets(_reason(failure), source) or type(failure).__name__
        raise errors.FileError(shown_source(source), f"{what}: {reason}") from None


def _reason(failure: Exception) -> str:
    if isinstance(failure, PermissionError):
        return f"access denied: {failure}; check the credentials and the permissions"
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror
    return str(failure)


def _library(failure: ImportError) -> str:
    """Return the library to install; file systems name it in their message."""
    cause = failure.__cause__ or failure.__context__
    named = _INSTALL.search(str(failure))
    if named:
        return named[1] or named[2]
    name = failure.name or (cause.name if isinstance(cause, ImportError) else None)
    return (name or "fsspec").partition(".")[0]


def file_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it; call it within `typed_errors`. fsspec has no types.

    It keeps no lists of directories, since another process may change them. All file systems that keep them use this
    member of fsspec's base class, but not all accept an option for it.
    """
    try:
        core: Any = import_module("fsspec.core")
    except ImportError:
        raise errors.MissingLibraryError("fsspec", "remote") from None
    found, path = _parsed(core, url)
    lists: Any = getattr(found, "dircache", None)
    if getattr(lists, "use_listings_cache", False):
        lists.use_listings_cache = False
        lists.clear()
    return found, str(path)


def _parsed(core: Any, url: str) -> tuple[Any, Any]:  # noqa: ANN401 (fsspec has no types)
    """Return the file system and the path of a URL. fsspec reads any `::` in a name as the start of another URL."""
    before = url.partition("::")[0]
    if before == url or "::" in without_query(url)[1]:
        return cast("tuple[Any, Any]", core.url_to_fs(url))
    directory = before[: before.rfind("/") + 1]
    found, path = core.url_to_fs(directory)
    return found, f"{path.rstrip('/')}/{url.removeprefix(directory)}"


def open_url(url: str) -> BinaryIO:
    """Open the file at a URL for reading; it can be read at any position."""
    with typed_errors(url):
        system, path = file_system(url)
        found = system.info(path)
        if found.get("type") != "file":
            raise errors.FileError(shown_source(url), "is not a file; it was not read")
        file = system.open(path, "rb", block_size=_BLOCK)
    return cast("BinaryIO", io.BufferedReader(_RemoteFile(file, url), _BUFFER))


def read_starts(urls: Sequence[str], size: int) -> list[bytes | None]:
    """Read the first bytes of several files at a time; None for those that must be opened to find out what is wrong.

    The requests for them overlap, where the file system can do that. Opening each file takes several.
    """
    try:
        systems, paths = zip(*map(file_system, urls), strict=True)
        found = systems[0].cat_ranges(list(paths), 0, size, on_error="return")
    except Exception:  # noqa: BLE001 (opening the files one by one reports it)
        return [None] * len(urls)
    return [octets if isinstance(octets, bytes) else None for octets in found]


class _RemoteFile(io.RawIOBase):
    """A file of fsspec whose errors are those of this package."""

    def __init__(self, file: Any, url: str) -> None:  # noqa: ANN401 (fsspec has no types)
        self._file, self._url = file, url

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with typed_errors(self._url):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        with typed_errors(self._url):
            piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            super().close()
            with typed_errors(self._url):
                self._file.close()


def status(url: str) -> SourceStatus:
    """Return the size and version of the file at a URL, and whether it is a directory."""
    with typed_errors(url):
        system, path = file_system(url)
        return entry_status(system.info(path))


def entry_status(found: Mapping[str, Any]) -> SourceStatus:
    """Return the size and version of a file, and whether it is a directory, as a file system describes it."""
    size = int(found.get("size") or 0)
    value = next((value for name in _VERSIONS if (value := found.get(name))), "")
    if isinstance(value, datetime):
        value = value.timestamp()
    version = str(value).strip('"')
    return size, f"{size}-{version}" if version else "", found.get("type") == "directory"
