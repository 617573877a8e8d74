"""Read all report files of `dreg report`, and add up their sums."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from errno import ENOENT
from itertools import islice
from typing import Any, Final, TypeAlias, cast

import click

from dreg_client.cli.error_messages import Failures, exit_code_of_sources, plain_failure
from dreg_client.cli.fan_out import map_in_threads
from dreg_client.cli.output import decodable, put_error, visible
from dreg_client.cli.progress import progress
from dreg_client.cli.summary_text import summary_lines
from dreg_client.errors import DregError
from dreg_client.files.places import UnreadEntry, find_source
from dreg_client.partitions.report.folder import folder_at
from dreg_client.partitions.report.marks import ReportsDigest, report_mark
from dreg_client.partitions.report.read import read_report, report_files
from dreg_client.partitions.report.sums import FileSums, NotAReportError
from dreg_client.partitions.run.reading import ProcessKilledError, ReadingProcess, killed
from dreg_client.partitions.run.state import why_incomplete
from dreg_client.partitions.summary import Summary
from dreg_client.values.source_url import is_source_url, shown_source, without_query

_MOST_REQUESTS: Final = 16
_BATCH: Final = 16
_MOST_LISTED: Final = 1_000
"""The failed partitions and the damaged files of which the reason is kept; the others are counted."""


@dataclass(slots=True)
class ReportSums:
    """The sums of all reports. Their memory does not grow with the number of files."""

    sources: tuple[str, ...]
    files: int = 0
    summary: Summary = field(default_factory=Summary)
    failed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    failed_omitted: int = 0
    unread: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    unread_omitted: int = 0
    incomplete: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    codes: set[int] = field(default_factory=set[int])

    def add(self, sums: FileSums) -> None:
        """Add the sums of a file."""
        self.files += 1
        self.summary.merge(sums.summary, sums.position)
        kept = sums.failed[: _MOST_LISTED - len(self.failed)]
        self.failed += kept
        self.failed_omitted += len(sums.failed) - len(kept) + sums.omitted

    def add_unread(self, name: str, failure: Exception, code: int) -> None:
        """Add a file that could not be read."""
        self.codes.add(code)
        if len(self.unread) < _MOST_LISTED:
            self.unread.append({"source": decodable(name), **plain_failure(failure)})
        else:
            self.unread_omitted += 1

    @property
    def exit_code(self) -> int:
        """5 if a report is damaged; otherwise the code that all files share, or 1 if some were not read."""
        return exit_code_of_sources(self.codes, has_errors=False, read_any=bool(self.files))

    def lines(self) -> Iterator[str]:
        """Yield the sums as text."""
        return summary_lines(self.summary, self.failed, self.failed_omitted)

    def plain(self) -> dict[str, Any]:
        """Return the sums as JSON values."""
        return {
            "sources": [*map(decodable, self.sources)],
            "files": self.files,
            **_decodable(self.summary.plain()),
            "failed": [{"partition": decodable(name), "reason": decodable(reason)} for name, reason in self.failed],
            "failedOmitted": self.failed_omitted,
            "unread": self.unread,
            "unreadOmitted": self.unread_omitted,
            "incomplete": self.incomplete,
        }


def _decodable(value: object) -> Any:  # noqa: ANN401 (any JSON value)
    match value:
        case str():
            return decodable(value)
        case dict():
            return {name: _decodable(member) for name, member in cast("dict[str, object]", value).items()}
        case list():
            return [*map(_decodable, cast("list[object]", value))]
        case _:
            return value


def read_sums(sources: Sequence[str], *, as_json: bool) -> ReportSums:
    """Read all reports in some files and folders; write errors of single files to standard error."""
    sums, failures = ReportSums(tuple(map(shown_source, sources))), Failures(as_json=as_json)
    with closing(ReadingProcess(_read)) as reading:
        for source, shown in zip(sources, sums.sources, strict=True):
            before = sums.files
            found = _add_all(sums, failures, shown, _each(source, reading))
            if sums.files > before and (reason := _why_incomplete(source, found)) is not None:
                put_error(f"dreg: warning: {visible(shown)}: {reason}")
                sums.incomplete.append({"source": decodable(shown), "reason": reason})
    return sums


def _add_all(
    sums: ReportSums, failures: Failures, shown: str, files: Iterable[tuple[str, FileSums | Exception]]
) -> ReportsDigest:
    """Add all files of a source; return those that are reports of partitions, directly in it if it is a folder."""
    reports = ReportsDigest()
    with progress(shown, lambda: 0) as advance:
        for name, found in files:
            if isinstance(found, FileSums):
                sums.add(found)
                advance(found.size)
                file = _name_in(shown, name)
                if found.run_token is not None and "/" not in file:
                    reports.add(report_mark(file, found.run_token))
            else:
                sums.add_unread(name, found, failures.put(found, name))
    return reports


def _name_in(folder: str, file: str) -> str:
    """Return the path of a file relative to its folder; the path itself if it is not in this folder."""
    return without_query(file)[0].removeprefix(f"{without_query(folder)[0].rstrip('/')}/")


def _why_incomplete(source: str, reports: ReportsDigest) -> str | None:
    """Return why the reports in a folder are not those of a complete run, if it states one."""
    try:
        if not find_source(source).is_directory:
            return None
        return why_incomplete(folder_at(source), reports)
    except (DregError, OSError):  # such as a pattern; the reports themselves were read
        return None


def _each(source: str, reading: "ReportReading") -> Iterator[tuple[str, FileSums | Exception]]:
    """Yield the sums of each report in a file or folder, or why it was not read."""
    shown = shown_source(source)
    unread: list[UnreadEntry] = []
    names = report_files(source, unread.append)
    is_empty = True
    try:
        # Each file of a URL takes some requests, so many are read at once. Local ones would only wait for each other.
        at_once = _MOST_REQUESTS if is_source_url(source) else 1
        while batch := (*islice(names, at_once * _BATCH),):
            is_empty = False
            yield from zip(map(shown_source, batch), outcomes(reading, batch, at_once), strict=True)
    except (DregError, OSError) as failure:
        yield shown, failure
        return
    yield from ((shown_source(each.source), each.failure) for each in unread)
    if is_empty and not unread:
        reason = "no reports found: no *.parquet or *.jsonl files, except for names that begin with _ or ."
        yield shown, FileNotFoundError(ENOENT, reason, shown)


def outcomes(reading: "ReportReading", names: tuple[str, ...], at_once: int) -> Iterator[FileSums | Exception]:
    """Yield the sums of each file, or why it was not read, in order.

    If the process that reads several of them ends, they are read again one by one, to find the file that ends it.
    """
    try:
        [found] = reading.results(ReportFiles(names, at_once))
        yield from found
    except ProcessKilledError:
        if len(names) == 1:
            yield killed(names[0])
            return
        for name in names:
            yield from outcomes(reading, (name,), 1)


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Report files, and how many of them are read at once."""

    names: tuple[str, ...]
    at_once: int


ReportReading: TypeAlias = ReadingProcess[ReportFiles, tuple[FileSums | Exception, ...]]


def _read(files: ReportFiles) -> Iterator[tuple[FileSums | Exception, ...]]:
    """Read report files in a process of its own: pyarrow ends the process on some that are damaged."""
    many = files.at_once > 1
    yield tuple(map_in_threads(_sums_of, files.names, files.at_once) if many else map(_sums_of, files.names))


def _sums_of(name: str) -> FileSums | Exception:
    try:
        return read_report(name)
    except NotAReportError as failure:
        return click.UsageError(f"{shown_source(name)} {failure}")
    except (DregError, OSError) as failure:
        return failure
