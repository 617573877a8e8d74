"""The sums of many reports: documents, kinds, and rules with an example of each. It can be saved as JSON."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self, cast

from dreg_client.errors.problems import Problem, Severity, rule_url
from dreg_client.models.kinds import KIND_NAMES
from dreg_client.models.rules import CLAUSES
from dreg_client.partitions.row import RowReport
from dreg_client.validation.report import MISSING, UNREFERENCED, blob_rule

OTHER: Final = "other"
"""The rule or kind of everything that has no well-formed name, or that is beyond `_MOST_UNKNOWN`."""

NOT_STATED: Final = "not-stated"
"""The kind of documents whose kinds a report does not state, as outputs of earlier versions with `--format jsonl`."""

_RULE: Final = re.compile(r"[A-Z][A-Z0-9]{2}-[0-9]{2}")
_KIND: Final = re.compile(r"[a-z0-9-]{1,40}")
_KNOWN_KINDS: Final = {*KIND_NAMES, OTHER, NOT_STATED, ""}
_MOST_UNKNOWN: Final = 200
"""The number of unknown rules and kinds, such as those of a later version, that are counted separately."""
_LONGEST: Final = 4096
_LARGEST: Final = 2**63 - 1
_SEVERITIES: Final = tuple(map(str, Severity))

Position = tuple[str, int]
"""The place of a partition among others: its source and the start in it, or "" and its number."""


@dataclass(frozen=True, slots=True)
class Example:
    """The first document that breaks a rule.

    Attributes:
        source: The file that contains the document.
        line: The number of the line or row, from 1; 0 if the file is the document, or if it is not known.
        digest: The digest of the document; None if it is unknown.
        problem: The problem. Its clause is that of the rule.
        position: The place of the partition with the document among others. The example with the lowest one is kept.
    """

    source: str
    line: int
    digest: str | None
    problem: Problem
    position: Position = ("", 0)


@dataclass(slots=True)
class RuleCount:
    """How often a rule was broken with one severity: the number of documents and of problems, and an example."""

    documents: int
    problems: int
    example: Example


@dataclass(slots=True)
class Summary:
    """The sums of many reports. Their memory does not grow with the number of documents.

    Attributes:
        documents: The number of documents.
        valid: The number of documents without errors.
        warned: The number of documents with warnings.
        size: The total size of the documents in bytes.
        kinds: The number of documents of each kind; `""` for those of unknown kind, and `NOT_STATED`.
        rules: The counts of each rule and severity.
        missing: The number of blobs that documents name, and that do not exist (LYT-04). They are not documents.
        unreferenced: The number of blobs in the storage of a registry that no manifest refers to (STO-05). They are not
            counted as documents either.
        unreferenced_size: Their total size in bytes.
    """

    documents: int = 0
    valid: int = 0
    warned: int = 0
    size: int = 0
    kinds: dict[str, int] = field(default_factory=dict[str, int])
    rules: dict[tuple[str, str], RuleCount] = field(default_factory=dict[tuple[str, str], RuleCount])
    missing: int = 0
    unreferenced: int = 0
    unreferenced_size: int = 0

    @property
    def invalid(self) -> int:
        """The number of documents with errors."""
        return self.documents - self.valid

    @property
    def has_errors(self) -> bool:
        """Whether a document has an error, or a missing blob is one."""
        return any(severity == Severity.ERROR for _, severity in self.rules)

    def add(self, row: RowReport) -> None:
        """Add the report of one document, or of a blob that is missing or unreferenced."""
        report = row.report
        if (rule := blob_rule(report.problems)) is not None:
            self.add_blobs(rule, 1, report.size)
        else:
            self.documents += 1
            self.size += report.size
            self.add_kind(report.kind or "", 1)
            self.valid += report.ok
            self.warned += bool(report.warnings)
        self._add_problems(row)

    def add_valid(self, documents: int, size: int, kinds: Mapping[str, int]) -> None:
        """Add a number of documents without problems, their total size in bytes, and the number of each kind."""
        self.documents += documents
        self.valid += documents
        self.size += size
        for kind, number in kinds.items():
            self.add_kind(kind, number)

    def add_blobs(self, rule: str, number: int, size: int) -> None:
        """Add a number of blobs and their size in bytes; `rule` is one of `BLOB_RULES`."""
        if rule == MISSING:  # their size is only stated
            self.missing += number
        elif rule == UNREFERENCED:
            self.unreferenced += number
            self.unreferenced_size += size

    def _add_problems(self, row: RowReport) -> None:
        broken: dict[tuple[str, str], list[Problem]] = {}
        for problem in row.report.problems:
            broken.setdefault((problem.rule, str(problem.severity)), []).append(problem)
        source = placed_source(row.source, row.line, row.offset)
        digest = None if row.is_null else str(row.report.digest)
        for (rule, severity), problems in broken.items():
            example = example_of(source, row.line, digest, problems[0])
            self.add_rule(rule, severity, RuleCount(1, len(problems), example))

    def merge(self, other: "Summary", position: Position = ("", 0)) -> None:
        """Add the sums of other documents.

        Args:
            other: The sums of a partition. They do not change.
            position: The place of the partition. The example of each rule is that of the lowest one, in whatever order
                partitions are merged; of equal ones, that of the first merged.
        """
        self.documents += other.documents
        self.valid += other.valid
        self.warned += other.warned
        self.size += other.size
        self.missing += other.missing
        self.unreferenced += other.unreferenced
        self.unreferenced_size += other.unreferenced_size
        for kind, documents in other.kinds.items():
            self.add_kind(kind, documents)
        for (rule, severity), count in other.rules.items():
            self.add_rule(rule, severity, replace(count, example=replace(count.example, position=position)))

    def add_kind(self, kind: str, documents: int) -> None:
        """Add a number of documents of a kind."""
        if kind not in self.kinds and kind not in _KNOWN_KINDS:
            unknown = sum(name not in _KNOWN_KINDS for name in self.kinds)
            kind = kind if unknown < _MOST_UNKNOWN and _KIND.fullmatch(kind) else OTHER
        self.kinds[kind] = self.kinds.get(kind, 0) + documents

    def take_kinds(self, plain: dict[str, Any]) -> None:
        """Replace the kinds by those of a summary as JSON values.

        Raises:
            ValueError: They do not add up to the documents.
        """
        self.kinds = {}
        for kind in _objects(plain, "kinds"):
            self.add_kind(_text(kind, "kind", required=False) or "", _number(kind, "documents"))
        if sum(self.kinds.values()) != self.documents:
            raise ValueError("the kinds of a summary do not add up to its documents")

    def add_rule(self, rule: str, severity: str, added: RuleCount) -> None:
        """Add the counts of a rule. The object is kept if the rule is new."""
        key = self._key(rule, str(severity))
        if (known := self.rules.get(key)) is None:
            self.rules[key] = added
            return
        known.documents += added.documents
        known.problems += added.problems
        if added.example.position < known.example.position:
            known.example = added.example

    def _key(self, rule: str, severity: str) -> tuple[str, str]:
        if rule in CLAUSES or (rule, severity) in self.rules:
            return rule, severity
        unknown = sum(name not in CLAUSES and name != OTHER for name, _ in self.rules)
        return (rule if unknown < _MOST_UNKNOWN and _RULE.fullmatch(rule) else OTHER), severity

    def sorted_rules(self) -> list[tuple[str, str, RuleCount]]:
        """Return the rules with their severity and counts: errors first, then those of most documents."""
        rows = [(rule, severity, count) for (rule, severity), count in self.rules.items()]
        return sorted(rows, key=lambda row: (_SEVERITIES.index(row[1]), -row[2].documents, row[0]))

    def plain(self) -> dict[str, Any]:
        """Return the sums as JSON values."""
        return {
            "documents": self.documents,
            "valid": self.valid,
            "invalid": self.invalid,
            "withWarnings": self.warned,
            "size": self.size,
            **({"missing": self.missing} if self.missing else {}),
            **({"unreferenced": self.unreferenced} if self.unreferenced else {}),
            **({"unreferencedSize": self.unreferenced_size} if self.unreferenced else {}),
            "kinds": plain_kinds(self.kinds),
            "rules": [_plain_rule(rule, severity, count) for rule, severity, count in self.sorted_rules()],
        }

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the summary that `plain` returned as JSON values.

        Raises:
            ValueError: The values are not those of a summary.
        """
        documents, valid, warned, size = (
            _number(plain, name) for name in ("documents", "valid", "withWarnings", "size")
        )
        if max(valid, warned) > documents:
            raise ValueError("a summary counts more valid documents, or more with warnings, than documents")
        summary = cls(documents, valid, warned, size)
        if "missing" in plain:
            summary.missing = _number(plain, "missing")
        if "unreferenced" in plain:
            summary.unreferenced = _number(plain, "unreferenced")
            summary.unreferenced_size = _number(plain, "unreferencedSize")
        summary.take_kinds(plain)
        for rule in _objects(plain, "rules"):
            summary.add_rule(_text(rule, "rule") or "", Severity(_text(rule, "severity") or ""), _rule_count(rule))
        return summary


