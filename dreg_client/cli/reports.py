"""What `dreg validate` prints: for people, for programs, and as annotations of a pull request."""

import json
from typing import Any, ClassVar, Final

import click

from dreg_client.cli.checking import Checked
from dreg_client.cli.text import bold, coloured, visible
from dreg_client.problems import Problem, Severity

_COLOURS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_GITHUB: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


class Writer:
    """Writes what was found, and counts it."""

    def __init__(self, quiet: bool) -> None:  # noqa: FBT001
        self.quiet = quiet
        self.documents = self.invalid = self.warned = 0

    def write(self, found: Checked) -> None:
        """Count one finding, and write it."""
        self.documents += found.documents
        if found.report is None:
            return
        self.invalid += not found.report.ok
        self.warned += bool(found.report.warnings)
        self.tell(found, [problem for problem in found.report.problems if self._told(problem)])

    def _told(self, problem: Problem) -> bool:
        return not self.quiet or problem.severity is Severity.ERROR

    def tell(self, found: Checked, problems: list[Problem]) -> None:
        """Write one finding."""
        raise NotImplementedError

    def finish(self) -> None:
        """Write what belongs to the end."""


class TextWriter(Writer):
    """For people: the place, then each problem on a line of its own, a summary at the end."""

    def tell(self, found: Checked, problems: list[Problem]) -> None:
        """Write one finding."""
        if not problems:
            return
        kind = f" ({found.report.kind})" if found.report and found.report.kind else ""
        click.echo(f"{bold(visible(_place(found)))}{kind}")
        for problem in problems:
            severity = coloured(str(problem.severity), _COLOURS[problem.severity])
            click.echo(f"  {severity} {problem.rule} at {visible(problem.path)}")
            click.echo(f"      found    {visible(problem.found)}")
            click.echo(f"      expected {visible(problem.expected)}")
            click.echo(f"      see      {problem.clause}")

    def finish(self) -> None:
        """Write the summary."""
        if self.quiet:
            return
        valid = self.documents - self.invalid
        tally = f"{self.documents} checked: {valid} valid, {self.invalid} invalid, {self.warned} with warnings"
        click.echo(coloured(tally, "red" if self.invalid else "green"))


class JsonLinesWriter(Writer):
    """For programs: an object a line, as soon as it is known; documents without problems in dumps are only counted."""

    def tell(self, found: Checked, problems: list[Problem]) -> None:
        """Write one finding."""
        click.echo(json.dumps(_plain(found, problems)))

    def finish(self) -> None:
        """Write the summary as the last object."""
        if not self.quiet:
            click.echo(json.dumps({"summary": self.summary()}))

    def summary(self) -> dict[str, int]:
        """The counts."""
        valid = self.documents - self.invalid
        return {"checked": self.documents, "valid": valid, "invalid": self.invalid, "with_warnings": self.warned}


class JsonWriter(JsonLinesWriter):
    """For programs: one JSON document, written piece by piece, so that its length does not matter."""

    first: ClassVar[str] = '{"documents": ['

    def __init__(self, quiet: bool) -> None:  # noqa: FBT001
        super().__init__(quiet)
        self._before = self.first

    def tell(self, found: Checked, problems: list[Problem]) -> None:
        """Write one finding."""
        click.echo(f"{self._before}\n{json.dumps(_plain(found, problems))}", nl=False)
        self._before = ","

    def finish(self) -> None:
        """Write the summary and close the document."""
        start = self.first if self._before == self.first else ""
        click.echo(f'{start}\n], "summary": {json.dumps(self.summary())}}}')


class GitHubWriter(Writer):
    """Annotations as GitHub's runners read them: `::error file=...,title=...::...`."""

    def tell(self, found: Checked, problems: list[Problem]) -> None:
        """Write one finding."""
        for problem in problems:
            place = f"file={_property(found.source)}" + (f",line={found.line}" if found.line else "")
            title = _property(f"{problem.rule} at {problem.path}")
            message = _data(f"{problem.path}: found {problem.found}, expected {problem.expected} ({problem.clause})")
            click.echo(f"::{_GITHUB[problem.severity]} {place},title={title}::{message}")


WRITERS: Final[dict[str, type[Writer]]] = {
    "text": TextWriter,
    "json": JsonWriter,
    "jsonl": JsonLinesWriter,
    "github": GitHubWriter,
}


def _place(found: Checked) -> str:
    return f"{found.source}:{found.line}" if found.line else found.source


def _plain(found: Checked, problems: list[Problem]) -> dict[str, Any]:
    report = found.report
    plain: dict[str, Any] = {"source": found.source}
    if found.line:
        plain["line"] = found.line
    if report is not None:
        plain |= {"kind": report.kind, "digest": report.digest, "size": report.size, "ok": report.ok}
    plain["problems"] = [
        {
            "rule": problem.rule,
            "severity": problem.severity,
            "path": problem.path,
            "found": problem.found,
            "expected": problem.expected,
            "clause": problem.clause,
        }
        for problem in problems
    ]
    return plain


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
