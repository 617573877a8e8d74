"""What `dreg validate` finds, one after another."""

from dataclasses import dataclass

from dreg_client.errors.problems import Problem, Severity
from dreg_client.validation.report import Report


@dataclass(frozen=True, slots=True)
class Checked:
    """One document, or one blob of a layout.

    Attributes:
        source: The file, or what stands for it.
        line: The line in a dump; 0 elsewhere.
        kind: What it was read as; None when that could not be told.
        digest: The digest of its bytes; None when they were not kept.
        size: The number of its bytes; None as above.
        problems: What is wrong with it.
    """

    source: str
    line: int
    kind: str | None
    digest: str | None
    size: int | None
    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, source: str, report: Report, line: int = 0) -> "Checked":
        """What a report says of a source."""
        return cls(source, line, report.kind, report.digest, report.size, report.problems)

    @property
    def ok(self) -> bool:
        """Whether no problem is an error."""
        return all(problem.severity is not Severity.ERROR for problem in self.problems)

    @property
    def place(self) -> str:
        """The source, with the line in it where there is one."""
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Counted:
    """Documents of a dump that have no problems: they are only counted."""

    documents: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A source, or a file of it, that could not be read, and why."""

    source: str
    failure: Exception


Finding = Checked | Counted | Unread
