"""Problems of documents, as parsing, validation and reports share them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SITE: Final = "https://djmattyg007.github.io/dreg-client/"
"""The address of the documentation, which has an entry for each rule."""


def rule_url(rule: str) -> str:
    """Return the address of a rule's entry in the documentation.

    Examples:
        >>> rule_url("DSC-03").removeprefix(SITE)
        'rules/dsc/#dsc-03'
    """
    return f"{SITE}rules/{rule[:3].lower()}/#{rule.lower()}"


def full_clause(clause: str) -> str:
    """Return a clause with the name of its specification, which clauses of the image specification leave out.

    Examples:
        >>> full_clause('descriptor.md "Digests"'), full_clause("ours: nesting is bounded")
        ('image-spec descriptor.md "Digests"', "dreg's own: nesting is bounded")
    """
    if clause.startswith("ours: "):
        return f"dreg's own: {clause.removeprefix('ours: ')}"
    return f"image-spec {clause}" if clause.partition(" ")[0].rstrip(",:;").endswith(".md") else clause


class Severity(StrEnum):
    """The severity of a problem: a document with an *error* is rejected, with a *warning* or *note* it is not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule that a document breaks.

    Attributes:
        rule: The stable id of the rule, such as `DSC-02`.
        severity: Whether the document is rejected for it.
        path: The path in the document, such as `$.layers[2].digest`; `$` is the document itself. A missing member has
            the path that it would have. Names of more than 255 characters are cut, and end in `…`.
        found: The value there, shortened, with control characters escaped.
        expected: What the rule requires.
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
        """The address of the rule's entry in the documentation."""
        return rule_url(self.rule)

    def plain(self) -> dict[str, str]:
        """Return the problem as a plain mapping: its attributes, and `url`."""
        return {name: str(getattr(self, name)) for name in (*self.__slots__, "url")}

    def __str__(self) -> str:
        return f"{self.path}: found {self.found}, expected {self.expected} ({self.rule}; {self.clause}; see {self.url})"
