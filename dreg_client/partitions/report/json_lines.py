"""Read the sums of the JSON Lines that `dreg validate --format jsonl` writes, line by line."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, cast

from dreg_client.errors import FileError
from dreg_client.errors.problems import Problem
from dreg_client.files.lines import bounded_lines, text_of_line
from dreg_client.partitions.report.sums import FileSums, NotAReportError
from dreg_client.partitions.row import RowReport
from dreg_client.partitions.summary import NOT_STATED, Summary, problem_of
from dreg_client.validation.report import Report
from dreg_client.values.digest import Digest
from dreg_client.values.json_values import has_too_many_values

MOST_FAILED: Final = 1_000
"""The number of failed partitions or sources that are listed; the others are counted."""
_LARGEST: Final = 1 << 48
"""The largest size of a document."""
_LARGEST_SUM: Final = 2**63 - 1
_NO_END: Final = (
    "ends without a summary: the validation was interrupted, or --quiet was given; documents without problems are not "
    "counted"
)
_JOINED: Final = (
    "one of several outputs that were joined is not complete; report each in a file of its own, or validate again"
)
_WRONG: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError)

Json = dict[str, Any]


def read_lines(file: BinaryIO, name: str) -> FileSums:
    """Return the sums of a file that `dreg validate --format jsonl` wrote. It is read in constant memory.

    Several outputs may be joined (`>>`), if each ends with its summary.

    It lists the documents with problems, and the sums of all. Documents without problems may be missing. Earlier
    versions did not state the sums of kinds and sizes; then these documents are counted as `NOT_STATED`, without sizes.

    Raises:
        NotAReportError: Its first line is not one of a report.
        FileError: Another line is not one of a report, or one of several outputs has no summary.
    """
    parts = _Parts(name)
    for number, line in _lines(file):
        try:
            plain = _object(line)
            if "summary" in plain:
                parts.end(number, _End(plain["summary"]))
            else:
                parts.add(plain)
        except _WRONG:
            expected = "a line that `dreg validate --format jsonl` writes"
            if number == 1:
                raise NotAReportError(f"is not a report: its first line is not {expected}") from None
            raise FileError(name, f"line {number} is not {expected}; validate the documents again") from None
    return parts.sums()


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(bounded_lines(file), 1):
        if text_of_line(line):
            yield number, line


def _object(line: bytes) -> Json:
    if has_too_many_values(line):
        raise ValueError
    plain = json.loads(line)
    if not isinstance(plain, dict):
        raise TypeError
    return cast("Json", plain)


class _Parts:
    """The sums of one output, or of several that were joined."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._whole, self._part = Summary(), Summary()
        self._failed: list[tuple[str, str]] = []
        self._omitted = self._last = 0
        self._has_rest = False

    def add(self, plain: Json) -> None:
        """Add a document."""
        self._part.add(_row(plain))
        self._has_rest = True

    def end(self, number: int, end: "_End") -> None:
        """Add the sums at the end of an output, in a line with this number."""
        if not end.may_follow(self._part):
            reason = f"the lines before the summary in line {number} are of more documents than it counts: {_JOINED}"
            raise FileError(self._name, reason)
        end.complete(self._part)
        self._whole.merge(self._part)
        free = MOST_FAILED - len(self._failed)
        self._failed += end.failed[:free]
        self._omitted += end.omitted + len(end.failed[free:])
        self._part, self._last, self._has_rest = Summary(), number, False

    def sums(self) -> FileSums:
        """Return the sums of all outputs."""
        if not self._last:
            return FileSums(self._part, ((self._name, _NO_END),), position=(self._name, 0))
        if self._has_rest:
            raise FileError(self._name, f"the lines after the summary in line {self._last} have none: {_JOINED}")
        return FileSums(self._whole, tuple(self._failed), self._omitted, (self._name, 0))


def _row(plain: Json) -> RowReport:
    """Return the report of a line. Its digest is not checked: it is only shown."""
    source, line, digest = plain["source"], plain["line"] or 0, plain["digest"]
    kind, size = plain["kind"], plain["size"] or 0
    if not (isinstance(source, str) and type(line) is int and type(size) is int and isinstance(plain["ok"], bool)):
        raise TypeError
    if not (line >= 0 and 0 <= size <= _LARGEST):
        raise ValueError
    problems = tuple(map(_problem, plain["problems"]))
    report = Report(None if kind is None else str(kind), cast("Digest", str(digest)), size, problems)
    return RowReport(source, line, report, is_null=digest is None)


def _problem(plain: Json) -> Problem:
    texts = [plain[name] for name in ("rule", "severity", "path", "found", "expected")]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    return problem_of(*texts)


class _End:
    """The last line, with the sums of all documents."""

    def __init__(self, plain: Json) -> None:
        counts: list[int] = [plain[name] for name in ("checked", "valid", "withWarnings")]
        if not all(type(count) is int and 0 <= count <= counts[0] for count in counts):
            raise ValueError
        self._checked, self._valid, self._warned = counts
        self.failed: tuple[tuple[str, str], ...] = tuple(
            (str(unread["source"]), str(unread["message"])) for unread in plain["unread"]
        )
        self.omitted: int = int(plain.get("unreadOmitted", 0))
        self._stated = plain if "kinds" in plain else None
        self._size: int = plain["size"] if self._stated else 0
        if type(self._size) is not int or not 0 <= self._size <= _LARGEST_SUM:
            raise ValueError

    def may_follow(self, listed: Summary) -> bool:
        """Return whether these sums include the documents that are listed."""
        invalid = self._checked - self._valid
        return listed.documents <= self._checked and listed.invalid <= invalid and listed.warned <= self._warned

    def complete(self, summary: Summary) -> None:
        """Add the documents that are not listed."""
        unlisted = self._checked - summary.documents
        summary.documents, summary.valid, summary.warned = self._checked, self._valid, self._warned
        if self._stated is not None:
            summary.size = self._size
            summary.take_kinds(self._stated)
        elif unlisted > 0:
            summary.add_kind(NOT_STATED, unlisted)
