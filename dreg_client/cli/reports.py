"""What `dreg validate` prints: for people, for programs, and as annotations of a pull request."""

import json
from typing import Any, Final

from dreg_client.cli.failures import sentence, told
from dreg_client.cli.results import Checked, Counted, Finding, Unread
from dreg_client.cli.text import decodable, put, styled, visible, wrapped
from dreg_client.errors.problems import Problem, Severity, full_clause

_STYLES: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_GITHUB: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_ADVICE: Final = {"GEN-12": "say what it is with --kind, such as --kind image-config"}
_LISTED: Final = 20


class Writer:
    """Writes what was found as it comes, keeps nothing of it, and counts."""

    checked: int
    invalid: int
    warned: int

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.checked = self.invalid = self.warned = 0
        self.unread: list[dict[str, Any]] = []

    def write(self, finding: Finding) -> None:
        """Count a finding, and write it."""
        match finding:
            case Counted(documents):
                self.checked += documents
            case Unread():
                self.unread.append(_reason(finding))
                self.tell_unread(finding)
            case Checked():
                self.checked += 1
                self.invalid += not finding.ok
                self.warned += any(problem.severity is Severity.WARNING for problem in finding.problems)
                if not (self.quiet and finding.ok):
                    self.tell(finding, [problem for problem in finding.problems if self._told(problem)])

    def _told(self, problem: Problem) -> bool:
        return not self.quiet or problem.severity is Severity.ERROR

    def tell(self, found: Checked, problems: list[Problem]) -> None:
        """Write what is wrong with a document."""
        raise NotImplementedError

    def tell_unread(self, found: Unread) -> None:
        """Write that something could not be read; standard error says it, too."""

    def finish(self) -> None:
        """Write what belongs to the end."""


class TextWriter(Writer):
    """For people: the place, each problem below it, a summary at the end."""

    def tell(self, found: Checked, problems: list[Problem]) -> None:
        """Write what is wrong with a document."""
        if not problems:
            return
        kind = f" ({found.kind})" if found.kind else ""
        put(f"{styled(visible(found.place), 'bold')}: {_verdict(problems)}{kind}")
        for problem in problems:
            _put_problem(problem)

    def finish(self) -> None:
        """Write the summary."""
        if self.quiet:
            return
        counts = [f"{self.checked - self.invalid} valid"]
        counts += [f"{self.invalid} invalid"] if self.invalid else []
        counts += [f"{self.warned} with warnings"] if self.warned else []
        counts += [f"{len(self.unread)} not read ({_listed(self.unread)})"] if self.unread else []
        style = "red" if self.invalid or self.unread else "green"
        put(styled(f"{self.checked} checked: {', '.join(counts)}", style))


def _verdict(problems: list[Problem]) -> str:
    severities = {problem.severity for problem in problems}
    if Severity.ERROR in severities:
        return "invalid"
    return "valid, with warnings" if Severity.WARNING in severities else "valid, with notes"


def _put_problem(problem: Problem) -> None:
    severity = styled(str(problem.severity), _STYLES[problem.severity])
    put(f"  {severity} at {visible(problem.path)}{' (as a whole)' if problem.path == '$' else ''}")
    rows = {
        "found": problem.found,
        "expected": problem.expected,
        "rule": f"{problem.rule}, {full_clause(problem.clause)}",
    }
    rows |= {"see": problem.url}
    rows |= {"try": _ADVICE[problem.rule]} if problem.rule in _ADVICE else {}
    for label, text in rows.items():
        put(f"    {label:<8}  {wrapped(visible(text), 14)}")


def _listed(unread: list[dict[str, Any]]) -> str:
    names = [visible(entry["source"]) for entry in unread[:_LISTED]]
    more = [f"and {len(unread) - _LISTED} more"] if len(unread) > _LISTED else []
    return ", ".join([*names, *more])


class JsonLinesWriter(Writer):
    """For programs: an object a line, as soon as it is known; documents without problems in dumps are only counted."""

    def tell(self, found: Checked, problems: list[Problem]) -> None:
        """Write what is wrong with a document."""
        put(json.dumps(_plain(found, problems)))

    def finish(self) -> None:
        """Write the summary as the last object."""
        if not self.quiet:
            put(json.dumps({"summary": self.summary()}))

    def summary(self) -> dict[str, Any]:
        """The counts, and what could not be read, each with the reason that standard error says, too."""
        return {
            "checked": self.checked,
            "valid": self.checked - self.invalid,
            "invalid": self.invalid,
            "withWarnings": self.warned,
            "unread": self.unread,
        }


class JsonWriter(JsonLinesWriter):
    """For programs: one JSON document, written piece by piece, so that its length does not matter."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(quiet=quiet)
        self._before = '{"documents": ['

    def tell(self, found: Checked, problems: list[Problem]) -> None:
        """Write what is wrong with a document."""
        put(self._before)
        self._before = f"{json.dumps(_plain(found, problems))},"

    def finish(self) -> None:
        """Write the last document without a comma behind it, the summary, and close the document."""
        put(self._before.removesuffix(","))
        put(f'], "summary": {json.dumps(self.summary())}}}')


class GitHubWriter(Writer):
    """Annotations as GitHub's runners read them: `::error file=...,title=...::...`."""

    def tell(self, found: Checked, problems: list[Problem]) -> None:
        """Write what is wrong with a document."""
        for problem in problems:
            place = f"file={_property(found.source)}" + (f",line={found.line}" if found.line else "")
            title = _property(f"{problem.rule} at {problem.path}")
            message = f"{problem.path}: found {problem.found}, expected {problem.expected}"
            message += f" ({full_clause(problem.clause)}; see {problem.url})"
            put(f"::{_GITHUB[problem.severity]} {place},title={title}::{_message(message)}")

    def tell_unread(self, found: Unread) -> None:
        """Write that something could not be read."""
        put(f"::error file={_property(found.source)},title=not read::{_message(sentence(found.failure))}")


WRITERS: Final[dict[str, type[Writer]]] = {
    "text": TextWriter,
    "json": JsonWriter,
    "jsonl": JsonLinesWriter,
    "github": GitHubWriter,
}


def _reason(found: Unread) -> dict[str, Any]:
    return {"source": decodable(found.source), **told(found.failure)}


def _plain(found: Checked, problems: list[Problem]) -> dict[str, Any]:
    return {
        "source": decodable(found.source),
        "line": found.line or None,
        "kind": found.kind,
        "digest": found.digest,
        "size": found.size,
        "ok": found.ok,
        "problems": [problem.plain() for problem in problems],
    }


def _message(text: str) -> str:
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
