"""Validate dumps with one document per line (JSON Lines), in constant memory and optionally in several processes.

A line is a document, or an object that contains the document in a member. As a string, the document keeps its exact
bytes; as nested JSON, it does not.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, cast

import orjson

from dreg_client.errors.problems import Problem, Severity
from dreg_client.files.compressed import MAGIC
from dreg_client.files.lines import LONGEST_LINE, check_has_lines, placed_lines, text_of_line, whole_document
from dreg_client.files.regular import open_regular
from dreg_client.files.unchanged import unchanged_file
from dreg_client.models import rules
from dreg_client.models.json_text import serialized
from dreg_client.models.kinds import KIND_NAMES
from dreg_client.models.paths import member
from dreg_client.models.stored import read_or_scan
from dreg_client.validation.pieces import results_in_order
from dreg_client.validation.report import Report, validate
from dreg_client.values.arguments import check_choice, check_count, check_flag, check_instance
from dreg_client.values.digest import Digest
from dreg_client.values.json_values import VALUE, has_too_many_values, most_values
from dreg_client.values.sizes import MAX_DOCUMENT, MEBIBYTE

PART: Final = 4 * MEBIBYTE
_NOT_REGULAR: Final = "is not a regular file; pass the open file to validate_lines"
_BUFFER: Final = MEBIBYTE // 4
MOST_REPORTS: Final = 1000
"""The maximum number of documents with problems in a part."""


@dataclass(frozen=True, slots=True)
class LineRules:
    """How to parse the lines of a dump.

    Attributes:
        field: The member that contains the document; if empty, the line itself is the document.
        media_type_field: The member that contains the document's media type; if empty, there is none.
        kind: The expected kind of all documents; if None, it is determined for each document.
        pedantic: Whether to also report notes.
        media_type: The media type of documents without such a member; empty if unknown.

    Raises:
        ValueError: `kind` is unknown.
        TypeError: Another argument has the wrong type.
    """

    field: str = ""
    media_type_field: str = ""
    kind: str | None = None
    pedantic: bool = False
    media_type: str = ""

    def __post_init__(self) -> None:
        """Check the types, and the kind."""
        for name in ("field", "media_type_field", "media_type"):
            check_instance(name, getattr(self, name), str)
        if self.kind is not None:
            check_choice("kind", self.kind, KIND_NAMES)
        check_flag("pedantic", self.pedantic)


@dataclass(frozen=True, slots=True)
class LineReport:
    """The report of one line. The first line has number 1."""

    line: int
    report: Report


@dataclass(frozen=True, slots=True)
class DumpPart:
    """The results for a part of a dump, in order.

    Attributes:
        start: The offset in the file where the part starts, in bytes.
        stop: The offset where it ends.
        documents: The number of lines with a document, that is, without empty lines.
        valid: The number of documents without errors.
        lines: The number of lines.
        reports: The reports of documents with problems.
        size: The total size of all documents in bytes.
        kinds: The number of all documents of each kind; `""` for those of unknown kind.
    """

    start: int
    stop: int
    documents: int
    valid: int
    lines: int
    reports: tuple[LineReport, ...]
    size: int = 0
    kinds: dict[str, int] = field(default_factory=dict[str, int], hash=False)


_PLAIN: Final = LineRules()


def validate_lines(lines: Iterable[bytes], how: LineRules = _PLAIN) -> Iterator[LineReport]:
    """Validate one document per line. Empty lines are skipped.

    Arguments and results can be pickled, so the work can be distributed to other processes or machines.

    Args:
        lines: The lines, with or without line feeds.
        how: Where to find the document in a line, and the expected kind.

    Returns:
        An iterator of reports, one for each line that is not empty.

    Raises:
        TypeError: `lines` is not an iterable of lines, or a line is not bytes. The latter is raised by the iterator.
    """
    if not _are_lines(lines):
        raise TypeError("lines must be an iterable of bytes, such as open(path, 'rb'); for a path, use validate_file")
    return _reports(lines, how)


def _are_lines(given: object) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, str | bytes)


def _reports(lines: Iterable[bytes], how: LineRules) -> Iterator[LineReport]:
    for number, line in enumerate(lines, 1):
        if not isinstance(line, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a line must be bytes, not {type(line).__name__}; open the file with 'rb'")
        if text := text_of_line(line):
            yield LineReport(number, validate_line(text, how))


def validate_line(line: bytes, how: LineRules = _PLAIN) -> Report:
    """Validate one line of a dump."""
    if len(line) >= LONGEST_LINE:
        return _rejected(line, "GEN-05", f"a line of {len(line)} bytes or more", f"at most {LONGEST_LINE} bytes")
    if not how.field:
        return validate(line, kind=how.kind, media_type=how.media_type or None, pedantic=how.pedantic)
    expected = f"a JSON object on each line, with a document in {how.field!r}"
    # A line of text is longer than its document. So it may have no more values than the longest document.
    value = VALUE * max(len(line) // MAX_DOCUMENT, 1)
    if has_too_many_values(line, value):
        return _rejected(line, "GEN-05", "a line with too many values", f"at most {most_values(line, value):,} values")
    try:
        wrapper = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _rejected(line, "GEN-01", "invalid JSON", expected)
    if not isinstance(wrapper, dict) or how.field not in wrapper:
        return _rejected(line, "GEN-01", "a line without this member", expected)
    return _validate_member(line, cast("dict[str, object]", wrapper), how)


def _validate_member(line: bytes, members: dict[str, object], how: LineRules) -> Report:
    """Validate the document in a member. If parsers may read different documents from the line, it is rejected."""
    document, served = members[how.field], members.get(how.media_type_field)
    media_type = served if isinstance(served, str) else how.media_type
    if isinstance(document, str):
        if repeated := _repeated_names(line, members) & {how.field, how.media_type_field}:
            return _rejected(line, "GEN-02", f"a duplicate member {min(repeated)!r:.100}", "unique member names")
        return validate(document, kind=how.kind, media_type=media_type or None, pedantic=how.pedantic)
    tree, problems = read_or_scan(line, nul=True)
    if found := tuple(_of_document(problems, how)):
        return Report(None, Digest.of(line), len(line), found)
    raw = serialized(tree[how.field]) if tree is not None else line
    return validate(raw, kind=how.kind, media_type=media_type or None, pedantic=how.pedantic)


def _repeated_names(line: bytes, members: dict[str, object]) -> set[str]:
    """Return the names of duplicate members of a line. orjson keeps only the last of them."""
    with suppress(orjson.JSONEncodeError):  # more than 254 levels
        if orjson.dumps(members) == line:
            return set()
    names: list[str] = []

    def note(pairs: list[tuple[str, object]]) -> None:  # called for the outermost object last
        names[:] = [name for name, _ in pairs]

    with suppress(RecursionError):  # another member may be that deep
        json.loads(line, object_pairs_hook=note, parse_int=float)
    return {name for name, count in Counter(names).items() if count > 1}


def _of_document(problems: Iterable[Problem], how: LineRules) -> Iterator[Problem]:
    """Yield the errors in the text of a line that concern its document, with their paths in the document."""
    prefix = member("$", how.field)
    for problem in problems:
        rest = problem.path.removeprefix(prefix)
        if problem.severity is not Severity.ERROR:
            continue
        if problem.path.startswith(prefix) and rest[:1] in {"", ".", "["}:
            yield replace(problem, path=f"${rest}")
        elif problem.rule == "GEN-04" or problem.path == member("$", how.media_type_field):
            yield problem


def _rejected(line: bytes, rule: str, found: str, expected: str) -> Report:
    return Report(None, Digest.of(line), len(line), (rules.error(rule, "$", found, expected),))


def validate_file(path: str | os.PathLike[str], how: LineRules = _PLAIN, *, jobs: int = 1) -> Iterator[DumpPart]:
    """Validate a dump of any size in constant memory, or a file with a single document.

    A file contains a single document if its first line is only the start of one, as in indented JSON. The report is
    then that of line 1, and the digest is that of the file.

    Args:
        path: The file, with one document per line. It must be a regular file that is not compressed; use
            `find_partitions` for compressed files and Parquet, and `validate_lines` for a stream.
        how: Where to find the document in a line, and the expected kind.
        jobs: The number of worker processes.

    Returns:
        An iterator of the parts, in the order of the file. Line numbers are those of the file.

    Raises:
        TypeError: `path` is not a path, or `jobs` is not an int.
        ValueError: `jobs` is less than 1.
        OSError: The file cannot be read. Raised by the iterator.
        FileError: It is not a regular file, is compressed or a Parquet file, or has changed while it was read. Raised
            by the iterator.
        WorkerKilledError: A worker process was killed, or none can be started. Raised by the iterator.
        ConfigError: Several jobs, in a daemonic process, such as a worker of `multiprocessing.Pool`. Raised by the
            iterator.
    """
    if not isinstance(path, str | os.PathLike):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"validate_file takes a path, not {type(path).__name__}; for lines, use validate_lines")
    check_count("jobs", jobs)
    return _parts(os.fspath(path), how, jobs)


def _parts(name: str, how: LineRules, jobs: int) -> Iterator[DumpPart]:
    with unchanged_file(name, name):
        yield from _parts_of(name, how, jobs)


def _parts_of(name: str, how: LineRules, jobs: int) -> Iterator[DumpPart]:
    line = 0
    with open_regular(name, _NOT_REGULAR) as file:
        size = os.fstat(file.fileno()).st_size
        check_has_lines(file.read(MAGIC), name)
        file.seek(0)
        pieces = iter(partial(file.readline, LONGEST_LINE), b"")  # of a line that is longer, the rest is not read
        document = whole_document(pieces)[0]
    stretches = ((start, min(start + PART, size)) for start in range(0, size, PART))
    if document is not None:
        yield _part_of(document, size, how)
        return
    for _, part in results_in_order(partial(_validate_stretch, name, how), stretches, _rest, jobs=jobs, name=name):
        moved = tuple(replace(report, line=report.line + line) for report in part.reports)
        yield replace(part, reports=moved)
        line += part.lines


def _part_of(document: bytes, size: int, how: LineRules) -> DumpPart:
    """Return the result of a file with a single document."""
    report = validate_line(document, how)
    reports = (LineReport(1, report),) if report.problems else ()
    lines = document.count(b"\n") + 1
    return DumpPart(0, size, 1, int(report.ok), lines, reports, report.size, {report.kind or "": 1})


def _rest(stretch: tuple[int, int], part: DumpPart) -> tuple[int, int] | None:
    """Return the rest of a stretch of which the part has the maximum number of reports."""
    return (part.stop, stretch[1]) if part.stop < stretch[1] else None


def _validate_stretch(path: str, how: LineRules, stretch: tuple[int, int]) -> DumpPart:
    """Validate the lines that start in the stretch, up to the maximum number of reports."""
    start, stop = stretch
    valid = lines = octets = 0
    kinds = Counter[str]()
    reports: list[LineReport] = []
    with open_regular(path, _NOT_REGULAR, buffering=_BUFFER) as dump:
        for _, line in placed_lines(dump, start, stop):
            lines += 1
            if text := text_of_line(line):
                report = validate_line(text, how)
                valid += report.ok
                octets += report.size
                kinds[report.kind or ""] += 1
                if report.problems:
                    reports.append(LineReport(lines, report))
            if len(reports) == MOST_REPORTS:
                stop = min(stop, dump.tell())
                break
    return DumpPart(start, stop, kinds.total(), valid, lines, tuple(reports), octets, dict(kinds))
