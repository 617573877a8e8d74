"""Dumps of documents, one a line (JSON Lines): millions of them, in constant memory, on several processors.

A line is a document, or an object that has the document in a named member: as text (then it is exact) or as JSON.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from dreg_client.models import rules
from dreg_client.models.stored import MAX_DOCUMENT, MEBIBYTE
from dreg_client.models.validation import Report, validate
from dreg_client.values.digest import Digest

PART: Final = 4 * MEBIBYTE
_LONGEST_LINE: Final = 8 * MAX_DOCUMENT
_WAITING: Final = 3


@dataclass(frozen=True, slots=True)
class LineRules:
    """How the lines of a dump are read.

    Attributes:
        field: The member that holds the document; empty: the line itself is the document.
        media_type_field: The member that says what it was served as; empty: none does.
        kind: What each document must be; None: each says what it is.
        pedantic: Whether notes are reported, too.
    """

    field: str = ""
    media_type_field: str = ""
    kind: str | None = None
    pedantic: bool = False


@dataclass(frozen=True, slots=True)
class LineReport:
    """What came of one line; lines count from 1."""

    line: int
    report: Report


@dataclass(frozen=True, slots=True)
class DumpPart:
    """What came of a stretch of a dump, in order.

    Attributes:
        start: Where in the file the stretch begins, in bytes.
        stop: Where it ends.
        documents: The number of its lines that hold a document; empty lines do not.
        valid: How many of them have no error.
        lines: The number of its lines.
        reports: Those of the documents that have problems.
    """

    start: int
    stop: int
    documents: int
    valid: int
    lines: int
    reports: tuple[LineReport, ...]


_PLAIN: Final = LineRules()


def validate_lines(lines: Iterable[bytes], how: LineRules = _PLAIN) -> Iterator[LineReport]:
    """Validate a document a line; empty lines are passed over.

    A plain function from lines to results, all of which pickle: hand it to whatever runs work on many machines.

    Args:
        lines: The lines, with or without their line feeds.
        how: Where in a line the document stands, and what it must be.

    Yields:
        A report for each line that is not empty.
    """
    for number, line in enumerate(lines, 1):
        if stripped := line.strip():
            yield LineReport(number, validate_line(stripped, how))


def validate_line(line: bytes, how: LineRules = _PLAIN) -> Report:
    """Validate one line of a dump."""
    if not how.field:
        return validate(
            line, kind=how.kind, pedantic=how.pedantic, limit=_LONGEST_LINE if not how.kind else MAX_DOCUMENT
        )
    try:
        wrapper = orjson.loads(line)
        held = wrapper[how.field]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        found = "a line without it"
        problem = rules.error("GEN-01", "$", found, f"a JSON object a line, with the document in {how.field!r}")
        return Report(None, Digest.of(line), len(line), (problem,))
    raw = held if isinstance(held, str) else orjson.dumps(held)
    served = wrapper.get(how.media_type_field) if how.media_type_field else None
    media_type = served if isinstance(served, str) else None
    return validate(raw, kind=how.kind, media_type=media_type, pedantic=how.pedantic)


def validate_file(path: str | os.PathLike[str], how: LineRules = _PLAIN, *, jobs: int = 1) -> Iterator[DumpPart]:
    """Validate a dump of any length, a part at a time, in constant memory.

    Args:
        path: The file; one document a line.
        how: Where in a line the document stands, and what it must be.
        jobs: How many processes work side by side. Each is handed stretches of the file, never lines.

    Yields:
        The parts in the file's order, with the numbers of lines as they are in the file.

    Raises:
        OSError: The file cannot be read.
    """
    size = Path(path).stat().st_size
    stretches = ((start, min(start + PART, size)) for start in range(0, size, PART))
    line = 0
    for part in _parts(os.fspath(path), stretches, how, jobs):
        moved = tuple(replace(report, line=report.line + line) for report in part.reports)
        yield replace(part, reports=moved)
        line += part.lines


def _parts(path: str, stretches: Iterator[tuple[int, int]], how: LineRules, jobs: int) -> Iterator[DumpPart]:
    if jobs == 1:
        yield from (_validate_stretch(path, start, stop, how) for start, stop in stretches)
        return
    with ProcessPoolExecutor(jobs) as pool:
        waiting: deque[Future[DumpPart]] = deque()
        for start, stop in stretches:
            waiting.append(pool.submit(_validate_stretch, path, start, stop, how))
            if len(waiting) >= jobs * _WAITING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _validate_stretch(path: str, start: int, stop: int, how: LineRules) -> DumpPart:
    """The lines that begin within the stretch."""
    documents = valid = lines = 0
    reports: list[LineReport] = []
    with Path(path).open("rb") as dump:
        for line in _lines_between(dump, start, stop):
            lines += 1
            if stripped := line.strip():
                documents += 1
                report = validate_line(stripped, how)
                valid += report.ok
                if report.problems:
                    reports.append(LineReport(lines, report))
    return DumpPart(start, stop, documents, valid, lines, tuple(reports))


def _lines_between(dump: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    if start:
        dump.seek(start - 1)
        dump.readline()
    while dump.tell() < stop and (line := dump.readline(_LONGEST_LINE)):
        yield line
        while not line.endswith(b"\n") and (line := dump.readline(_LONGEST_LINE)):
            pass
