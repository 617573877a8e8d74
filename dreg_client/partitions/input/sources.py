"""How sources are spelled, and which files several sources name."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from dreg_client.errors import DregError, FileError
from dreg_client.files.places import LeftOut, StoredFile, UnreadEntry, directory_of, find_source, is_hidden, joined
from dreg_client.files.search import files_below
from dreg_client.partitions.input.formats import format_of, is_known, is_packed
from dreg_client.partitions.report_names import RUN_FILE, is_report_name
from dreg_client.values.registry_name import STORAGE
from dreg_client.values.source_url import is_source_url, local_path, shown_source, without_query

_Found = TypeVar("_Found", bound=StoredFile | LeftOut)
_TREE: Final = "/docker/registry/v2"
_MOST_NAMED: Final = 3
"""The number of files left out that an error names."""


def absolute(source: str) -> str:
    """Return a source as it is spelled for any working directory: a path or URL, or a storage.

    Examples:
        >>> absolute("s3://bucket/dumps/"), absolute("/dumps/./web/"), absolute("registry-storage:/var/lib/")
        ('s3://bucket/dumps', '/dumps/web', 'registry-storage:/var/lib')
    """
    if source.startswith(STORAGE):
        return STORAGE + absolute(source.removeprefix(STORAGE))
    if not is_source_url(source):
        return str(Path(source).absolute())
    path, query = without_query(source)
    shorter = path.rstrip("/")
    return f"{shorter}{query}" if "://" in shorter else source


def without_reports(files: Iterator[_Found]) -> Iterator[_Found]:
    """Yield what was found without the reports of runs, such as that of the folder to which this run writes."""
    known = ("", False)
    for file in files:
        if is_report_name(file.source):
            directory = directory_of(file.source)
            if directory != known[0]:
                known = directory, has_run(directory)
            if known[1]:
                continue
        yield file


def has_run(directory: str) -> bool:
    """Return whether a directory is the folder of a run, which has its reports."""
    try:
        return not find_source(joined(directory, RUN_FILE)).is_directory
    except (DregError, OSError):
        return False


def documents_below(directory: str, enters: Callable[[str], bool] = lambda _: True) -> Iterator[StoredFile | LeftOut]:
    """Yield the files of known formats below a directory, without reports; see `files_below`.

    Files that would be read if they were not in an unknown compression are one UnreadEntry at the end.
    """
    packed: list[str] = []
    count = 0
    for found in without_reports(files_below(directory, lambda name: is_known(name) or is_packed(name), enters)):
        if isinstance(found, StoredFile) and not is_known(found.source):
            count += 1
            packed += [shown_source(found.source)][: _MOST_NAMED - len(packed)]
        else:
            yield found
    if count:
        names = ", ".join(packed) + (f" and {count - len(packed):,} more" if count > len(packed) else "")
        reason = f"{count:,} compressed {'file' if count == 1 else 'files'} cannot be read; decompress: {names}"
        yield UnreadEntry(directory, FileError(shown_source(directory), reason))


class TakenSources:
    """The files, directories and storages that earlier sources have named, so that none is read twice.

    The files in a directory are not kept, so memory grows only with what is named itself or by a pattern.
    """

    def __init__(self) -> None:
        self._files, self._directories = set[str](), set[str]()
        self._storages = set[tuple[str, str | None]]()
        self._last = ("", "")

    def take(self, file: StoredFile) -> bool:
        """Take a file that was named, or that matches a pattern; return whether it was not taken before."""
        if self.has(file):
            return False
        self._files.add(self._place(file.source))
        return True

    def take_directory(self, source: str) -> None:
        """Take all files with known endings in a directory and below, once they have been found."""
        self._directories.add(self._place(f"{local_path(source)}/x").rpartition("/")[0])

    def has(self, file: StoredFile) -> bool:
        """Return whether a file was taken, itself or with its directory."""
        place = self._place(file.source)
        if place in self._files:
            return True
        if not self._directories or format_of(place) is None:
            return False
        end = place.rfind("/")
        while end > 0:
            if is_hidden(place[end + 1 :]):
                return False
            if place[:end] in self._directories:
                return True
            end = place.rfind("/", 0, end)
        return "" in self._directories and not is_hidden(place)

    def take_storage(self, path: str, repository: str | None) -> bool:
        """Take a storage, or a repository in it; return whether it was not taken before."""
        place = self._storage(path)
        known = {(place, None), (place, repository)} & self._storages
        self._storages.add((place, repository))
        return not known

    def has_repository(self, path: str, repository: str) -> bool:
        """Return whether a repository of a storage was named itself."""
        return bool(self._storages) and (self._storage(path), repository) in self._storages

    def _storage(self, path: str) -> str:
        return self._place(f"{local_path(path).rstrip('/').removesuffix(_TREE)}/x")

    def _place(self, source: str) -> str:
        """Return the path of a file, without links to directories, or its URL."""
        if is_source_url(path := local_path(source)):
            return path
        directory, _, name = path.rpartition("/")
        if self._last[0] != directory:
            self._last = directory, os.path.realpath(directory or ("/" if path.startswith("/") else "."))
        return f"{self._last[1].rstrip('/')}/{name}"
