"""Find report files and read their sums: those of `dreg validate`, and of engines that write the same columns."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final

from dreg_client.errors import MissingLibraryError
from dreg_client.files.regular import open_regular
from dreg_client.partitions.file_sums import FileSums, NotAReportError
from dreg_client.partitions.line_reports import read_lines

_LINES: Final = (".jsonl", ".ndjson")
_ENDINGS: Final = (".parquet", *_LINES)
_MAGIC: Final = b"PAR1"
_HIDDEN: Final = ("_", ".")


def report_files(source: str) -> Iterator[str]:
    """Yield a file, or the report files in a folder and below, in order.

    Names that begin with `_` or `.` are skipped, as Spark and pyarrow do.

    Raises:
        OSError: The folder cannot be read.
    """
    if not Path(source).is_dir():
        yield source
        return
    waiting = [source]
    while waiting:
        place = waiting.pop()
        with os.scandir(place) as entries:
            found = sorted((it for it in entries if not it.name.startswith(_HIDDEN)), key=lambda it: it.name)
        yield from (it.path for it in found if it.name.endswith(_ENDINGS) and not it.is_dir())
        waiting += (it.path for it in reversed(found) if it.is_dir(follow_symlinks=False))


def read_report(name: str) -> FileSums:
    """Return the sums of a report file.

    Raises:
        NotAReportError: The file contains no reports.
        FileError: It is damaged, or not a regular file.
        OSError: It cannot be read.
        MissingLibraryError: It is a Parquet file, and pyarrow is not installed.
    """
    with closing(open_regular(name)) as file:
        return replace(_reader(file, name)(file, name), size=file.seek(0, os.SEEK_END))


def _reader(file: BinaryIO, name: str) -> Callable[[BinaryIO, str], FileSums]:
    head = _head(file)
    if head[:1] == b"{" or (not head and name.endswith(_LINES)):
        return read_lines
    if head != _MAGIC and not name.endswith(".parquet"):
        raise NotAReportError("is not a report: it is neither a Parquet file nor JSON Lines")
    return _parquet_reader()


def _head(file: BinaryIO) -> bytes:
    head = file.read(len(_MAGIC))
    file.seek(0)
    return head


@cache
def _parquet_reader() -> Callable[[BinaryIO, str], FileSums]:
    try:
        from dreg_client.partitions.parquet_reports import read_parquet  # noqa: PLC0415 (pyarrow is optional)
    except ModuleNotFoundError as failure:
        if failure.name != "pyarrow":
            raise
        raise MissingLibraryError("pyarrow", "arrow") from None
    return read_parquet
