"""The entries of directories, named by paths or by URLs. An entry that cannot be read does not hide the others."""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from dreg_client.errors import DregError, FileError, NotFoundError
from dreg_client.files import remote
from dreg_client.files.places import Found, StoredFile, UnreadEntry, find_source, joined, stored
from dreg_client.values.source_url import is_remote, local_path, shown_source, without_query

GONE: Final[tuple[type[Exception], ...]] = (FileNotFoundError, NotADirectoryError, NotFoundError)
"""The errors of a file or directory that does not exist, or that was deleted or replaced since it was listed."""


class Listing(Protocol):
    """The directories at and below a path or URL. A place is a path relative to it; the empty one is itself."""

    def source(self, place: str) -> str:
        """Return the path or URL of a place."""
        ...

    def entries(self, place: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Found]]:
        """Yield the subdirectories of a directory, and the files with wanted names, each with its name.

        What was deleted since the list was made is left out, as are links to nothing.

        Raises:
            OSError: The directory cannot be listed.
            FileError: The directory at a URL cannot be listed.
            NotFoundError: There is nothing at the URL.
        """
        ...


def listing_of(directory: str) -> Listing:
    """Return what lists a directory and those below.

    Raises:
        FileError: The URL cannot be used.
        MissingLibraryError: A library that the URL requires is not installed.
    """
    return _RemoteListing(directory) if is_remote(directory) else _LocalListing(directory)


def listed(listing: Listing, place: str, wanted: Callable[[str], bool]) -> list[tuple[str, Found]]:
    """Return the entries of a directory, sorted by name; of one that cannot be read completely, also an UnreadEntry.

    A directory that is gone since it was listed, or not a directory any more, has no entries.

    Raises:
        OSError: The first directory does not exist.
        NotFoundError: There is nothing at its URL.
    """
    found: list[tuple[str, Found]] = []
    try:
        found.extend(listing.entries(place, wanted))
    except GONE:
        if not place:
            raise
    except (OSError, FileError) as failure:
        found.append(("", unread(listing.source(place), failure, is_directory=True)))
    return sorted(found, key=lambda each: each[0])


def found_at(listing: Listing, place: str) -> Found | None:
    """Return the file or directory at a place; None if there is none."""
    source = listing.source(place)
    try:
        return find_source(source)
    except GONE:
        return None
    except (OSError, FileError) as failure:
        return unread(source, failure)


def unread(source: str, failure: OSError | DregError, *, is_directory: bool = False) -> UnreadEntry:
    """Return a file or directory that cannot be read, with an error that names it."""
    if isinstance(failure, OSError):
        failure = FileError(shown_source(source), f"cannot be read: {failure.strerror or failure}")
    return UnreadEntry(source, failure, is_directory)


class _LocalListing:
    """Directories of this machine; see `Listing`. Paths keep the spelling of the user."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._start = directory if directory.endswith("/") or not directory else f"{directory}/"

    def source(self, place: str) -> str:
        return (self._start + place.removesuffix("/") if place else self._directory) or "."

    def entries(self, place: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Found]]:
        start = self._start + place
        with os.scandir(local_path(start) or ".") as entries:
            for entry in entries:
                found = _local_entry(entry, start + entry.name, wanted)
                if found is not None:
                    yield entry.name, found


def _local_entry(entry: "os.DirEntry[str]", source: str, wanted: Callable[[str], bool]) -> Found | None:
    try:
        if entry.is_dir(follow_symlinks=False):
            return StoredFile(source, is_directory=True)
        return stored(source, entry.stat(), is_link=entry.is_symlink()) if wanted(entry.name) else None
    except FileNotFoundError:
        return None
    except OSError as failure:
        return unread(source, failure)


class _RemoteListing:
    """Directories of a file system of fsspec; see `Listing`."""

    def __init__(self, url: str) -> None:
        self._url = url
        with remote.typed_errors(url):
            self._system, root = remote.file_system(url)
        self._start = f"{root.rstrip('/')}/" if root else ""

    def source(self, place: str) -> str:
        return joined(self._url, place.removesuffix("/")) if place else self._url

    def entries(self, place: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Found]]:
        for name, entry in self._listed(place):
            kind = entry.get("type")
            is_wanted = kind == "directory" or (kind == "file" and wanted(name))
            if is_wanted and not entry.get("islink"):
                yield name, self._found(f"{place}{name}", entry)

    def _listed(self, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the entries with their names.

        On object storage, an entry that has the name of the directory itself is an empty object that stands for it, or
        contains keys with an empty component, such as `a//b.json`. Those can only be listed with all keys below.
        """
        path = (self._start + place).removesuffix("/")
        has_nameless = False
        with remote.typed_errors(self._url):
            entries = self._system.ls(path, detail=True)
        for entry in entries:
            name = str(entry["name"])
            if name.rstrip("/") != path.rstrip("/"):
                yield name.rstrip("/").rpartition("/")[2], entry
            elif name.endswith("/") and entry.get("type") == "directory":
                has_nameless = True
        if has_nameless:
            with remote.typed_errors(self._url):
                below = self._system.find(path, detail=True)
            start = f"{path}//"
            yield from ((name[len(start) - 1 :], below[name]) for name in below if name.startswith(start))

    def _found(self, place: str, entry: Mapping[str, Any]) -> Found:
        source = self.source(place)
        found = StoredFile(source, *remote.entry_status(entry))
        if found.is_directory or not set("?:") & set(place) or self._names(source, place):
            return found
        reason = "has a name that cannot be part of a URL; it was not read; rename it"
        return UnreadEntry(source, FileError(shown_source(source), reason))

    def _names(self, source: str, place: str) -> bool:
        """Return whether a URL names the file at a place, and no other: fsspec reads parts of some names as options."""
        end = without_query(self._url)[1]
        with remote.typed_errors(source):
            return without_query(source)[1] == end and remote.file_system(source)[1] == self._start + place
