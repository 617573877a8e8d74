"""Rules that are functions: from the facts of a tag to a decision."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from dreg_client.errors import ConflictError
from dreg_client.tagging.facts import Decision, Fact, TagFacts
from dreg_client.tagging.matching import Matching, TagMatch
from dreg_client.tagging.planned_tags import PlannedTags
from dreg_client.values.reference import is_tag


@dataclass(frozen=True, slots=True)
class Decide:
    """Ask a function about each tag.

    Attributes:
        function: The function; it returns None where it decides nothing. Its exceptions are not caught.
        matching: Which tags it is asked about.
        facts: The facts that it uses.
    """

    function: Callable[[TagFacts], Decision | None]
    matching: Matching
    facts: frozenset[Fact] = frozenset()
    reads_all_tags: bool = True
    untagged: bool = False

    @classmethod
    def of(
        cls,
        function: Callable[[TagFacts], Decision | None],
        match: TagMatch = "*",
        *,
        semver: str | None = None,
        facts: Collection[Fact] = (),
    ) -> "Decide":
        """Return the rule.

        Raises:
            ValueError: A name of a fact, a regular expression or the range is not valid.
            TypeError: `function` cannot be called.
        """
        if not callable(function):  # pyright: ignore[reportUnnecessaryComparison]
            message = f"decide() takes a function of TagFacts, not {function!r:.100}"
            raise TypeError(message)
        if isinstance(facts, str):
            message = f"facts= must be a list, such as [{facts!r}], not a str"
            raise TypeError(message)
        wanted = frozenset(facts)
        if unknown := wanted - {*get_args(Fact)}:
            message = f"facts= takes {', '.join(map(repr, get_args(Fact)))}, not {min(unknown)!r:.100}"
            raise ValueError(message)
        return cls(function, Matching.of(match, semver), wanted)

    def chosen(self, names: Iterable[str]) -> list[str]:
        """Return the tags that match."""
        return self.matching.chosen(names)

    def with_facts(self, names: Iterable[str]) -> list[str]:
        """Return the same tags: their facts are needed even if no `facts` are named."""
        return self.matching.chosen(names)

    def apply(self, planned: PlannedTags, facts: Mapping[str, TagFacts], _now: datetime) -> None:
        """Do what the function decides. All tags are shown to it before anything is changed.

        Raises:
            ConflictError: It gives different images the same tag.
            TypeError: It returns something else than a decision or None.
            ValueError: It adds a tag that is not valid.
        """
        planned.trace.start(str(self))
        added: dict[str, TagFacts] = {}
        for tag in sorted(self.chosen(planned.names)):
            if tag in facts:
                self._obey(self._decision(facts[tag]), facts[tag], planned, added)
        for new, it in added.items():
            planned.set(new, it.digest)
            planned.trace.note(new, f"names {it.digest.short}, the image of {it.name}")

    def _decision(self, it: TagFacts) -> Decision | None:
        decision = self.function(it)
        if decision is not None and not isinstance(decision, Decision):  # pyright: ignore[reportUnnecessaryIsInstance]
            message = f"the function of decide() must return a Decision or None, not {decision!r:.100}, for {it.name}"
            raise TypeError(message)
        return decision

    def _obey(self, decision: Decision | None, it: TagFacts, planned: PlannedTags, added: dict[str, TagFacts]) -> None:
        if decision is None:
            return
        planned.trace.note(it.name, decision.action if not decision.tags else f"becomes {', '.join(decision.tags)}")
        if decision.action == "keep":
            planned.keep(it.name)
        elif decision.action == "tag":
            for tag in decision.tags:
                _add(tag, it, added)
        elif planned.is_kept(it.name):
            planned.trace.note(it.name, "not removed: a rule before it keeps it")
        else:
            planned.remove(it.name, deletes=decision.action == "prune")

    def __str__(self) -> str:
        return f"decide {getattr(self.function, '__name__', 'function')}"


def _add(tag: str, it: TagFacts, added: dict[str, TagFacts]) -> None:
    if not is_tag(tag):
        message = f"the function of decide() adds the tag {tag!r:.140} to {it.name}, which is not a valid tag"
        raise ValueError(message)
    other = added.setdefault(tag, it)
    if other.digest != it.digest:
        what = f"the function of decide() gives the tag {tag} to {other.name} and to {it.name}"
        raise ConflictError(f"{what}, which are different images; let it decide for one of them")
