"""Find files below directories and by patterns, at paths and URLs. What cannot be read is named; the search goes on."""

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import partial
from typing import Final

from dreg_client.files.listing import GONE, Listing, found_at, listed, listing_of
from dreg_client.files.path_kinds import has_layout
from dreg_client.files.places import Found, FoundLayout, StoredFile, UnreadEntry, is_hidden, is_pattern
from dreg_client.values.source_url import is_source_url, without_query

_DEEP: Final = "**"
_SEPARATOR: Final = re.compile(r"(?<=[^/])/")
_MARKS: Final = ("oci-layout", "index.json")
"""The files that show that a directory is an image layout."""


def files_below(
    directory: str, wanted: Callable[[str], bool], enters: Callable[[str], bool] = lambda _: True
) -> Iterator[Found | FoundLayout]:
    """Yield all regular files below a directory whose names are wanted, directory by directory, sorted.

    Hidden files and directories (see `is_hidden`), and links to directories, are skipped. Of image layouts, only the
    directory is yielded. A file or directory that cannot be read is an UnreadEntry.

    Args:
        directory: The path or URL of the directory.
        wanted: Whether files of a name are wanted.
        enters: Whether a directory, given its path or URL, is searched.

    Raises:
        NotFoundError: There is no such directory.
        FileError: The URL cannot be used.
        MissingLibraryError: A library that the URL requires is not installed.
    """
    listing, waiting = listing_of(directory), [""]
    while waiting:
        place = waiting.pop()
        if not enters(listing.source(place)):
            continue
        entries = listed(listing, place, lambda name: wanted(_last(name)) or name in _MARKS)
        entries = [(name, found) for name, found in entries if not is_hidden(name)]
        directories = [name for name, found in entries if _is_directory(found) and not _is_link(found)]
        if has_layout([name for name, found in entries if not _is_directory(found)], directories):
            yield FoundLayout(listing.source(place))
            continue
        yield from (found for name, found in entries if (not name or wanted(_last(name))) and _is_readable(found))
        waiting += [f"{place}{name}/" for name in reversed(directories)]


def matches(pattern: str) -> Iterator[Found]:
    """Yield the regular files and directories whose paths or URLs match a pattern (`*`, `?`, `[...]`, `**`), sorted.

    `**` matches any number of directories, but not links to directories; at the end, it matches all files below. Hidden
    names (see `is_hidden`) match only if the part of the pattern begins like them. A file or directory that matches
    or must be searched, and cannot be read, is an UnreadEntry.

    Raises:
        FileError: The URL cannot be used.
        MissingLibraryError: A library that the URL requires is not installed.
    """
    start, parts = _split(pattern)
    try:
        found = {each.source: each for each in _matching(listing_of(start), parts)}
    except GONE:
        return
    yield from (found[source] for source in sorted(found))


def _split(pattern: str) -> tuple[str, list[str]]:
    """Return the path or URL of the directory to search, and the components of the pattern below it.

    The slashes of empty components, which keys on object storage may have, belong to the component that follows.
    """
    path, query = without_query(pattern)
    root = re.match(r"(?:[^/]*://(?:[^/]*@[^/]*)?)?/*" if is_source_url(path) else "/*", path)
    head = root[0] if root else ""
    parts = [part for part in _SEPARATOR.split(path[len(head) :]) if part]
    count = next((at for at, part in enumerate(parts) if is_pattern(part)), len(parts))
    return f"{head}{'/'.join(parts[:count])}{query}", parts[count:]


def _matching(listing: Listing, parts: list[str]) -> Iterator[Found]:
    waiting, seen = [("", 0)], set[tuple[str, int]]()
    while waiting:
        step = place, at = waiting.pop()
        if step in seen:
            continue
        seen.add(step)
        part, is_last = parts[at], at + 1 == len(parts)
        if part == _DEEP and not is_last:
            waiting.append((place, at + 1))
        for name, found in _candidates(listing, place, part, is_last=is_last):
            if _is_directory(found) and not (is_last and part != _DEEP):
                if part != _DEEP or not _is_link(found):
                    waiting.append((f"{place}{name}/", at + (part != _DEEP)))
            elif isinstance(found, UnreadEntry) or (is_last and not found.is_special):
                yield found


def _candidates(listing: Listing, place: str, part: str, *, is_last: bool) -> list[tuple[str, Found]]:
    """Return the entries of a directory that match a component of a pattern; links to directories are included."""
    if part == _DEEP:
        return [each for each in listed(listing, place, lambda _: is_last) if not is_hidden(each[0])]
    if is_pattern(part):
        return [each for each in listed(listing, place, partial(_fits, part)) if not each[0] or _fits(part, each[0])]
    found = found_at(listing, place + part)
    return [] if found is None else [(part, found)]


def _fits(part: str, name: str) -> bool:
    return fnmatchcase(name, part) and not is_hidden(name, part.lstrip("/")[:1])


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _is_directory(found: Found) -> bool:
    return isinstance(found, StoredFile) and found.is_directory


def _is_link(found: Found) -> bool:
    return isinstance(found, StoredFile) and found.is_link


def _is_readable(found: Found) -> bool:
    """Return whether something is to be read: a regular file, or what shows by its error that it cannot be read."""
    return isinstance(found, UnreadEntry) or not (found.is_directory or found.is_special)
