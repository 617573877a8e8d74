"""Facts about tags, from the manifests and configs that were read."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from sys import intern
from typing import Final

from dreg_client.models.config import ImageConfig
from dreg_client.models.index import AnyManifest, DockerManifestList, Index, is_attestation
from dreg_client.models.legacy import LegacyManifest
from dreg_client.models.manifest import ImageManifest
from dreg_client.protocol.referrers import subject_of
from dreg_client.tagging.facts import EARLIEST, Fact, ManifestFacts, TagFacts, newest, total_size
from dreg_client.values.digest import Digest
from dreg_client.values.platform import Platform
from dreg_client.values.timestamp import Timestamp, is_timestamp

_CREATED: Final = "org.opencontainers.image.created"


def facts_of(document: AnyManifest | LegacyManifest, digest: Digest, one: Callable[[Digest], Digest]) -> ManifestFacts:
    """Return the facts that a manifest or index states itself. `created` is that of its annotation.

    The blobs of Docker's schema 1 have no sizes, so it counts as not read.

    Args:
        document: The document.
        digest: Its digest.
        one: Returns the object that stands for all equal digests, so that memory is used once.
    """
    media_type = intern(document.media_type)
    if isinstance(document, LegacyManifest):
        return ManifestFacts(digest=digest, media_type=media_type, manifest_size=document.size)
    subject = subject_of(document)
    children = document.manifests if isinstance(document, Index) else ()
    return ManifestFacts(
        digest=digest,
        media_type=media_type,
        manifest_size=document.size,
        is_read=True,
        children=tuple(dict.fromkeys(one(entry.digest) for entry in children)),
        blobs=_blobs(document, one) if isinstance(document, ImageManifest) else (),
        subject=one(subject.digest) if subject else None,
        created=_annotated(document),
    )


def stated_platforms(document: AnyManifest) -> Iterable[tuple[Digest, Platform | None]]:
    """Yield the manifests in an index whose platforms it states; None for an attestation, which has none."""
    for entry in document.manifests if isinstance(document, Index) else ():
        if is_attestation(entry):
            yield entry.digest, None
        elif entry.platform is not None:
            yield entry.digest, entry.platform.value


def date_in(config: ImageConfig) -> datetime | None:
    """Return when an image was made, by its config; None if that is unknown."""
    return _known(config.created)


def _blobs(document: ImageManifest, one: Callable[[Digest], Digest]) -> tuple[tuple[Digest, int], ...]:
    return tuple({one(each.digest): each.size for each in (document.config, *document.layers)}.items())


def _annotated(document: AnyManifest) -> datetime | None:
    # Those of a Docker manifest list were not checked: no specification names them.
    annotations = None if isinstance(document, DockerManifestList) else document.annotations
    text = (annotations or {}).get(_CREATED) or ""
    return _known(Timestamp(text)) if is_timestamp(text) else None


def _known(stated: Timestamp | None) -> datetime | None:
    date = stated.datetime if stated is not None else None
    return date if date is not None and date >= EARLIEST else None


@dataclass(frozen=True, slots=True)
class ManifestReadings:
    """What was read of the manifests of a repository.

    Attributes:
        manifests: All manifests and indexes that are known.
        referrers: The referrers of manifests, as far as they were requested.
        attestations: The manifests that indexes name as attestations, which are no platforms.
    """

    manifests: Mapping[Digest, ManifestFacts]
    referrers: Mapping[Digest, tuple[Digest, ...]] = field(default_factory=dict[Digest, tuple[Digest, ...]])
    attestations: Collection[Digest] = ()

    def images_in(self, digest: Digest) -> tuple[ManifestFacts, ...]:
        """Return the manifests of an index that are not indexes, in its order; the manifest itself if it is none."""
        found: dict[Digest, ManifestFacts] = {}
        ahead, seen = [digest], set[Digest]()
        while ahead:
            each = ahead.pop()
            facts = self.manifests.get(each)
            if facts is None or each in seen:
                continue
            seen.add(each)
            if facts.children:
                ahead += reversed(facts.children)
            elif each not in self.attestations or each == digest:
                found[each] = facts
        return tuple(found.values())

    def whole(self, digest: Digest) -> tuple[Digest, ...]:
        """Return a manifest and all that it contains, at any depth."""
        found: dict[Digest, None] = {}
        ahead = [digest]
        while ahead:
            each = ahead.pop()
            if each not in found and each in self.manifests:
                found[each] = None
                ahead += self.manifests[each].children
        return tuple(found)

    def size_of(self, digests: Iterable[Digest]) -> int | None:
        """Return the size of manifests and their blobs, each counted once; None if one of them was not read."""
        return total_size([self.manifests[digest] for digest in dict.fromkeys(digests)])

    def dates_of(self, digest: Digest) -> tuple[datetime | None, datetime | None]:
        """Return when the oldest and the newest image of a manifest or index were made; None for unknown.

        If a platform has no date, that of the annotation of the index is used.
        """
        dates = [image.created for image in self.images_in(digest)]
        last = newest(dates) or self.manifests[digest].created
        known = [date for date in dates if date is not None]
        return (min(known) if known and len(known) == len(dates) else last), last

    def tag_facts(self, name: str, digest: Digest, other_tags: tuple[str, ...], known: frozenset[Fact]) -> TagFacts:
        """Return what is known of a tag."""
        oldest, created = self.dates_of(digest) if "created" in known else (None, None)
        platforms = [image.platform for image in self.images_in(digest)] if "platforms" in known else []
        return TagFacts(
            name=name,
            digest=digest,
            media_type=self.manifests[digest].media_type,
            other_tags=other_tags,
            known=known,
            _created=created,
            _oldest=oldest,
            _size=self.size_of(self.whole(digest)) if "size" in known else None,
            _platforms=tuple(dict.fromkeys(each for each in platforms if each is not None)),
            _referrers=self.referrers.get(digest, ()) if "referrers" in known else (),
        )


class FactsOfTags(Mapping[str, TagFacts]):
    """The facts of tags, each made when it is used: ten thousand of them would take more memory than all manifests.

    Args:
        readings: What was read of the manifests.
        tags_of: Returns the tags of a manifest.
        digests: The digests of the tags.
        known: The facts that were requested.
    """

    def __init__(
        self,
        readings: ManifestReadings,
        tags_of: Callable[[Digest], tuple[str, ...]],
        digests: Mapping[str, Digest],
        known: frozenset[Fact],
    ) -> None:
        self._readings, self._tags_of, self._digests, self._known = readings, tags_of, digests, known

    def __getitem__(self, tag: str) -> TagFacts:
        digest = self._digests[tag]
        others = tuple(each for each in self._tags_of(digest) if each != tag)
        return self._readings.tag_facts(tag, digest, others, self._known)

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)

    def __contains__(self, tag: object) -> bool:
        return tag in self._digests
