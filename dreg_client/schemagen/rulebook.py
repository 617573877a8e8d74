"""Every rule's entry: why it is there, a good and a bad example, how to mend it. The pages and `dreg rule` show it."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from dreg_client.errors.problems import full_clause, rule_url
from dreg_client.models.rules import CLAUSES

FAMILIES: Final = "gen dig med uri ann tim dsc plt man dkm sc1 idx dkl cfg lyt nam ans".split()
"""The families of rules, in the order in which one reads of them; each has a file and a page of its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEntry:
    """What there is to say of a rule.

    Attributes:
        id: Its stable id.
        title: The rule, in a line.
        verdict: What breaking it is: `error`, `warning`, `note`, or `accepted`.
        clause: The clause that it comes from, with the name of its specification.
        why: Why it is there.
        mend: What to do.
        of: What the examples are of: a kind of document, another thing, or plain `words`.
        good: What follows the rule.
        bad: What breaks it; empty where nothing does.
        note: When the verdict is another one.
        beyond_schema: What JSON Schema cannot say of it; empty where the schemas say all, or it refuses nothing.
        media_type: What the examples are served as.
        whole: Whether examples are whole documents, not members that others stand beside.
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
    beyond_schema: str = ""
    media_type: str = ""
    whole: bool = False

    @property
    def url(self) -> str:
        """Where the entry stands in the documentation."""
        return rule_url(self.id)

    def plain(self) -> dict[str, Any]:
        """The entry for programs."""
        return asdict(self) | {"url": self.url}


@dataclass(frozen=True, slots=True)
class RuleFamily:
    """Rules of one subject.

    Attributes:
        name: What its ids begin with, in lower case.
        title: The subject.
        about: What it is, in a sentence or two.
        entries: The rules, by their numbers.
    """

    name: str
    title: str
    about: str
    entries: tuple[RuleEntry, ...]


@cache
def families() -> tuple[RuleFamily, ...]:
    """All rules that a document, a layout, a name or an answer can break, by their subjects."""
    return tuple(_family(name) for name in FAMILIES)


def rules() -> Mapping[str, RuleEntry]:
    """All rules by their ids.

    Examples:
        >>> rules()["DSC-03"].title
        'size: an integer from 0 to 2^63 - 1'
    """
    return {entry.id: entry for family in families() for entry in family.entries}


def _family(name: str) -> RuleFamily:
    told = tomllib.loads((files("dreg_client.schemagen") / "rules" / f"{name}.toml").read_text("utf-8"))
    title, about = told.pop("title"), told.pop("about")
    return RuleFamily(name, title, about, tuple(_entry(rule, told[rule]) for rule in told))


def _entry(rule: str, fields: dict[str, Any]) -> RuleEntry:
    members: dict[str, Any] = {"clause": full_clause(CLAUSES.get(rule, ""))} | fields
    return RuleEntry(id=rule, **members)
