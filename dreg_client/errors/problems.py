"""Problems of documents, which parsing, validation and reports have in common."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SITE: Final = "https://djmattyg007.github.io/dreg-client/"
"""The URL of the documentation, which has an entry for each rule."""


def rule_url(rule: str) -> str:
    """Return the URL of a rule's entry in the documentation.

    Examples:
        >>> rule_url("DSC-03").removeprefix(SITE)
        'rules/dsc/#dsc-03'
    """
    return f"{SITE}rules/{rule[:3].lower()}/#{rule.lower()}"


def full_clause(clause: str) -> str:
    """Return a clause with the name of its specification; clauses of the image specification are stored without it.

    Examples:
        >>> full_clause('descriptor.md "Digests"'), full_clause("ours: nesting is bounded")
        ('image-spec descriptor.md "Digests"', "dreg's own: nesting is bounded")
    """
    if clause.startswith("ours: "):
        return f"dreg's own: {clause.removeprefix('ours: ')}"
    return f"image-spec {clause}" if clause.partition(" ")[0].rstrip(",:;").endswith(".md") else clause


class Severity(StrEnum):
    """The severity of a problem. Only an *error* makes a document invalid; a *warning* or *note* does not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that a document breaks, and where.

    Attributes:
        rule: The id of the rule, such as `DSC-02`. Ids never change.
        severity: Whether the problem makes the document invalid.
        path: The path in the document, such as `$.layers[2].digest`; `$` is the document itself. For a missing member,
            it is the path that the member would have. Names longer than 255 characters are cut and end in `…`.
        found: The value at the path, shortened, with control characters escaped.
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
        """The URL of the rule's entry in the documentation."""
        return rule_url(self.rule)

    def plain(self) -> dict[str, str]:
        """Return the problem as a dict of its attributes and `url`."""
        return {name: str(getattr(self, name)) for name in (*self.__slots__, "url")}

    def __str__(self) -> str:
        source = f"{self.rule}; {full_clause(self.clause)}; see {self.url}"
        return f"{self.path}: found {self.found}, expected {self.expected} ({source})"
