"""What rules do with the tags of a repository that exists only here."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from dreg_client.tagging.facts import Fact, TagFacts
from dreg_client.tagging.planned_tags import PlannedTags
from dreg_client.tagging.rule import Rule
from dreg_client.values.digest import Digest

NOW = datetime(2026, 7, 1, tzinfo=UTC)
INDEX = "application/vnd.oci.image.index.v1+json"


def digest(image: str) -> Digest:
    """Return the digest of an image that is named by a word."""
    return Digest.of(image.encode())


class Images:
    """The tags of a repository, and when their images were made.

    Args:
        tags: The images by their tags.
        ages: The ages of images, in days; that of others is unknown.
        untagged: The images without a tag.
        unreadable: The tags whose digests cannot be read.
    """

    def __init__(
        self,
        tags: Mapping[str, str],
        ages: Mapping[str, float] | None = None,
        *,
        untagged: Iterable[str] = (),
        unreadable: Iterable[str] = (),
    ) -> None:
        self.tags = tags
        self.created = {digest(image): NOW - timedelta(days=age) for image, age in (ages or {}).items()}
        self.untagged = [*untagged]
        self.planned = PlannedTags(tags)
        self.readable = {tag: digest(image) for tag, image in tags.items() if tag not in {*unreadable}}
        self.read: set[str] = set()
        """The tags whose digests rules needed."""

    def plan(self, *rules: Rule) -> PlannedTags:
        """Apply rules as a planner does: digests and facts are read only as far as the rules need them."""
        for rule in rules:
            names = self.planned.names
            self._learn(names if rule.reads_all_tags else rule.chosen(names))
            rule.apply(self.planned, self._facts(rule, rule.with_facts(names)), NOW)
        self._learn(self.planned.unread)
        return self.planned

    def _learn(self, names: Iterable[str]) -> None:
        found = {name: self.readable[name] for name in names if name in self.readable}
        self.read |= found.keys()
        self.planned.learn(found)

    def _facts(self, rule: Rule, names: Iterable[str]) -> dict[str, TagFacts]:
        known = {name: self._of(name, found, rule.facts) for name in names if (found := self.planned.digest_of(name))}
        untagged = [digest(image) for image in self.untagged] if rule.untagged else []
        return known | {found: self._of("", found, rule.facts) for found in untagged}

    def _of(self, name: str, found: Digest, facts: frozenset[Fact]) -> TagFacts:
        created = self.created.get(found)
        others = tuple(tag for tag in self.planned.tags_of(found) if tag != name)
        return TagFacts(
            name=name, digest=found, media_type=INDEX, other_tags=others, known=facts, _created=created, _oldest=created
        )


def removed(planned: PlannedTags) -> list[str]:
    """Return the tags that are removed."""
    return [*planned.difference().removed]


def set_tags(planned: PlannedTags) -> dict[str, Digest]:
    """Return the tags that are added or moved, with their new digests."""
    found = planned.difference()
    return {**found.new, **{tag: after for tag, (_, after) in found.moved.items()}}
