"""The findings of `dreg validate`, and their output as text, JSON, JSON Lines or GitHub annotations."""

import json
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from dreg_client.cli.error_messages import error_message, plain_failure
from dreg_client.cli.output import SEVERITY_STYLES, decodable, put, put_command, styled, visible, wrapped
from dreg_client.cli.summary_text import counts_text
from dreg_client.errors.problems import Problem, Severity, full_clause
from dreg_client.models.rules import has_error
from dreg_client.partitions.row import RowReport
from dreg_client.partitions.summary import Summary, plain_kinds
from dreg_client.validation.report import LINES, MISSING, NO_BYTES, UNREFERENCED, WRAPPED, Report, blob_rule, known_size

if TYPE_CHECKING:
    from dreg_client.cli.validate_journal import Journal
    from dreg_client.validation.dumps import LineReport
    from dreg_client.values.digest import Digest

_GITHUB: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_MOST_NAMES: Final = 20
_MOST_UNREAD: Final = 10_000
"""The maximum number of unread sources that are listed with a reason; the others are counted."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of the command, except for the format of the output."""

    kind: str | None
    media_type: str | None
    lines: bool
    field: str
    media_type_field: str
    complete: bool
    blobs: bool
    pedantic: bool
    quiet: bool
    jobs: int
    resume: str | None
    column: str
    media_type_column: str
    kind_column: str
    journal: "Journal | None" = None


@dataclass(frozen=True, slots=True)
class Checked:
    """The result for a document, or for a blob of a layout; digest and size are None if its bytes were not kept."""

    source: str
    kind: str | None
    digest: str | None
    size: int | None
    problems: tuple[Problem, ...]
    line: int = 0  # in a dump

    @classmethod
    def of(cls, source: str, report: Report, line: int = 0, *, is_null: bool = False) -> "Checked":
        """Return the finding for a report; with `is_null`, of what has no digest, and no size unless it is known."""
        digest = None if is_null else report.digest
        return cls(source, report.kind, digest, known_size(report, is_null=is_null), report.problems, line)

    def row_report(self) -> RowReport:
        """Return the result as a report of a row, as summaries and report files take it."""
        digest = NO_BYTES if self.digest is None else cast("Digest", self.digest)
        report = Report(self.kind, digest, self.size or 0, self.problems)
        return RowReport(self.source, self.line, report, is_null=self.digest is None)

    @property
    def ok(self) -> bool:
        """Whether no problem is an error."""
        return not has_error(self.problems)

    @property
    def is_unreferenced(self) -> bool:
        """Whether this is a blob in the storage of a registry that no manifest refers to."""
        return blob_rule(self.problems) == UNREFERENCED

    @property
    def is_missing(self) -> bool:
        """Whether this is a blob that a document names and that does not exist."""
        return blob_rule(self.problems) == MISSING


@dataclass(frozen=True, slots=True)
class Counted:
    """Documents of a dump that have no problems and are only counted: their number, total size and kinds."""

    documents: int
    size: int
    kinds: Mapping[str, int]

    @classmethod
    def of_others(cls, size: int, kinds: Mapping[str, int], listed: "Iterable[LineReport | RowReport]") -> "Counted":
        """Return the documents that are not listed, by the total size and the kinds of all."""
        others = Counter(kinds)
        for found in listed:
            size -= found.report.size
            others[found.report.kind or ""] -= 1
        return cls(others.total(), size, +others)


@dataclass(frozen=True, slots=True)
class FailedSource:
    """A source, or a file in it, that could not be read, and the reason.

    With `is_read`, all of it was read, but no unreferenced blobs were searched for.
    """

    source: str
    failure: Exception
    is_read: bool = False


Finding = Checked | Counted | FailedSource


