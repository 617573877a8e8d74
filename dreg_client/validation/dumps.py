"""Validate dumps with one document per line (JSON Lines): millions of them, in constant memory, in several processes.

A line is a document, or an object with the document in a named member, either as text (then it is exact) or as JSON.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Final, cast

import orjson

from dreg_client.errors import WorkerKilledError
from dreg_client.models import rules
from dreg_client.validation.report import Report, validate
from dreg_client.values.digest import Digest
from dreg_client.values.sizes import MAX_DOCUMENT, MEBIBYTE

PART: Final = 4 * MEBIBYTE
_LONGEST_LINE: Final = 8 * MAX_DOCUMENT
_ENOUGH: Final = 2
"""The number of lines that tell a dump from an indented document."""
_MOST_EMPTY: Final = 100
"""The most lines, with the empty ones, in which those two are looked for."""
_WAITING: Final = 3
"""The number of stretches that are queued per process: enough to keep it busy, few enough for constant memory."""
_MOST_REPORTS: Final = 1000
"""The maximum number of documents with problems in a part."""


@dataclass(frozen=True, slots=True)
class LineRules:
    """How to read the lines of a dump.

    Attributes:
        field: The member with the document; if empty, the line itself is the document.
        media_type_field: The member with the media type that it was served with; if empty, there is none.
        kind: The expected kind of each document; if None, each document decides.
        pedantic: Whether to report notes, too.
        media_type: The media type of documents without such a member; empty if unknown.
    """

    field: str = ""
    media_type_field: str = ""
    kind: str | None = None
    pedantic: bool = False
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class LineReport:
    """The report of one line; lines are numbered from 1."""

    line: int
    report: Report


@dataclass(frozen=True, slots=True)
class DumpPart:
    """The results of a stretch of a dump, in order.

    Attributes:
        start: The offset in the file at which the stretch begins, in bytes.
        stop: The offset at which it ends.
        documents: The number of lines with a document; empty lines have none.
        valid: The number of documents without errors.
        lines: The number of lines.
        reports: The reports of documents with problems.
    """

    start: int
    stop: int
    documents: int
    valid: int
    lines: int
    reports: tuple[LineReport, ...]


_PLAIN: Final = LineRules()


def validate_lines(lines: Iterable[bytes], how: LineRules = _PLAIN) -> Iterator[LineReport]:
    """Validate one document per line; empty lines are skipped.

    Arguments and results can be pickled, so the function can run on several machines.

    Args:
        lines: The lines, with or without line feeds.
        how: Where a line has its document, and the expected kind.

    Returns:
        A report for each line that is not empty, one by one.

    Raises:
        TypeError: `lines` is something else, such as a path; or, once it is reached, a line is not bytes.
    """
    if not _are_lines(lines):
        raise TypeError("lines are an iterable of bytes, such as open(path, 'rb'); validate_file takes a path")
    return _reports(lines, how)


def _are_lines(given: object) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, str | bytes)


def _reports(lines: Iterable[bytes], how: LineRules) -> Iterator[LineReport]:
    for number, line in enumerate(lines, 1):
        if not isinstance(line, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a line is bytes, not {type(line).__name__}; open the file with 'rb'")
        if stripped := line.strip():
            yield LineReport(number, validate_line(stripped, how))


def validate_line(line: bytes, how: LineRules = _PLAIN) -> Report:
    """Validate one line of a dump."""
    if len(line) >= _LONGEST_LINE:
        return _refused(line, "GEN-05", f"a line of {len(line)} bytes or more", f"at most {_LONGEST_LINE} bytes")
    raw: bytes | str = line
    media_type = how.media_type
    if how.field:
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
        media_type = served if isinstance(served, str) else media_type
    return validate(raw, kind=how.kind, media_type=media_type or None, pedantic=how.pedantic)


def _refused(line: bytes, rule: str, found: str, expected: str) -> Report:
    return Report(None, Digest.of(line), len(line), (rules.error(rule, "$", found, expected),))


def validate_file(path: str | os.PathLike[str], how: LineRules = _PLAIN, *, jobs: int = 1) -> Iterator[DumpPart]:
    """Validate a dump of any length in parts and in constant memory, or a file with a single document.

    A file has a single document if its first line only begins one, as in indented JSON. The report is then that of
    line 1, and the digest is that of the file.

    Args:
        path: The file, with one document per line. It must be a regular file; use `validate_lines` for a stream.
        how: Where a line has its document, and the expected kind.
        jobs: The number of processes. Each reads stretches of the file.

    Returns:
        The parts in the order of the file, with the line numbers of the file, one by one.

    Raises:
        TypeError: `path` is not a path.
        OSError: The file cannot be read. This and the next are raised with the first part, or later.
        WorkerKilledError: A worker process was killed.
    """
    if not isinstance(path, str | os.PathLike):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(
            f"validate_file takes the path of a file, not {type(path).__name__}; validate_lines takes lines"
        )
    return _parts(path, how, jobs)


def _parts(path: str | os.PathLike[str], how: LineRules, jobs: int) -> Iterator[DumpPart]:
    size = Path(path).stat().st_size
    stretches = ((start, min(start + PART, size)) for start in range(0, size, PART))
    name, line = os.fspath(path), 0
    with Path(path).open("rb") as file:
        document, _ = whole_document(bounded_lines(file))
    if document is not None:
        yield _part_of(document, size, how)
        return
    for part in _one_by_one(name, how, stretches) if jobs == 1 else _side_by_side(name, how, stretches, jobs):
        moved = tuple(replace(report, line=report.line + line) for report in part.reports)
        yield replace(part, reports=moved)
        line += part.lines


def _part_of(document: bytes, size: int, how: LineRules) -> DumpPart:
    """Return the result of a file with a single document."""
    report = validate_line(document, how)
    reports = (LineReport(1, report),) if report.problems else ()
    return DumpPart(0, size, 1, int(report.ok), document.count(b"\n") + 1, reports)


def _one_by_one(path: str, how: LineRules, stretches: Iterator[tuple[int, int]]) -> Iterator[DumpPart]:
    for start, stop in stretches:
        reached = start
        while reached < stop:
            part = _validate_stretch(path, how, reached, stop)
            yield part
            reached = part.stop


def _side_by_side(path: str, how: LineRules, stretches: Iterator[tuple[int, int]], jobs: int) -> Iterator[DumpPart]:
    # Imported here, since it imports multiprocessing, which a single process does not need.
    from concurrent.futures import Future, ProcessPoolExecutor  # noqa: PLC0415
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415

    pool = ProcessPoolExecutor(jobs)
    validate_stretch = partial(_validate_stretch, path, how)
    waiting: deque[tuple[Future[DumpPart], int]] = deque()
    try:
        while True:
            for start, stop in islice(stretches, jobs * _WAITING - len(waiting)):
                waiting.append((pool.submit(validate_stretch, start, stop), stop))
            if not waiting:
                break
            future, stop = waiting.popleft()
            part = future.result()
            if part.stop < stop:  # it has as many reports as a part may have: the rest comes next
                waiting.appendleft((pool.submit(validate_stretch, part.stop, stop), stop))
            yield part
    except BrokenProcessPool:
        reason = "a process that validated it was killed, perhaps for want of memory; try again with fewer jobs"
        raise WorkerKilledError(path, reason) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _validate_stretch(path: str, how: LineRules, start: int, stop: int) -> DumpPart:
    """Validate the lines that begin in the stretch, up to the maximum number of reports."""
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
    """Yield the lines that begin at or after `start` and before `stop`."""
    lines = bounded_lines(dump)
    if start:
        dump.seek(start - 1)
        next(lines, None)
    while dump.tell() < stop and (line := next(lines, b"")):
        yield line


def bounded_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a stream in bounded memory; a line that is too long for a document is cut."""
    while line := stream.readline(_LONGEST_LINE):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(_LONGEST_LINE)
        yield line


def whole_document(lines: Iterator[bytes]) -> tuple[bytes | None, Iterator[bytes]]:
    """Return the document that all lines together are, None if each line has its own; and all lines, to go on with.

    A document that is too long is cut, but not so much that it would pass as one that is not.
    """
    first: list[bytes] = []
    texts: list[bytes] = []
    for line in islice(lines, _MOST_EMPTY):
        first.append(line)
        texts += filter(None, [line.strip()])
        if len(texts) == _ENOUGH:
            break
    every = chain(first, lines)
    if not _begin_document(texts):
        return None, every
    octets = bytearray()
    for line in every:
        octets += line
        if len(octets) >= _LONGEST_LINE:
            break
    return bytes(octets), iter(())


def _begin_document(texts: list[bytes]) -> bool:
    """Return whether the first two lines are of one document: lines of a dump begin with `{`, and end where it ends."""
    if len(texts) < _ENOUGH or texts[0][:1] not in {b"{", b"["} or (texts[0][:1] == b"{" and texts[1][:1] not in b'"}'):
        return False
    try:
        orjson.loads(texts[0])
    except orjson.JSONDecodeError:
        return True
    return False
