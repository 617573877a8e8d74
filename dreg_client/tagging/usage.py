"""How much space the tags of a repository use, what they share, and what deleting them would free."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dreg_client.copying.digest_tags import digest_tag
from dreg_client.errors import DregError
from dreg_client.models.frozen import FrozenDict
from dreg_client.tagging.facts import ManifestFacts, blobs_of
from dreg_client.tagging.manifest_facts import ManifestReadings
from dreg_client.values.digest import Digest
from dreg_client.values.platform import Platform


@dataclass(frozen=True, slots=True)
class PlatformUsage:
    """The space that one platform of an image uses.

    Attributes:
        digest: The digest of its manifest.
        platform: The platform; None for an artifact.
        size: The size of manifest, config and layers in bytes, each counted once; None if it is not known.
        created: When it was made; None if that is not known.
    """

    digest: Digest
    platform: Platform | None = None
    size: int | None = None
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class TagUsage:
    """The space that the image at a tag uses. Sizes are in bytes, compressed as stored; each blob is counted once.

    Attributes:
        tag: The tag.
        digest: The digest of the manifest or index.
        media_type: Its media type.
        size: The size of all manifests, configs and layers; None if it is not known, as for Docker's schema 1.
        shared_size: The part of `size` that the images of other digests also have; None if it is not known.
        freed_size: What would be freed if the tag were deleted, and with it the image, its referrers and digest tags;
            0 if another tag, an index or a referrer needs the image; None if it is not known, because something that
            may need the image cannot be read.
        image_freed_size: What would be freed if all tags of the image were deleted, and with them the image, its
            referrers and digest tags; 0 if an index or a referrer needs it. If there is one tag, the same as
            `freed_size`.
        platforms: The platforms, in the order of the index, without attestations.
        other_tags: The other tags of the same manifest, without digest tags.
        created: When the image was made; of an index, its newest platform. None if that is not known.
        oldest: When its oldest platform was made; None if that is not known.
    """

    tag: str
    digest: Digest
    media_type: str
    size: int | None = None
    shared_size: int | None = None
    freed_size: int | None = None
    image_freed_size: int | None = None
    platforms: tuple[PlatformUsage, ...] = ()
    other_tags: tuple[str, ...] = ()
    created: datetime | None = None
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """The space that a repository or layout uses.

    Attributes:
        repository: The repository with its registry, or `oci:PATH`.
        tags: The tags, without digest tags: first those of the images that would free the most, the largest ones first
            where that is the same. The tags of an image follow each other.
        digest_tags: The digest tags, such as `sha256-HEX.sig`. Their size is in that of the repository.
        size: The size of everything that a tag leads to, with referrers, in bytes; each blob and manifest is counted
            once, and those whose size is not known are left out.
        blobs: The number of distinct blobs in it.
        manifests: The number of distinct manifests and indexes in it.
        failures: The tags that cannot be read, and why. They are not in `tags`.
    """

    repository: str
    tags: tuple[TagUsage, ...] = ()
    digest_tags: tuple[str, ...] = ()
    size: int = 0
    blobs: int = 0
    manifests: int = 0
    failures: Mapping[str, DregError] = field(default_factory=FrozenDict[str, DregError])

    @property
    def oldest(self) -> datetime | None:
        """When the oldest image was made; None if no date is known."""
        return min((each.oldest for each in self.tags if each.oldest is not None), default=None)

    @property
    def newest(self) -> datetime | None:
        """When the newest image was made; None if no date is known."""
        return max((each.created for each in self.tags if each.created is not None), default=None)


@dataclass(frozen=True, slots=True)
class TagReadings:
    """What was read of a repository.

    Attributes:
        manifests: What was read of its manifests.
        digests: The digests of its tags.
        is_complete: Whether everything that may need an image was read.
    """

    manifests: ManifestReadings
    digests: Mapping[str, Digest]
    is_complete: bool


def usage_of(repository: str, readings: TagReadings, failures: Mapping[str, DregError]) -> Usage:
    """Return the space that a repository uses.

    Args:
        repository: Its name.
        readings: What was read of it.
        failures: The tags that cannot be read, and why.
    """
    readable = {tag: digest for tag, digest in readings.digests.items() if tag not in failures}
    images = {tag: digest for tag, digest in readable.items() if digest_tag(tag) is None}
    found = _Sizes(readings)
    everything = [facts for facts in readings.manifests.manifests.values() if facts.is_read]
    blobs = {blob: size for facts in everything for blob, size in facts.blobs}
    return Usage(
        repository=repository,
        tags=tuple(sorted((found.of(tag, digest) for tag, digest in images.items()), key=_rank)),
        digest_tags=tuple(tag for tag in readable if digest_tag(tag) is not None),
        size=sum(facts.manifest_size for facts in everything) + sum(blobs.values()),
        blobs=len(blobs),
        manifests=len(everything),
        failures=FrozenDict(failures),
    )


def _rank(it: TagUsage) -> tuple[int, int, Digest]:
    return -(it.image_freed_size or 0), -(it.size or 0), it.digest


class _Sizes:
    """The sizes of the images of a repository."""

    def __init__(self, found: TagReadings) -> None:
        readings = found.manifests
        self._readings, self._manifests, self._is_complete = readings, readings.manifests, found.is_complete
        self._tags: dict[Digest, list[str]] = {}
        self._about: dict[Digest, dict[Digest, None]] = {}
        for tag, digest in found.digests.items():
            if (about := digest_tag(tag)) is None:
                self._tags.setdefault(digest, []).append(tag)
            else:
                self._about.setdefault(Digest(about.subject), {})[digest] = None
        self._in_images = self._counted(self._parts(readings.whole(digest)) for digest in self._tags)
        self._in_manifests = self._counted(dict(facts.blobs) for facts in self._manifests.values())
        self._parents = self._found_parents()
        self._held = self._found_held()
        self._known: dict[Digest, tuple[int | None, int | None, int | None]] = {}

    def of(self, tag: str, digest: Digest) -> TagUsage:
        """Return the space that a tag uses."""
        if digest not in self._known:
            self._known[digest] = self._sizes(digest)
        size, shared, freed = self._known[digest]
        others = tuple(each for each in self._tags[digest] if each != tag)
        oldest, created = self._readings.dates_of(digest)
        return TagUsage(
            tag=tag,
            digest=digest,
            media_type=self._manifests[digest].media_type,
            size=size,
            shared_size=shared,
            freed_size=0 if others and freed is not None else freed,
            image_freed_size=freed,
            platforms=tuple(self._platform(image) for image in self._readings.images_in(digest)),
            other_tags=others,
            created=created,
            oldest=oldest,
        )

    def _platform(self, image: ManifestFacts) -> PlatformUsage:
        size = self._readings.size_of([image.digest])
        return PlatformUsage(image.digest, image.platform, size, image.created)

    def _sizes(self, digest: Digest) -> tuple[int | None, int | None, int | None]:
        whole = self._readings.whole(digest)
        size = self._readings.size_of(whole)
        if size is None:
            return None, None, None
        parts = self._parts(whole)
        shared = sum(part_size for part, part_size in parts.items() if self._in_images[part] > 1)
        return size, shared, self._freed(digest) if self._is_complete else None

    def _freed(self, digest: Digest) -> int | None:
        gone = self._goes_along(digest)
        facts = [self._manifests[each] for each in gone]
        if not all(each.is_read for each in facts):
            return None
        own = self._counted(dict(each.blobs) for each in facts)
        freed = sum(size for blob, size in blobs_of(facts).items() if self._in_manifests[blob] == own[blob])
        return freed + sum(each.manifest_size for each in facts)

    def _goes_along(self, digest: Digest) -> dict[Digest, None]:
        """Return what is deleted with a manifest; nothing if something needs it."""
        if digest in self._held or digest in self._parents:
            return {}
        gone: dict[Digest, None] = {digest: None}
        while True:
            near = [below for each in gone for below in self._below(each)]
            new = [each for each in near if each not in gone and self._can_go(each, gone)]
            if not new:
                break
            gone |= dict.fromkeys(new)
        about = [named for each in gone for named in self._about.get(each, ())]
        return gone | dict.fromkeys(each for each in about if self._can_go(each, gone))

    def _below(self, digest: Digest) -> Iterable[Digest]:
        return (*self._manifests[digest].children, *self._readings.referrers.get(digest, ()))

    def _can_go(self, digest: Digest, gone: Collection[Digest]) -> bool:
        if digest in self._tags or digest in self._held or digest not in self._manifests:
            return False
        return all(parent in gone for parent in self._parents.get(digest, ()))

    def _parts(self, digests: Iterable[Digest]) -> dict[Digest, int]:
        """Return manifests and their blobs, with their sizes."""
        found: dict[Digest, int] = {}
        for digest in digests:
            facts = self._manifests[digest]
            found[digest] = facts.manifest_size
            found |= facts.blobs
        return found

    def _counted(self, groups: Iterable[Mapping[Digest, int]]) -> Counter[Digest]:
        found = Counter[Digest]()
        for group in groups:
            found.update(group.keys())
        return found

    def _found_parents(self) -> dict[Digest, list[Digest]]:
        """Return the indexes that name each manifest, without lists of referrers at digest tags."""
        lists = {digest for about in self._about.values() for digest in about}
        found: dict[Digest, list[Digest]] = {}
        for facts in self._manifests.values():
            if facts.digest not in lists:
                for child in facts.children:
                    found.setdefault(child, []).append(facts.digest)
        return found

    def _found_held(self) -> set[Digest]:
        """Return the manifests that tagged referrers refer to, at any depth."""
        found = set[Digest]()
        for digest in self._tags:
            facts = self._manifests.get(digest)
            while facts is not None and facts.subject is not None and facts.subject not in found:
                found.add(facts.subject)
                facts = self._manifests.get(facts.subject)
        return found
