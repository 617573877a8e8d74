"""Files to read, named by paths or by URLs: one file, all files below a folder, or those that match a pattern."""

import glob
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from dreg_client.files import remote
from dreg_client.files.path_kinds import has_layout
from dreg_client.files.regular import open_regular
from dreg_client.values.source_url import is_source_url, without_query

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
    """

    source: str
    size: int = 0
    version: str = ""
    is_directory: bool = False
    is_special: bool = False


def open_source(source: str) -> BinaryIO:
    """Open a file for reading.

    Raises:
        OSError: The file cannot be opened.
        FileError: It is not a regular file, or it cannot be read from its URL.
        NotFoundError: There is no file at the URL.
        MissingLibraryError: The library for the URL is not installed.
    """
    return remote.open_url(source) if is_source_url(source) else open_regular(source)


def find_source(source: str) -> StoredFile:
    """Return the file or directory at a path or URL.

    Raises:
        OSError: There is none at the path.
        NotFoundError: There is none at the URL.
    """
    if is_source_url(source):
        return StoredFile(source, *remote.status(source))
    found = os.stat(source)  # noqa: PTH116 (keeps the spelling of the user)
    return _stored(source, found)


def _stored(source: str, found: os.stat_result) -> StoredFile:
    version = f"{found.st_size}-{found.st_mtime_ns}"
    is_directory, is_file = stat.S_ISDIR(found.st_mode), stat.S_ISREG(found.st_mode)
    return StoredFile(source, found.st_size, version, is_directory, is_special=not (is_directory or is_file))


def is_pattern(source: str) -> bool:
    """Return whether a path or URL has wildcards, so that it may name several files. A file may be named like that."""
    return bool(_PATTERN.search(without_query(source)[0]))


def matches(pattern: str) -> Iterator[StoredFile]:
    """Yield the files and directories whose paths or URLs match a pattern (`*`, `?`, `[...]`, `**`), sorted.

    `**` matches any number of directories. Hidden files match only if the pattern says so.
    """
    parts = pattern.split("/")
    if is_source_url(pattern):
        found = remote.matches(pattern)
        yield from (StoredFile(source, *status) for source, status in found if not _is_hidden(source, parts))
        return
    for path in sorted(glob.iglob(pattern, recursive=True)):  # noqa: PTH207 (keeps the spelling of the user)
        if not _is_hidden(path, parts):
            yield find_source(path)


def _is_hidden(source: str, pattern: list[str]) -> bool:
    """Return whether a match has a hidden part (see `files_below`) that the pattern does not ask for."""
    hidden = {part[0] for part in source.split("/") if part.startswith(_HIDDEN) and part not in {".", ".."}}
    return any(not any(part.startswith(mark) for part in pattern) for mark in hidden)


def files_below(
    directory: str, wanted: Callable[[str], bool], on_layout: Callable[[str], None] = lambda _: None
) -> Iterator[StoredFile]:
    """Yield all regular files below a directory whose names are wanted, directory by directory, sorted.

    Hidden files and directories, those whose names begin with `_` (as Spark does), and links to directories are
    skipped.

    Args:
        directory: The path or URL of the directory.
        wanted: Whether files of a name are wanted.
        on_layout: Called with each directory that is an image layout; the files in it are skipped.
    """
    if is_source_url(directory):
        for source, found in remote.below(directory, wanted, on_layout):
            yield StoredFile(source, *found)
        return
    waiting = [directory]
    while waiting:
        place = waiting.pop()
        entries = _entries(place)
        directories = {entry.name: entry.path for entry in entries if entry.is_dir(follow_symlinks=False)}
        files = [entry for entry in entries if entry.name not in directories]
        if has_layout([entry.name for entry in files], directories):
            on_layout(place)
            continue
        yield from (_stored(entry.path, entry.stat()) for entry in files if wanted(entry.name) and entry.is_file())
        waiting += reversed(directories.values())


def is_layout_directory(path: str) -> bool:
    """Return whether a directory is an image layout, which `files_below` does not search for files."""
    entries = _entries(path)
    directories = {entry.name for entry in entries if entry.is_dir()}
    return has_layout({entry.name for entry in entries} - directories, directories)


def _entries(directory: str) -> list[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        found = [entry for entry in entries if not entry.name.startswith(_HIDDEN)]
    return sorted(found, key=lambda entry: entry.name)


def directory_of(source: str) -> str:
    """Return the path or URL of the directory that contains a file."""
    path, query = without_query(source)
    directory = path.rpartition("/")[0]
    return directory + query if is_source_url(source) else directory or ("/" if source.startswith("/") else ".")


def relative_to(source: str, directory: str) -> str:
    """Return the path of a file relative to a directory (see `directory_of`); both are paths or URLs."""
    if directory == ".":
        return source
    return without_query(source)[0].removeprefix(without_query(directory)[0]).lstrip("/")


def joined(directory: str, name: str) -> str:
    """Return the path or URL of a file below a directory."""
    if not is_source_url(directory):
        return str(Path(directory, name))
    path, query = without_query(directory)
    return f"{path.rstrip('/')}/{name}{query}"