class Writer:
    """Writes findings one by one; keeps only their sums, and the first sources that could not be read."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.summary: Summary = Summary()
        self.unread: int = 0
        self._unread: list[dict[str, Any]] = []  # the first ones
        self._unsearched: set[str] = set()

    def write(self, finding: Finding) -> None:
        """Count a finding, and write it."""
        match finding:
            case Counted(documents, size, kinds):
                self.summary.add_valid(documents, size, kinds)
            case FailedSource():
                self.unread += 1
                if finding.is_read:
                    self._unsearched.add(decodable(finding.source))
                if len(self._unread) < _MOST_UNREAD:
                    self._unread.append({"source": decodable(finding.source), **plain_failure(finding.failure)})
                self._write_unread(finding)
            case Checked():
                self.summary.add(finding.row_report())
                shown = [it for it in finding.problems if not self.quiet or it.severity is Severity.ERROR]
                if shown or not self.quiet:
                    self._write_checked(finding, shown)

    def _write_checked(self, found: Checked, problems: list[Problem]) -> None:
        raise NotImplementedError

    def _write_unread(self, found: FailedSource) -> None:
        """Write nothing by default: the reason is written to standard error."""

    def finish(self) -> None:
        """Write the end of the output."""

    def interrupt(self) -> None:
        """Write what makes the output valid after a signal; nothing by default."""

    def _summary(self, *, interrupted: bool = False) -> dict[str, Any]:
        omitted = self.unread - len(self._unread)
        return {
            "checked": self.summary.documents,
            "valid": self.summary.valid,
            "invalid": self.summary.invalid,
            "withWarnings": self.summary.warned,
            "missing": self.summary.missing,
            "size": self.summary.size,
            "kinds": plain_kinds(self.summary.kinds),
            "unread": self._unread,
            "interrupted": interrupted,
            **({"unreadOmitted": omitted} if omitted else {}),
            **({"unreferenced": self.summary.unreferenced} if self.summary.unreferenced else {}),
            **({"unreferencedSize": self.summary.unreferenced_size} if self.summary.unreferenced else {}),
        }


class _TextWriter(Writer):
    """Text: each document with its problems, and a summary at the end."""

    def _write_checked(self, found: Checked, problems: list[Problem]) -> None:
        if not problems:
            return
        severities = {problem.severity for problem in problems}
        if found.is_missing:
            verdict = "missing"
        elif found.is_unreferenced:
            verdict = "unreferenced"
        elif Severity.ERROR in severities:
            verdict = "invalid"
        else:
            verdict = "valid, with warnings" if Severity.WARNING in severities else "valid, with notes"
        place = f"{found.source}:{found.line}" if found.line else found.source
        put(f"{styled(visible(place), 'bold')}: {verdict}{f' ({found.kind})' if found.kind else ''}")
        for problem in problems:
            severity = styled(str(problem.severity), SEVERITY_STYLES[problem.severity])
            put(f"  {severity} at {visible(problem.path)}{' (the whole document)' if problem.path == '$' else ''}")
            rows = {
                "found": problem.found,
                "expected": problem.expected,
                "rule": f"{problem.rule}, {full_clause(problem.clause)}",
                "see": problem.url,
                "try": _hint(problem),
            }
            for label, text in rows.items():
                if text is not None:
                    put(f"    {label:<8}  {wrapped(visible(text), 14)}")

    def finish(self) -> None:
        if self.quiet:
            return
        unsearched = "; unreferenced blobs not searched for" if self._unsearched else ""
        color = "red" if self.summary.has_errors or self.unread else "green"
        counts = counts_text(self.summary, self._not_read())
        put(styled(f"{self.summary.documents:,} checked: {counts}{unsearched}", color))

    def _not_read(self) -> list[str]:
        """Return the number and the names of the sources that were not read; nothing if all were."""
        unread = [entry["source"] for entry in self._unread if entry["source"] not in self._unsearched]
        count = self.unread - len(self._unread) + len(unread)
        names = [*map(visible, unread[:_MOST_NAMES])]
        if count > _MOST_NAMES:
            names.append(f"and {count - _MOST_NAMES:,} more")
        return [f"{count:,} not read ({', '.join(names)})"] if count else []


def _hint(problem: Problem) -> str | None:
    """Return the option that may help."""
    if problem.found == LINES:
        return "read a document from each line, with --lines; or from a member of each line, with --field NAME"
    if problem.rule != "GEN-12":
        return None
    if problem.found.startswith(WRAPPED):
        name = problem.found.removeprefix(WRAPPED).strip('"')
        return f"validate the document in the member, with --field {shlex.quote(name)}"
    return "set the kind, for example --kind image-config"


class _JsonLinesWriter(Writer):
    """An object per line, written at once; documents of dumps that have no problems are only counted."""

    def _write_checked(self, found: Checked, problems: list[Problem]) -> None:
        put(_json(found, problems))

    def finish(self) -> None:
        if not self.quiet:
            put(json.dumps({"summary": self._summary()}))


class _JsonWriter(Writer):
    """One JSON document, written piece by piece so that it never has to fit into memory."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(quiet=quiet)
        self._before = '{"documents": ['
        self._is_closed = False

    def _write_checked(self, found: Checked, problems: list[Problem]) -> None:
        put(self._before)
        self._before = f"{_json(found, problems)},"

    def finish(self) -> None:
        self._close(self._summary())

    def interrupt(self) -> None:
        self._close(self._summary(interrupted=True))

    def _close(self, summary: dict[str, Any]) -> None:
        if self._is_closed:  # the signal came after the last document
            return
        self._is_closed = True
        put(self._before.removesuffix(","))  # no comma after the last document
        put(f'], "summary": {json.dumps(summary)}}}')


def _json(found: Checked, problems: list[Problem]) -> str:
    plain = {
        "source": decodable(found.source),
        "line": found.line or None,
        "kind": found.kind,
        "digest": found.digest,
        "size": found.size,
        "ok": found.ok,
        "problems": [problem.plain() for problem in problems],
    }
    return json.dumps(plain)


class _GitHubWriter(Writer):
    """GitHub annotations: `::error file=...,title=...::...`."""

    def _write_checked(self, found: Checked, problems: list[Problem]) -> None:
        for problem in problems:
            place = f"file={_property(found.source)}" + (f",line={found.line}" if found.line else "")
            title = _property(f"{problem.rule} at {problem.path}")
            message = f"{problem.path}: found {problem.found}, expected {problem.expected}"
            message += f" ({full_clause(problem.clause)}; see {problem.url})"
            put_command(f"::{_GITHUB[problem.severity]} {place},title={title}::{_message(message)}")

    def _write_unread(self, found: FailedSource) -> None:
        put_command(f"::error file={_property(found.source)},title=not read::{_message(error_message(found.failure))}")


def _message(text: str) -> str:
    # Older runners read `##[` as a command wherever it is in a line, also in the text of another command.
    return visible(text).replace("##[", "\\u0023#[").replace("%", "%25")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


WRITERS: Final[dict[str, Callable[..., Writer]]] = {
    "text": _TextWriter,
    "json": _JsonWriter,
    "jsonl": _JsonLinesWriter,
    "github": _GitHubWriter,
}
