"""Find report files and read their sums: those of `dreg validate`, and of engines that write the same columns."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import cache
from itertools import chain
from typing import BinaryIO, Final

from dreg_client.errors import DregError, FileError
from dreg_client.files.compressed import BrokenStreamError
from dreg_client.files.forward import buffered, plain_stream
from dreg_client.files.lines import PARQUET_MAGIC
from dreg_client.files.places import (
    Found,
    FoundLayout,
    StoredFile,
    UnreadEntry,
    find_source,
    is_pattern,
    open_source,
)
from dreg_client.files.search import files_below, matches
from dreg_client.partitions.input.formats import format_of
from dreg_client.partitions.report.json_lines import read_lines
from dreg_client.partitions.report.sums import FileSums, NotAReportError
from dreg_client.values.source_url import shown_source

_FORMATS: Final = ("json-lines", "parquet")


def report_files(source: str, on_unread: Callable[[UnreadEntry], None]) -> Iterator[str]:
    """Yield the report files that a path, a URL or a pattern names: a file, or those in a folder and below, in order.

    Names that begin with `.` or `_` are skipped in folders. `on_unread` is called with each file and
    directory that is found and cannot be read.

    Raises:
        OSError: The path does not exist, or cannot be read.
        NotFoundError: There is nothing at the URL.
        FileError: The URL cannot be read.
        MissingLibraryError: The library for the URL is not installed.
    """
    try:
        places: list[Found] = [find_source(source)]
    except (DregError, OSError):
        if not is_pattern(source) or not (places := [*matches(source)]):
            raise
    for found in chain.from_iterable(map(_in_place, places)):
        if isinstance(found, StoredFile):
            yield found.source
        elif isinstance(found, UnreadEntry):
            on_unread(found)


def _in_place(place: Found) -> Iterator[Found | FoundLayout]:
    if isinstance(place, StoredFile) and place.is_directory:
        return files_below(place.source, _may_have_reports)
    return iter((place,))


def _may_have_reports(name: str) -> bool:
    found = format_of(name)
    return found is not None and found[0] in _FORMATS


def read_report(name: str) -> FileSums:
    """Return the sums of a report file, given its path or URL.

    Raises:
        NotAReportError: The file contains no reports.
        FileError: It is damaged, or not a regular file, or its URL cannot be read.
        OSError: It cannot be read.
        MissingLibraryError: It is a Parquet file, and pyarrow is not installed.
    """
    shown = shown_source(name)
    with closing(open_source(name)) as file:
        head = file.read(len(PARQUET_MAGIC))
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if head == PARQUET_MAGIC or format_of(name) == ("parquet", ""):
            return replace(_parquet_reader()(file, shown), size=size)
        try:
            return replace(_sums_of_lines(file, shown, head), size=size)
        except BrokenStreamError as failure:
            raise FileError(shown, str(failure)) from None


def _sums_of_lines(file: BinaryIO, name: str, head: bytes) -> FileSums:
    lines = buffered(plain_stream(file))
    if head.lstrip()[:1] not in {b"{", b""} and lines is file:
        raise NotAReportError("is not a report: it is neither a Parquet file nor JSON Lines")
    return read_lines(lines, name)


@cache
def _parquet_reader() -> Callable[[BinaryIO, str], FileSums]:
    from dreg_client.partitions.report.parquet import read_parquet  # noqa: PLC0415 (pyarrow is optional)

    return read_parquet
