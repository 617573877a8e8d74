"""Files to read, named by paths or by URLs."""

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from dreg_client.errors import DregError
from dreg_client.files import remote
from dreg_client.files.regular import open_regular
from dreg_client.values.source_url import is_remote, is_source_url, local_path, without_query

_PATTERN: Final = re.compile(r"[*?[]")
_HIDDEN: Final = (".", "_")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was found, or a directory.

    Attributes:
        source: Its path or URL.
        size: Its size in bytes; 0 if it is unknown.
        version: What changes if the file is written or replaced; empty if that is unknown.
        is_directory: Whether it is a directory.
        is_special: Whether it is neither a file nor a directory, such as a named pipe.
        is_link: Whether it was listed as a symbolic link; the other attributes are those of its target.
    """

    source: str
    size: int = 0
    version: str = ""
    is_directory: bool = False
    is_special: bool = False
    is_link: bool = False


@dataclass(frozen=True, slots=True)
class UnreadEntry:
    """A file or directory that was found and cannot be read, and the reason.

    Attributes:
        source: Its path or URL.
        failure: The error that names it.
        is_directory: Whether it is known to be a directory.
    """

    source: str
    failure: DregError
    is_directory: bool = False


@dataclass(frozen=True, slots=True)
class FoundLayout:
    """A directory that is an image layout, which is read as a whole; `source` is its path or URL."""

    source: str


NO_MATCH: Final = "no file matches this pattern"
Found: TypeAlias = StoredFile | UnreadEntry
LeftOut: TypeAlias = UnreadEntry | FoundLayout
OnLeftOut: TypeAlias = Callable[[LeftOut], None]


def open_source(source: str) -> BinaryIO:
    """Open a file for reading.

    Raises:
        OSError: The file cannot be opened.
        FileError: It is not a regular file, or it cannot be read from its URL.
        NotFoundError: There is no file at the URL.
        MissingLibraryError: The library for the URL is not installed.
    """
    return remote.open_url(source) if is_remote(source) else open_regular(local_path(source))


def find_source(source: str) -> StoredFile:
    """Return the file or directory at a path or URL.

    Raises:
        OSError: There is none at the path.
        NotFoundError: There is none at the URL.
    """
    if is_remote(source):
        return StoredFile(source, *remote.status(source))
    return stored(source, os.stat(local_path(source)))  # noqa: PTH116 (keeps the spelling of the user)


def stored(source: str, found: os.stat_result, *, is_link: bool = False) -> StoredFile:
    """Return the file or directory with this status."""
    version = f"{found.st_size}-{found.st_mtime_ns}"
    is_directory, is_file = stat.S_ISDIR(found.st_mode), stat.S_ISREG(found.st_mode)
    is_special = not (is_directory or is_file)
    return StoredFile(source, found.st_size, version, is_directory, is_special=is_special, is_link=is_link)


def is_pattern(source: str) -> bool:
    """Return whether a path or URL has wildcards, so that it may name several files. A file may be named like that."""
    return bool(_PATTERN.search(without_query(source)[0]))


def is_hidden(path: str, asked: str = "") -> bool:
    """Return whether a component of a path begins with `.` or with `_`, as the markers of Spark do.

    Such files and directories are skipped below directories and in tar archives, unless a pattern asks for them: then
    `asked` is the first character of the pattern.
    """
    return any(part.startswith(_HIDDEN) and part[0] != asked for part in path.split("/"))


def directory_of(source: str) -> str:
    """Return the path or URL of the directory that contains a file."""
    path, query = without_query(source)
    directory = path[: path.rfind("/") + 1]
    if not directory.endswith("//") and directory != "/":  # not the root of a URL
        directory = directory[:-1]
    return directory + query if is_source_url(source) else directory or "."


def relative_to(source: str, directory: str) -> str:
    """Return the path of a file relative to a directory (see `directory_of`); both are paths or URLs."""
    if directory == ".":
        return source
    path = without_query(directory)[0]
    return without_query(source)[0].removeprefix(path if path.endswith("/") else f"{path}/")


def joined(directory: str, name: str) -> str:
    """Return the path or URL of a file below a directory."""
    if not is_source_url(directory):
        return str(Path(directory, name))
    path, query = without_query(directory)
    return f"{path}{'' if path.endswith('/') else '/'}{name}{query}"
