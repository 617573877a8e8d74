"""The values that the modules of `dreg validate` share: what the options say, and what is found."""

from dataclasses import dataclass

from dreg_client.errors.problems import Problem, Severity
from dreg_client.validation.report import Report


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of the command, except for the format of the output."""

    kind: str | None
    media_type: str | None
    lines: bool
    field: str
    media_type_field: str
    complete: bool
    pedantic: bool
    quiet: bool
    jobs: int
    resume: str | None


@dataclass(frozen=True, slots=True)
class Checked:
    """A document, or a blob of a layout; digest and size are None if its bytes were not kept."""

    source: str
    kind: str | None
    digest: str | None
    size: int | None
    problems: tuple[Problem, ...]
    line: int = 0  # in a dump

    @classmethod
    def of(cls, source: str, report: Report, line: int = 0) -> "Checked":
        """Return the finding for a report."""
        return cls(source, report.kind, report.digest, report.size, report.problems, line)

    @property
    def ok(self) -> bool:
        """Whether no problem is an error."""
        return all(problem.severity is not Severity.ERROR for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Counted:
    """Documents of a dump that have no problems and are only counted."""

    documents: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A source, or a file of it, that could not be read, and why."""

    source: str
    failure: Exception


Finding = Checked | Counted | Unread
