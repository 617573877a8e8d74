"""The check of the uploads of a repository in the storage of a registry (STO-04)."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Final

from dreg_client import errors
from dreg_client.files.at_once import map_at_once
from dreg_client.files.held_directory import HeldDirectory
from dreg_client.models import rules
from dreg_client.validation.report import FileReport
from dreg_client.validation.storage_entries import file_report
from dreg_client.validation.storage_places import RepositoryPlaces
from dreg_client.values.timestamp import Timestamp, is_timestamp

YOUNG: Final = 3600.0
"""Seconds for which an upload may last, and for which a blob may wait for its manifest, without a warning."""
_LONGEST_DATE: Final = 1024


def unfinished_uploads(places: RepositoryPlaces, now: float) -> Iterator[FileReport]:
    """Report uploads that have not ended (STO-04), with their bytes. `now` is in seconds since 1970."""
    try:
        with HeldDirectory(places.tree.files, f"{places.root}/_uploads") as held:
            names = yield from places.directories(held, "_uploads")
            for found in map_at_once(partial(_upload, places, held, now), names, places.tree.files.at_once):
                if isinstance(found, errors.LayoutError):
                    places.reach.note_unread(found)
                elif found is not None:
                    yield found
    except errors.LayoutError as failure:
        places.reach.note_unread(failure)


def _upload(
    places: RepositoryPlaces, held: HeldDirectory, now: float, name: str
) -> FileReport | errors.LayoutError | None:
    """Return the report of an upload; None if it has ended meanwhile."""
    try:
        started, data = _started(held, name), held.status(name, "data")
        if not held.has(name):
            return None
    except errors.LayoutError as failure:
        return failure
    size = data.size if data else 0
    if started is None and data:
        started = data.modified
    is_young = started is not None and now - started < YOUNG
    began = "began at an unknown time" if started is None else f"began {ago(now - started)} ago"
    verdict = rules.note if is_young else rules.warning
    problem = verdict("STO-04", "$", f"an upload of {size} bytes that {began}", "a completed or cancelled upload")
    return file_report(places.path(f"_uploads/{name}"), problem, size=size)


def _started(held: HeldDirectory, name: str) -> float | None:
    """Return when an upload began, in seconds since 1970; None if it does not state it."""
    with suppress(FileNotFoundError, errors.UnsafePathError, errors.ResponseTooLargeError):
        text = held.read(name, "startedat", limit=_LONGEST_DATE).decode("ascii", "replace").strip()
        if is_timestamp(text):
            return Timestamp(text).datetime.timestamp()
    return None


def ago(seconds: float) -> str:
    """Return an age in the largest unit of which there are two or more.

    Examples:
        >>> ago(7200), ago(90_000), ago(1_000_000)
        ('2 hours', '25 hours', '11 days')
    """
    for name, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {name}"
    return f"{max(int(seconds), 0)} seconds"
