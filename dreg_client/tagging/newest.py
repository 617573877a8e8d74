"""The newest images of those that a rule is about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from dreg_client.copying.versions import Version, version_of
from dreg_client.tagging.facts import EARLIEST, TagFacts
from dreg_client.tagging.planned_tags import PlannedTags
from dreg_client.values.digest import Digest

Order = Literal["created", "version"]
"""By what images are ordered: when they were made, or the highest version among their tags."""


@dataclass(frozen=True, slots=True)
class MatchedImage:
    """An image, and its tags that a rule is about.

    Attributes:
        digest: The digest.
        tags: The tags that match, sorted; empty for a manifest without a tag.
        created: When it was made; None if that is unknown, or was not read.
    """

    digest: Digest
    tags: tuple[str, ...]
    created: datetime | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The tags that match; the digest if it has none."""
        return self.tags or (self.digest,)

    def rank(self, by: Order) -> "datetime | Version | None":
        """Return by what it is compared with others; None if that is unknown."""
        if by == "created":
            return self.created
        versions = [version for tag in self.tags if (version := version_of(tag)) is not None]
        return max(versions) if versions else None


def matched_images(
    planned: PlannedTags, tags: Iterable[str], facts: Mapping[str, TagFacts], *, untagged: bool = False
) -> list[MatchedImage]:
    """Return the images of tags, sorted by digest. Tags that could not be read are left out."""
    found: dict[Digest, list[str]] = {}
    created: dict[Digest, datetime | None] = {}
    for tag in tags:
        digest = planned.digest_of(tag)
        if digest is not None:
            found.setdefault(digest, []).append(tag)
            created.setdefault(digest, created_of(facts.get(tag)))
    for it in facts.values() if untagged else ():
        if not it.name and not planned.tags_of(it.digest):
            found.setdefault(it.digest, [])
            created.setdefault(it.digest, created_of(it))
    return [MatchedImage(digest, tuple(sorted(found[digest])), created[digest]) for digest in sorted(found)]


def newest(images: Iterable[MatchedImage], count: int, by: Order) -> frozenset[Digest]:
    """Return the newest of some images. Those whose date or version is unknown do not count."""
    ranked = [(rank, it.tags, it.digest) for it in images if (rank := it.rank(by)) is not None]
    return frozenset(digest for _, _, digest in sorted(ranked, reverse=True)[:count])


def created_of(facts: TagFacts | None) -> datetime | None:
    """Return when an image was made; None if that is unknown, or was not read."""
    if facts is None or "created" not in facts.known:
        return None
    created = facts.created
    return None if created is None or created < EARLIEST else created
