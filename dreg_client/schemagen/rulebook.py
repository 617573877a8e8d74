"""The rulebook: for each rule its reason, a valid example, one that breaks it, and how to fix a document."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from dreg_client.errors.problems import full_clause, rule_url
from dreg_client.models.rules import CLAUSES, LENIENT_RULES

_FAMILIES: Final = "gen dig med uri ann tim dsc plt man dkm sc1 idx dkl cfg lyt sto nam ans".split()
"""The families of rules, in the order of the documentation. Each has a TOML file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEntry:
    """The entry of a rule.

    Attributes:
        id: The stable id.
        title: The rule in one sentence.
        verdict: The severity of a problem: `error`, `warning` or `note`; `accepted` if nothing is reported.
        clause: The clause of the specification, with the name of the specification.
        why: The reason for the rule.
        of: The kind of the examples: a kind of document, another format, or `words` for a description.
        good: A valid example.
        bad: An example that breaks the rule; empty if the rule rejects nothing.
        fix: How to fix a document; empty if nothing needs a fix.
        quote: The words of the clause; empty if the rule quotes none.
        note: Cases with another severity, and other details.
        writers: The programs that write documents that break the rule, if known.
        readable: What `strict=False` reads instead of an invalid value; empty if the document is always rejected.
        beyond_schema: The part of the rule that JSON Schema cannot express; empty if schemas cover all of it.
        media_type: The media type that the examples are served with.
        whole: Whether the examples are whole documents rather than members of one.
    """

    id: str
    title: str
    verdict: str
    clause: str
    why: str
    of: str
    good: str
    bad: str = ""
    fix: str = ""
    quote: str = ""
    note: str = ""
    writers: str = ""
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
        name: The prefix of its ids, in lower case.
        title: The name of the subject.
        about: A description of the subject, in a sentence or two.
        entries: The rules, ordered by number.
    """

    name: str
    title: str
    about: str
    entries: tuple[RuleEntry, ...]


@cache
def families() -> tuple[RuleFamily, ...]:
    """Return all rules for documents, layouts, storages, names and responses, grouped by subject."""
    return tuple(_family(name) for name in _FAMILIES)


def rules() -> Mapping[str, RuleEntry]:
    """Return all rules by their ids.

    Examples:
        >>> rules()["DSC-03"].title
        'size must be an integer from 0 to 2^63 - 1'
    """
    return {entry.id: entry for family in families() for entry in family.entries}


def _family(name: str) -> RuleFamily:
    content = tomllib.loads((files("dreg_client.schemagen") / "rules" / f"{name}.toml").read_text("utf-8"))
    title, about = content.pop("title"), content.pop("about")
    return RuleFamily(name, title, about, tuple(_entry(rule, **fields) for rule, fields in content.items()))


def _entry(rule: str, *, clause: str = "", **fields: Any) -> RuleEntry:  # noqa: ANN401 (of the TOML file)
    known = clause or full_clause(CLAUSES.get(rule, ""))
    return RuleEntry(id=rule, clause=known, readable=LENIENT_RULES.get(rule, ""), **fields)
