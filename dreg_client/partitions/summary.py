"""The sums of many reports: documents, kinds, and rules with an example of each. It can be saved as JSON."""

from dataclasses import dataclass, field
from typing import Any, Self

from dreg_client.errors.problems import Problem
from dreg_client.partitions.row import RowReport


@dataclass(frozen=True, slots=True)
class Example:
    """The first document that breaks a rule.

    Attributes:
        source: The file that contains the document.
        number: The number of the line or row, from 1; 0 if the file is the document.
        digest: The digest of the document; None if it is unknown.
        problem: The problem. Its clause is that of the rule.
    """

    source: str
    number: int
    digest: str | None
    problem: Problem


@dataclass(slots=True)
class RuleCount:
    """How often a rule was broken with one severity: the number of documents and of problems, and an example."""

    documents: int
    problems: int
    example: Example


@dataclass(slots=True)
class Summary:
    """The sums of many reports.

    Attributes:
        documents: The number of documents.
        valid: The number of documents without errors.
        warned: The number of documents with warnings.
        size: The total size of the documents in bytes.
        kinds: The number of documents of each kind; `""` for those of unknown kind.
        rules: The counts of each rule and severity.
    """

    documents: int = 0
    valid: int = 0
    warned: int = 0
    size: int = 0
    kinds: dict[str, int] = field(default_factory=dict[str, int])
    rules: dict[tuple[str, str], RuleCount] = field(default_factory=dict[tuple[str, str], RuleCount])

    def add(self, row: RowReport) -> None:
        """Add the report of one document."""
        raise NotImplementedError

    def merge(self, other: "Summary") -> None:
        """Add the sums of other documents, which come after those of this summary."""
        raise NotImplementedError

    def plain(self) -> dict[str, Any]:
        """Return the sums as JSON values."""
        raise NotImplementedError

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the summary that `plain` returned as JSON values.

        Raises:
            ValueError: The values are not those of a summary.
        """
        raise NotImplementedError
