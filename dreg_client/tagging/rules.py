"""Rules that keep tags, and rules that remove them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from dreg_client.copying.tag_filter import globs, matches
from dreg_client.tagging.facts import Fact, TagFacts
from dreg_client.tagging.matching import Matching, TagMatch
from dreg_client.tagging.newest import MatchedImage, Order, matched_images
from dreg_client.tagging.planned_tags import PlannedTags
from dreg_client.tagging.recent import Recent
from dreg_client.values.arguments import check_choice, check_flag
from dreg_client.values.digest import Digest

_CREATED: frozenset[Fact] = frozenset({"created"})
_NOTHING: frozenset[Fact] = frozenset()


@dataclass(frozen=True, slots=True)
class Keep:
    """Protect tags from being removed by later rules. They can still be moved.

    Attributes:
        matching: Which tags.
        recent: Keep only images that are recent; with both conditions, those that meet both. An image of which the date
            or the version is unknown is kept.
        untagged: Whether manifests without a tag are also kept; they count among the newest, as the tags do.
    """

    matching: Matching
    recent: Recent = field(default_factory=Recent)
    untagged: bool = False
    reads_all_tags: bool = False

    @classmethod
    def of(
        cls,
        match: TagMatch = None,
        *,
        semver: str | None = None,
        last: int | None = None,
        newer_than: timedelta | str | None = None,
        by: Order = "created",
        untagged: bool = False,
    ) -> "Keep":
        """Return the rule: keep the tags of the `last` newest images, and only if they are younger than an age.

        Raises:
            ValueError: A value is not valid.
            TypeError: A value has the wrong type.
        """
        check_flag("untagged", untagged)
        return cls(Matching.of(match, semver), Recent.of(last, newer_than, by), untagged)

    @property
    def facts(self) -> frozenset[Fact]:
        """The dates, if a condition needs them."""
        return _CREATED if self.recent.needs_dates else _NOTHING

    def chosen(self, names: Iterable[str]) -> list[str]:
        """Return the tags whose digests are needed: without a condition, none."""
        return self.matching.chosen(names) if self.recent.is_given else []

    def with_facts(self, names: Iterable[str]) -> list[str]:
        """Return the tags whose dates are needed."""
        return self.matching.chosen(names) if self.facts else []

    def apply(self, planned: PlannedTags, facts: Mapping[str, TagFacts], now: datetime) -> None:
        """Protect tags. Those that could not be read are protected, too."""
        planned.trace.start(str(self))
        tags = self.matching.chosen(planned.names)
        images = matched_images(planned, tags, facts, untagged=self.untagged)
        unknown = self._unknown(images) if self.recent.is_given else {}
        dropped = self._not_recent(images, now) if self.recent.is_given else {}
        for tag, (digest, reason) in unknown.items():
            planned.report(tag, digest, reason)
        for tag in (*tags, *(image.digest for image in images if not image.tags)):
            if tag in dropped:
                planned.trace.note(tag, f"not kept: {dropped[tag]}")
                continue
            planned.keep(tag)
            planned.trace.note(tag, f"kept: {unknown[tag][1]}" if tag in unknown else "kept")

    def _unknown(self, images: list[MatchedImage]) -> dict[str, tuple[Digest, str]]:
        """Return the digests of the tags whose date or version is needed and unknown, and what is unknown."""
        found = {image: reason for image in images if (reason := self.recent.unknown(image)) is not None}
        return {tag: (image.digest, reason) for image, reason in found.items() for tag in image.names}

    def _not_recent(self, images: list[MatchedImage], now: datetime) -> dict[str, str]:
        newest = self.recent.newest(images)
        found: dict[str, str] = {}
        for image in images:
            if self.recent.unknown(image) is not None:
                continue
            if self.recent.count is not None and image.digest not in newest:
                found |= dict.fromkeys(image.names, f"not {self.recent.newest_text}")
            elif self.recent.younger_than is not None and not self.recent.is_young(image, now):
                found |= dict.fromkeys(image.names, f"not younger than {self.recent.age_text}")
        return found

    def __str__(self) -> str:
        return f"keep {self.matching}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prune:
    """Remove tags, and delete images with their last tag.

    Attributes:
        matching: Which tags.
        recent: Images that are recent by one of the conditions are not removed.
        keep: Globs: tags that are not removed. Their images count among the newest.
        untagged: Whether manifests without a tag are also removed; they count among the newest, as the tags do.
        delete: Whether an image is deleted with its last tag.
        images: None to remove the tags that match. Otherwise, images are removed with all their tags: `any` if one of
            them matches, `all` if all of them match, `each` if each glob matches one of them. Such an image is kept if
            one of its tags is kept.

    Examples:
        >>> Prune.of("nightly-*", keep_last=10, older_than="14d").chosen(["nightly-1", "1.4"])
        ['nightly-1']
    """

    matching: Matching
    recent: Recent = field(default_factory=Recent)
    keep: tuple[str, ...] = ()
    untagged: bool = False
    delete: bool = True
    images: Literal["any", "all", "each"] | None = None
    reads_all_tags: bool = True

    @classmethod
    def of(
        cls,
        match: TagMatch = None,
        *,
        semver: str | None = None,
        keep_last: int | None = None,
        older_than: timedelta | str | None = None,
        by: Order = "created",
        **options: object,
    ) -> "Prune":
        """Return the rule; `options` are the other attributes.

        Raises:
            ValueError: A value is not valid; or neither tags nor a condition are given, so that everything would go.
            TypeError: A value has the wrong type.
        """
        return cls(matching=Matching.of(match, semver), recent=Recent.of(keep_last, older_than, by), **options)  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        for name in ("untagged", "delete"):
            check_flag(name, getattr(self, name))
        if self.images is not None:
            check_choice("images", self.images, ("any", "all", "each"))
        if self.images == "each" and not self.matching.tags.include:
            raise ValueError("images='each' means that each glob matches a tag of the image; choose the tags by globs")
        object.__setattr__(self, "keep", globs("keep", self.keep))
        if self.untagged and not self.delete:
            raise ValueError("untagged manifests can only be deleted: untagged needs delete to be true")
        if self.matching.is_everything and not self.recent.is_given:
            what = "without tags and conditions, all tags would be removed"
            raise ValueError(f"{what}; choose tags, such as 'nightly-*' (or '*' for all), a number or an age")

    @property
    def facts(self) -> frozenset[Fact]:
        """The dates, if a condition needs them."""
        return _CREATED if self.recent.needs_dates else _NOTHING

    def chosen(self, names: Iterable[str]) -> list[str]:
        """Return the tags that match."""
        return self.matching.chosen(names)

    def with_facts(self, names: Iterable[str]) -> list[str]:
        """Return the tags whose dates are needed."""
        return self.chosen(names) if self.facts else []

    def apply(self, planned: PlannedTags, facts: Mapping[str, TagFacts], now: datetime) -> None:
        """Remove tags. Those that could not be read, or whose date is needed and unknown, stay."""
        planned.trace.start(str(self))
        found = matched_images(planned, self.chosen(planned.names), facts, untagged=self.untagged)
        images = [image for image in found if not image.tags or self._has_all(image, planned)]
        newest = self.recent.newest(images)
        for image in images:
            tags = self._tags_of(image, planned)
            if not tags and (image.tags or self._kept_reason(image.digest, planned)):
                continue
            reason = self._recent_reason(image, newest, now)
            if reason is not None:
                self._stay(planned, image, tags, reason)
            elif image.tags:
                self._remove(planned, tags)
            else:
                planned.remove_untagged(image.digest)
                planned.trace.note(image.digest, "removed")

    def _tags_of(self, image: MatchedImage, planned: PlannedTags) -> list[str]:
        """Return the tags of an image to remove, if it is not recent; record why others are kept."""
        tags = image.tags if self.images is None else planned.tags_of(image.digest)
        kept = {tag: reason for tag in tags if (reason := self._kept_reason(tag, planned))}
        for tag, reason in kept.items():
            planned.trace.note(tag, reason)
        if self.images is None:
            return [tag for tag in tags if tag not in kept]
        for tag in tags if kept else ():
            if tag not in kept:
                planned.trace.note(tag, f"not removed: another tag of its image, {next(iter(kept))}, is kept")
        return [] if kept else [*tags]

    def _has_all(self, image: MatchedImage, planned: PlannedTags) -> bool:
        """Return whether an image matches, as `images` says; record why not."""
        tags = planned.tags_of(image.digest)
        reason = None
        if self.images == "all" and (others := [tag for tag in tags if tag not in image.tags]):
            reason = f"another tag of its image, {others[0]}, does not match"
        if self.images == "each":
            absent = [glob for glob in self.matching.tags.include if not any(matches(tag, (glob,)) for tag in tags)]
            reason = f"no tag of its image matches {absent[0]}" if absent else None
        for tag in image.tags if reason else ():
            planned.trace.note(tag, f"not removed: {reason}")
        return reason is None

    def _kept_reason(self, tag: str, planned: PlannedTags) -> str | None:
        if planned.is_kept(tag):
            return "not removed: a rule before it keeps it"
        return "not removed: it matches keep" if self.keep and matches(tag, self.keep) else None

    def _recent_reason(self, image: MatchedImage, newest: frozenset[Digest], now: datetime) -> str | None:
        if (unknown := self.recent.unknown(image)) is not None:
            return unknown
        if image.digest in newest:
            return self.recent.newest_text
        return f"younger than {self.recent.age_text}" if self.recent.is_young(image, now) else None

    def _stay(self, planned: PlannedTags, image: MatchedImage, tags: list[str], reason: str) -> None:
        for tag in tags or image.names:
            planned.trace.note(tag, f"not removed: {reason}")
            if self.recent.unknown(image) is not None:
                planned.report(tag, image.digest, reason)

    def _remove(self, planned: PlannedTags, tags: list[str]) -> None:
        for tag in tags:
            planned.remove(tag, deletes=self.delete, whole=self.images is not None)
            planned.trace.note(tag, "removed" if self.delete else "removed; its image stays")

    def __str__(self) -> str:
        conditions = [f"keep {self.recent.count}"] if self.recent.count is not None else []
        conditions += [f"older than {self.recent.age_text}"] if self.recent.younger_than is not None else []
        return ", ".join([f"{'prune' if self.delete else 'untag'} {self.matching}", *conditions])
