"""What is wrong with a document: the one value that parsing, validating and printing share."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a problem weighs: an *error* refuses the document, a *warning* or a *note* does not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule that a document breaks.

    Attributes:
        rule: The rule's stable id, such as `DSC-02`.
        severity: Whether the document is refused for it.
        path: Where in the document, such as `$.layers[2].digest`; `$` is the document itself.
        found: What stands there, cut short, control characters escaped.
        expected: What the rule asks for.
        clause: The clause of the specification that the rule comes from.
    """

    rule: str
    severity: Severity
    path: str
    found: str
    expected: str
    clause: str

    def __str__(self) -> str:
        return f"{self.path}: found {self.found}, expected {self.expected} ({self.rule}; {self.clause})"