def plain_kinds(kinds: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the number of documents of each kind as JSON values, the most frequent kind first."""
    ordered = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    return [{"kind": kind or None, "documents": documents} for kind, documents in ordered]


def placed_source(source: str, line: int, offset: int | None) -> str:
    """Return the name of an example: its file, with the byte where its line starts if its number is not known."""
    return source if line or offset is None else f"{source} (byte {offset})"


def example_of(source: str, line: int, digest: str | None, problem: Problem) -> Example:
    """Return an example whose texts are cut if they are very long."""
    texts = (problem.path, problem.found, problem.expected, problem.clause)
    if max(len(source), *map(len, texts)) > _LONGEST:
        path, found, expected, clause = map(_cut, texts)
        problem = replace(problem, path=path, found=found, expected=expected, clause=clause)
    return Example(_cut(source), line, digest, problem)


def problem_of(rule: str, severity: str, path: str, found: str, expected: str) -> Problem:
    """Return a problem that was stored without its clause.

    Raises:
        ValueError: There is no such severity.
    """
    return Problem(rule, Severity(severity), path, found, expected, CLAUSES.get(rule, ""))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _plain_rule(rule: str, severity: str, count: RuleCount) -> dict[str, Any]:
    example = count.example
    return {
        "rule": rule,
        "severity": severity,
        "url": rule_url(rule) if rule in CLAUSES else None,
        "documents": count.documents,
        "problems": count.problems,
        "example": {
            "source": example.source,
            "line": example.line or None,
            "digest": example.digest,
            "problem": example.problem.plain(),
        },
    }


def _rule_count(plain: dict[str, Any]) -> RuleCount:
    example = _object(plain, "example")
    stored = _object(example, "problem")
    texts = (_text(stored, name) for name in ("rule", "severity", "path", "found", "expected"))
    problem = problem_of(*(text or "" for text in texts))
    line = 0 if example.get("line") is None else _number(example, "line")
    digest = _text(example, "digest", required=False)
    shown = example_of(_text(example, "source") or "", line, digest, problem)
    return RuleCount(_number(plain, "documents"), _number(plain, "problems"), shown)


def _number(plain: dict[str, Any], name: str) -> int:
    value = plain.get(name)
    if type(value) is not int or not 0 <= value <= _LARGEST:  # a bool is an int, too
        raise ValueError(f"a summary needs a number as its member {name}")
    return value


def _text(plain: dict[str, Any], name: str, *, required: bool = True) -> str | None:
    value = plain.get(name)
    if isinstance(value, str):
        return _cut(value)
    if value is None and not required:
        return None
    raise ValueError(f"a summary needs a string as its member {name}")


def _object(plain: dict[str, Any], name: str) -> dict[str, Any]:
    value = plain.get(name)
    if not isinstance(value, dict):
        raise ValueError(f"a summary needs an object as its member {name}")  # noqa: TRY004
    return cast("dict[str, Any]", value)


def _objects(plain: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = plain.get(name)
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in cast("list[object]", value)):
        raise ValueError(f"a summary needs a list of objects as its member {name}")
    return cast("list[dict[str, Any]]", value)
