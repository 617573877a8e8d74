"""What is wrong with a document: the one value that parsing, validating and printing share."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_TOLD: Final = ("rule", "severity", "path", "found", "expected", "clause", "url")
SITE: Final = "https://djmattyg007.github.io/dreg-client/"
"""Where the documentation is read, with an entry for each rule."""


def rule_url(rule: str) -> str:
    """The address of a rule's entry.

    Examples:
        >>> rule_url("DSC-03").removeprefix(SITE)
        'rules/dsc/#dsc-03'
    """
    return f"{SITE}rules/{rule[:3].lower()}/#{rule.lower()}"


def full_clause(clause: str) -> str:
    """A clause with the name of its specification, which the pages of the image specification leave out.

    Examples:
        >>> full_clause('descriptor.md "Digests"'), full_clause("ours: nesting is bounded")
        ('image-spec descriptor.md "Digests"', "dreg's own: nesting is bounded")
    """
    if clause.startswith("ours: "):
        return f"dreg's own: {clause.removeprefix('ours: ')}"
    return f"image-spec {clause}" if clause.partition(" ")[0].rstrip(",:;").endswith(".md") else clause


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

    @property
    def url(self) -> str:
        """The rule's entry in the documentation: why it is there, a good and a bad example, how to mend it."""
        return rule_url(self.rule)

    def plain(self) -> dict[str, str]:
        """The problem for programs: all of its attributes, and `url`."""
        return {name: str(getattr(self, name)) for name in _TOLD}

    def __str__(self) -> str:
        return f"{self.path}: found {self.found}, expected {self.expected} ({self.rule}; {self.clause}; see {self.url})"
