"""Dumps of documents, one a line (JSON Lines): millions of them, in constant memory, on several processors.

A line is a document, or an object that has the document in a named member: as text (then it is exact) or as JSON.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import orjson

from dreg_client.errors import WorkerKilledError
from dreg_client.models import rules
from dreg_client.models.limits import MAX_DOCUMENT
from dreg_client.validation.report import Report, validate
from dreg_client.values.digest import Digest
from dreg_client.values.sizes import MEBIBYTE

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

PART: Final = 4 * MEBIBYTE
_LONGEST_LINE: Final = 8 * MAX_DOCUMENT
_WAITING: Final = 3
"""How many stretches are handed out for each process: enough that none waits, few enough for flat memory."""
_MOST_REPORTS: Final = 1000
"""How many documents with problems a part tells of."""


@dataclass(frozen=True, slots=True)
class LineRules:
    """How the lines of a dump are read.

    Attributes:
        field: The member that holds the document; empty: the line itself is the document.
        media_type_field: The member that says what it was served as; empty: none does.
        kind: What each document must be; None: each says what it is.
        pedantic: Whether notes are reported, too.
        media_type: What each document was served as, where no member says so; empty: not known.
    """

    field: str = ""
    media_type_field: str = ""
    kind: str | None = None
    pedantic: bool = False
    media_type: str = ""


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
    if len(line) >= _LONGEST_LINE:
        return _refused(line, "GEN-05", f"a line of {len(line)} bytes or more", f"at most {_LONGEST_LINE} bytes")
    if not how.field:
        return validate(line, kind=how.kind, media_type=how.media_type or None, pedantic=how.pedantic)
    expected = f"a JSON object a line, with a document in {how.field!r}"
    try:
        wrapper = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _refused(line, "GEN-01", "no JSON", expected)
    if not isinstance(wrapper, dict) or how.field not in wrapper:
        return _refused(line, "GEN-01", "a line without that member", expected)
    members = cast("dict[str, object]", wrapper)
    held, served = members[how.field], members.get(how.media_type_field)
    raw = held if isinstance(held, str) else orjson.dumps(held)
    media_type = served if isinstance(served, str) else how.media_type
    return validate(raw, kind=how.kind, media_type=media_type or None, pedantic=how.pedantic)


def _refused(line: bytes, rule: str, found: str, expected: str) -> Report:
    return Report(None, Digest.of(line), len(line), (rules.error(rule, "$", found, expected),))


def validate_file(path: str | os.PathLike[str], how: LineRules = _PLAIN, *, jobs: int = 1) -> Iterator[DumpPart]:
    """Validate a dump of any length, a part at a time, in constant memory.

    Args:
        path: The file; one document a line. It must be a regular file: for a stream there is `validate_lines`.
        how: Where in a line the document stands, and what it must be.
        jobs: How many processes work side by side. Each is handed stretches of the file, never lines.

    Yields:
        The parts in the file's order, with the numbers of lines as they are in the file.

    Raises:
        OSError: The file cannot be read.
        WorkerKilledError: A worker process was killed.
    """
    size = Path(path).stat().st_size
    stretches = ((start, min(start + PART, size)) for start in range(0, size, PART))
    parts = _one_by_one if jobs == 1 else _side_by_side
    line = 0
    for part in parts(os.fspath(path), stretches, how, jobs):
        moved = tuple(replace(report, line=report.line + line) for report in part.reports)
        yield replace(part, reports=moved)
        line += part.lines


def _one_by_one(path: str, stretches: Iterator[tuple[int, int]], how: LineRules, _jobs: int) -> Iterator[DumpPart]:
    for start, stop in stretches:
        reached = start
        while reached < stop:
            part = _validate_stretch(path, reached, stop, how)
            yield part
            reached = part.stop


def _side_by_side(path: str, stretches: Iterator[tuple[int, int]], how: LineRules, jobs: int) -> Iterator[DumpPart]:
    # Imported here: it brings in multiprocessing, which a dump on one processor has no use for.
    from concurrent.futures import Future, ProcessPoolExecutor  # noqa: PLC0415
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415

    pool = ProcessPoolExecutor(jobs)
    waiting: deque[tuple[Future[DumpPart], int]] = deque()
    try:
        for start, stop in stretches:
            waiting.append((pool.submit(_validate_stretch, path, start, stop, how), stop))
            while len(waiting) >= jobs * _WAITING:
                yield from _next_part(pool, waiting, path, how)
        while waiting:
            yield from _next_part(pool, waiting, path, how)
    except BrokenProcessPool:
        reason = "a process that validated it was killed, perhaps for want of memory; try again with fewer jobs"
        raise WorkerKilledError(path, reason) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _next_part(
    pool: "ProcessPoolExecutor", waiting: "deque[tuple[Future[DumpPart], int]]", path: str, how: LineRules
) -> Iterator[DumpPart]:
    """The first part that is waited for; what it left of its stretch comes next."""
    future, stop = waiting.popleft()
    part = future.result()
    if part.stop < stop:
        waiting.appendleft((pool.submit(_validate_stretch, path, part.stop, stop, how), stop))
    yield part


def _validate_stretch(path: str, start: int, stop: int, how: LineRules) -> DumpPart:
    """The lines that begin within the stretch, but not more than so many that have problems."""
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
            if len(reports) == _MOST_REPORTS:
                stop = min(stop, dump.tell())
                break
    return DumpPart(start, stop, documents, valid, lines, tuple(reports))


def _lines_between(dump: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """The lines that begin from `start` on and before `stop`."""
    lines = bounded_lines(dump)
    if start:
        dump.seek(start - 1)
        next(lines, None)
    while dump.tell() < stop and (line := next(lines, b"")):
        yield line


def bounded_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a stream, read in bounded memory: of one that is too long for any document, its beginning."""
    while line := stream.readline(_LONGEST_LINE):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(_LONGEST_LINE)
        yield line
