"""What is known of tags and manifests, read once and only as far as rules need it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from dreg_client.values.digest import Digest
from dreg_client.values.platform import Platform

Fact = Literal["created", "size", "platforms", "referrers"]
"""A fact that takes more requests than the HEAD of a tag.

- `size`: one GET for each distinct manifest, and for each manifest in an index.
- `platforms`, `created`: the same, and one GET for each config.
- `referrers`: one request for each distinct manifest.
"""

EARLIEST: Final = datetime(1980, 1, 2, tzinfo=UTC)
"""An earlier date is unknown: reproducible builds use 1970-01-01 or 1980-01-01."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestFacts:
    """What was read of one manifest or index.

    Attributes:
        digest: Its digest.
        media_type: Its media type.
        manifest_size: The size of the document itself, in bytes.
        is_read: Whether the document was read; otherwise, all that follows is unknown.
        children: The manifests that an index names and that exist.
        blobs: The config and the layers, with their sizes in bytes.
        subject: The manifest that it refers to; None if there is none.
        platform: The platform of an image.
        created: When an image was made, by its config, or else by its annotation; None if that is unknown, or was not
            read.
    """

    digest: Digest
    media_type: str
    manifest_size: int = 0
    is_read: bool = False
    children: tuple[Digest, ...] = ()
    blobs: tuple[tuple[Digest, int], ...] = ()
    subject: Digest | None = None
    platform: Platform | None = None
    created: datetime | None = None


def blobs_of(manifests: Iterable[ManifestFacts]) -> dict[Digest, int]:
    """Return the blobs of some manifests, each once, with their sizes in bytes."""
    return {blob: size for each in manifests for blob, size in each.blobs}


def total_size(manifests: Collection[ManifestFacts]) -> int | None:
    """Return the size of manifests and their blobs, each counted once; None if one of them was not read."""
    if not all(each.is_read for each in manifests):
        return None
    return sum(each.manifest_size for each in manifests) + sum(blobs_of(manifests).values())


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFacts:
    """What is known of a tag. A function that is passed to `decide` gets one for each tag.

    Facts that were not requested by `facts=` raise `ValueError` when they are used.

    Attributes:
        name: The tag; empty for a manifest without a tag.
        digest: The digest of its manifest or index.
        media_type: The media type of the manifest or index.
        other_tags: The other tags of the same manifest, without digest tags.
        known: The facts that were requested.
    """

    name: str
    digest: Digest
    media_type: str
    other_tags: tuple[str, ...] = ()
    known: frozenset[Fact] = frozenset()
    _created: datetime | None = field(default=None, repr=False)
    _oldest: datetime | None = field(default=None, repr=False)
    _size: int | None = field(default=None, repr=False)
    _platforms: tuple[Platform, ...] = field(default=(), repr=False)
    _referrers: tuple[Digest, ...] = field(default=(), repr=False)

    @property
    def created(self) -> datetime | None:
        """The creation time of the image; for an index, that of its newest platform. None if unknown."""
        self._check("created")
        return self._created

    @property
    def oldest(self) -> datetime | None:
        """The creation time of the oldest platform of the image. None if unknown."""
        self._check("created")
        return self._oldest

    @property
    def size(self) -> int | None:
        """The total size of the manifests, configs and layers of all platforms, in bytes; each is counted once."""
        self._check("size")
        return self._size

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms of the image, in the order of its index."""
        self._check("platforms")
        return self._platforms

    @property
    def referrers(self) -> tuple[Digest, ...]:
        """The signatures, SBOMs and other referrers of the manifest."""
        self._check("referrers")
        return self._referrers

    def _check(self, fact: Fact) -> None:
        if fact not in self.known:
            message = f"{fact!r} of {self.name or self.digest} was not read; add facts=[{fact!r}] to the rule"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a function decides about a tag. Without a decision, it returns None.

    Attributes:
        action: `keep`, `untag`, `prune` or `tag`.
        tags: The tags to add, for `tag`.
    """

    action: Literal["keep", "untag", "prune", "tag"]
    tags: tuple[str, ...] = ()

    @classmethod
    def keep(cls) -> "Decision":
        """Keep the tag; later rules do not remove it either."""
        return cls("keep")

    @classmethod
    def untag(cls) -> "Decision":
        """Delete the tag. Its manifest stays, even if it has no other tag."""
        return cls("untag")

    @classmethod
    def prune(cls) -> "Decision":
        """Delete the tag, and the manifest if no tag of it is left."""
        return cls("prune")

    @classmethod
    def tag(cls, *tags: str) -> "Decision":
        """Add tags to the same manifest. A tag that names another manifest is moved."""
        return cls("tag", tags)


def newest(dates: Collection[datetime | None]) -> datetime | None:
    """Return the newest of some dates; None if one of them is unknown, or there are none.

    Examples:
        >>> newest([datetime(2024, 1, 1), datetime(2025, 1, 1)]).year, newest([datetime(2024, 1, 1), None])
        (2025, None)
    """
    known = [date for date in dates if date is not None]
    return max(known) if known and len(known) == len(dates) else None
