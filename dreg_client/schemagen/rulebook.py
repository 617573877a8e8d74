"""The rulebook: the reason for each rule, a good and a bad example, and how to fix a document."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from dreg_client.errors.problems import full_clause, rule_url
from dreg_client.models.rules import CLAUSES, LENIENT_RULES

_FAMILIES: Final = "gen dig med uri ann tim dsc plt man dkm sc1 idx dkl cfg lyt nam ans".split()
"""The families of rules, in the order of the documentation. Each has a TOML file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEntry:
    """The entry of a rule.

    Attributes:
        id: The id, which never changes.
        title: The rule in one line.
        verdict: The result of breaking the rule: `error`, `warning`, `note` or `accepted`.
        clause: The clause that the rule comes from, with the name of the specification.
        why: The reason for the rule.
        mend: How to fix a document.
        of: The format of the examples: a kind of document, another format, or plain `words`.
        good: An example that follows the rule.
        bad: An example that breaks the rule; empty if nothing does.
        note: The cases in which the verdict differs.
        readable: How `strict=False` reads a value that breaks the rule; empty if it also rejects it.
        beyond_schema: The part of the rule that JSON Schema cannot express; empty if there is none.
        media_type: The media type to validate the examples with.
        whole: Whether the examples are whole documents, not single members.
    """

    id: str
    title: str
    verdict: str
    clause: str
    why: str
    mend: str
    of: str
    good: str
    bad: str = ""
    note: str = ""
    readable: str = ""
    beyond_schema: str = ""
    media_type: str = ""
    whole: bool = False

    @property
    def url(self) -> str:
        """The URL of the entry in the documentation."""
        return rule_url(self.id)

    def plain(self) -> dict[str, Any]:
        """Return the entry as a dict of its attributes and `url`."""
        return asdict(self) | {"url": self.url}


@dataclass(frozen=True, slots=True)
class RuleFamily:
    """The rules of one subject.

    Attributes:
        name: The prefix of the ids, in lower case.
        title: The subject.
        about: The subject in a sentence or two.
        entries: The rules, sorted by number.
    """

    name: str
    title: str
    about: str
    entries: tuple[RuleEntry, ...]


@cache
def families() -> tuple[RuleFamily, ...]:
    """Return all rules for documents, layouts, names and responses, grouped by subject."""
    return tuple(_family(name) for name in _FAMILIES)


def rules() -> Mapping[str, RuleEntry]:
    """Return all rules by their ids.

    Examples:
        >>> rules()["DSC-03"].title
        'size: an integer from 0 to 2^63 - 1'
    """
    return {entry.id: entry for family in families() for entry in family.entries}


def _family(name: str) -> RuleFamily:
    content = tomllib.loads((files("dreg_client.schemagen") / "rules" / f"{name}.toml").read_text("utf-8"))
    title, about = content.pop("title"), content.pop("about")
    return RuleFamily(name, title, about, tuple(_entry(rule, **fields) for rule, fields in content.items()))


def _entry(rule: str, *, fix: str, clause: str = "", **fields: Any) -> RuleEntry:  # noqa: ANN401 (of the TOML file)
    known = clause or full_clause(CLAUSES.get(rule, ""))
    return RuleEntry(id=rule, clause=known, mend=fix, readable=LENIENT_RULES.get(rule, ""), **fields)
