"""Rules that give images new tags: in the same repository, or in another one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from dreg_client.tagging.derived import Derivation, highest, winner
from dreg_client.tagging.facts import Fact, TagFacts
from dreg_client.tagging.matching import Matching, TagMatch
from dreg_client.tagging.planned_tags import PlannedTags, Promotion
from dreg_client.tagging.templates import Template
from dreg_client.values.reference import is_tag


@dataclass(frozen=True, slots=True)
class _Deriving:
    """A rule that makes new tags of those that match. If several give the same one, the highest version wins."""

    derivation: Derivation
    reads_all_tags: bool = False
    untagged: bool = False

    @property
    def matching(self) -> Matching:
        """Which tags may get new ones."""
        return self.derivation.matching

    @property
    def facts(self) -> frozenset[Fact]:
        """The dates of the tags that give the same new tag, and that versions cannot order."""
        return frozenset({"created"})

    def chosen(self, names: Iterable[str]) -> list[str]:
        """Return the tags that may win: those of the highest version, or all if one of them is not a version."""
        return [tag for tags in self._sources(names).values() for tag in highest(tags)]

    def with_facts(self, names: Iterable[str]) -> list[str]:
        """Return the tags of which the newest wins."""
        several = (highest(tags) for tags in self._sources(names).values() if len(tags) > 1)
        return [tag for tags in several if len(tags) > 1 for tag in tags]

    def _sources(self, names: Iterable[str]) -> dict[str, list[str]]:
        return {made: tags for made, tags in self.derivation.sources(names).items() if self._takes(made, tags)}

    def _takes(self, _made: str, _tags: list[str]) -> bool:
        return True

    def _winners(self, planned: PlannedTags, facts: Mapping[str, TagFacts]) -> Iterator[tuple[str, str]]:
        """Return the new tags and those that they are made of; record why others are not."""
        note = planned.trace.note
        for made, tags in self._sources(planned.names).items():
            found = winner(made, highest(tags), planned, facts) if is_tag(made) else None
            for tag in tags:
                if not is_tag(made):
                    planned.fail(tag, f"{self.derivation.template.text} makes {made[:140]!r} of it, which is not a tag")
                elif found is None:
                    note(tag, f"does not become {made}: its digest, or that of another tag, could not be read")
                    planned.protect(tag, f"it does not become {made}, because a tag could not be read")
                elif tag != found:
                    note(tag, f"does not become {made}: {found} does")
            if found is not None:
                yield made, found


@dataclass(frozen=True, slots=True)
class Retag(_Deriving):
    """Give images new tags in the same repository, or move those.

    Examples:
        >>> rule = Retag.of("*", "{major}.{minor}")
        >>> rule.chosen(["1.4.1", "1.4.2", "1.5.0-rc1", "latest"])
        ['1.4.2']
    """

    @classmethod
    def of(cls, match: TagMatch, template: str, *, semver: str | None = None) -> "Retag":
        """Return the rule; `match` and `semver` choose tags.

        Raises:
            ValueError: The template, a regular expression or the range is not valid.
        """
        matching = Matching.of(match, semver)
        return cls(Derivation(matching, Template(template, matching.group_names)))

    def apply(self, planned: PlannedTags, facts: Mapping[str, TagFacts], _now: datetime) -> None:
        """Add and move tags.

        Raises:
            ConflictError: Several images would get the same tag, and it is not known which one is the newest.
        """
        planned.trace.start(str(self))
        for made, tag in [*self._winners(planned, facts)]:
            digest = planned.digest_of(tag)
            if digest is None:
                continue
            if planned.has(made) and planned.digest_of(made) == digest:
                planned.trace.note(made, f"is the same image as {tag} already")
                continue
            planned.trace.note(tag, f"becomes {made}")
            planned.trace.note(made, f"names {digest.short}, the image of {tag}")
            planned.set(made, digest)

    def _takes(self, made: str, tags: list[str]) -> bool:
        return tags != [made]

    def __str__(self) -> str:
        return f"retag {self.derivation.matching} to {self.derivation.template.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promote(_Deriving):
    """Copy images to another store.

    Attributes:
        into: The store, as a name that the caller understands.
        referrers: Whether signatures, SBOMs and other referrers are also copied.
    """

    into: str
    referrers: bool = False

    @classmethod
    def of(
        cls, match: TagMatch, *, into: str, template: str = "{tag}", semver: str | None = None, referrers: bool = False
    ) -> "Promote":
        """Return the rule; `match` and `semver` choose tags, and `template` makes the tags in the other store.

        Raises:
            ValueError: The template, a regular expression or the range is not valid.
        """
        matching = Matching.of(match, semver)
        made = Derivation(matching, Template(template, matching.group_names))
        return cls(made, into=into, referrers=referrers)

    def apply(self, planned: PlannedTags, facts: Mapping[str, TagFacts], _now: datetime) -> None:
        """Add copies. Only images that had a tag when they were read can be copied.

        Raises:
            ConflictError: Several images would get the same tag, and it is not known which one is the newest.
        """
        planned.trace.start(str(self))
        for made, tag in [*self._winners(planned, facts)]:
            digest = planned.digest_of(tag)
            source = planned.source_tag(tag, digest) if digest else None
            if digest is None or source is None:
                planned.trace.note(tag, "not copied: no tag of the repository named its image before this plan")
                continue
            planned.trace.note(tag, f"copied to {self.into}:{made}")
            planned.copy(Promotion(self.into, made, digest, source, self.referrers))

    def __str__(self) -> str:
        return f"promote {self.derivation.matching} into {self.into} as {self.derivation.template.text}"
