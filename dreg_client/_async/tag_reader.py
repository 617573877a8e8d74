"""Read what is known of the tags of a repository: each fact once, and only as far as it is needed."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from sys import intern
from typing import TYPE_CHECKING, Final, TypeVar

from dreg_client import errors
from dreg_client._async.attempt import attempt
from dreg_client._async.documents import read_config_blob, read_manifest
from dreg_client._async.in_order import AT_A_TIME, in_order
from dreg_client._async.index_walk import MAX_DEPTH
from dreg_client._async.manifests import resolve_manifest
from dreg_client._async.ports import AsyncSource
from dreg_client._logging import log
from dreg_client.copying.digest_tags import digest_tag, is_referrers_tag
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest, Index
from dreg_client.models.legacy import LegacyManifest
from dreg_client.models.manifest import ImageManifest, has_image_config
from dreg_client.protocol.manifests import ManifestHead, name_of
from dreg_client.protocol.referrers import fallback_tag
from dreg_client.tagging.facts import EARLIEST, Fact, ManifestFacts
from dreg_client.tagging.manifest_facts import ManifestReadings, date_in, facts_of, stated_platforms
from dreg_client.tagging.needs import KnownManifests, extent
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import OCI_CONFIG, Family
from dreg_client.values.platform import Platform
from dreg_client.values.reference import RepositoryName

if TYPE_CHECKING:
    from dreg_client._async.registry_source import AsyncRegistrySource

_DOCUMENTS: Final[frozenset[Fact]] = frozenset({"created", "platforms", "size"})
_MANIFESTS: Final = frozenset({Family.MANIFEST, Family.INDEX})
_CONFIGS: Final[frozenset[Fact]] = frozenset({"created", "platforms"})
T = TypeVar("T")
Config = tuple[datetime | None, Platform | None]


class AsyncTagReader:
    """What is known of the tags of a store, and of their manifests.

    What was read is kept as plain facts, and never read again. A tag or document that cannot be read is a failure of
    its own; only errors that all requests would have, such as a refused connection, are raised.

    Args:
        source: The store.

    Attributes:
        digests: The digests of the tags that were read.
        manifests: All manifests and indexes that are known. Those of which only the HEAD was read are not `is_read`.
        referrers: The referrers of manifests, as far as they were requested.
        unreadable: The tags whose digests cannot be read, and why.
        broken: The manifests and indexes that cannot be read, and why.
        without_referrers: The manifests whose referrers cannot be listed, and why.
        without_config: The manifests whose configs cannot be read, and why.
        gone: The tags that are listed, but do not exist.
    """

    def __init__(self, source: AsyncSource) -> None:
        self._source = source
        self.digests: dict[str, Digest] = {}
        self.manifests: dict[Digest, ManifestFacts] = {}
        self.referrers: dict[Digest, tuple[Digest, ...]] = {}
        self.unreadable: dict[str, errors.DregError] = {}
        self.broken: dict[Digest, errors.DregError] = {}
        self.without_referrers: dict[Digest, errors.DregError] = {}
        self.without_config: dict[Digest, errors.DregError] = {}
        self.gone: set[str] = set()
        self._listed: frozenset[str] = frozenset()  # the referrers tags
        self._attestations: set[Digest] = set()
        self._images: set[Digest] = set()  # those that an index names as manifests
        self._platforms: dict[Digest, Platform] = {}
        self._requested: set[Digest] = set()
        self._digests: dict[Digest, Digest] = {}
        self._unread_configs: set[Digest] = set()  # the images whose configs were not read
        self._configs: dict[Digest, Config | errors.DregError] = {}
        self._listed_dates: dict[Digest, datetime] | None = None
        self._known_platforms: dict[Platform, Platform] = {}

    @property
    def readings(self) -> ManifestReadings:
        """The manifests that were read so far, with their referrers and attestations."""
        return ManifestReadings(self.manifests, self.referrers, self._attestations)

    @property
    def may_list_untagged(self) -> bool:
        """True for a layout, and for a registry whose list of tags also names manifests, with or without a tag."""
        registry = self._registry()
        return self._source.client is None if registry is None else registry.may_list_manifests

    async def names(self) -> tuple[str, ...]:
        """List all tags."""
        found = await self._source.tags()
        self._listed = frozenset(filter(is_referrers_tag, found))
        return found

    async def read_digests(self, tags: Iterable[str]) -> None:
        """Read the digests of tags, by one HEAD each."""
        known = (self.digests, self.unreadable, self.gone)
        await self._each(self._read_digest, [tag for tag in tags if not any(tag in each for each in known)])

    async def read_facts(self, digests: Collection[Digest], facts: Collection[Fact]) -> None:
        """Read facts about manifests and what is in them."""
        if not _DOCUMENTS.isdisjoint(facts):
            await self.read_manifests(digests)
        if not _CONFIGS.isdisjoint(facts):
            await self._read_configs(digests)
        if "created" in facts:
            await self._read_listed_dates(digests)
        if "referrers" in facts:
            await self.read_referrers(digests)

    async def read_manifests(self, digests: Iterable[Digest]) -> None:
        """Read manifests and indexes, and all that is in them, by one GET each."""
        level, missing = self._new(digests), set[Digest]()
        for depth in range(MAX_DEPTH + 2):
            if not level:
                break
            if depth > MAX_DEPTH:
                self._give_up(level)
                break
            await self._each(partial(self._read_manifest, missing), level)
            read = [self.manifests[digest] for digest in level if digest in self.manifests]
            level = self._new(child for facts in read for child in facts.children)
        if missing:
            self._drop(missing)

    async def read_referrers(self, digests: Iterable[Digest]) -> None:
        """List the referrers of manifests."""
        new = [each for each in dict.fromkeys(digests) if each not in self.referrers]
        if not new:
            return
        if not await self._read_entries():
            await self._read_referrers(new[0])
            new = new[1:]
            if not self._has_no_lists():
                await self._each(self._read_referrers, new)
                return
            await self._read_lists(new)
        found = self._listed_referrers()
        self.referrers |= {digest: tuple(found.get(digest, ())) for digest in new}

    async def read_extent(self, digests: Collection[Digest]) -> None:
        """Read everything that may be deleted with some manifests: what they contain, and what refers to any of it."""
        while True:
            known = KnownManifests(self.manifests, {}, self.referrers)
            whole = [each for each in extent(known, digests) if each in self.manifests]
            ahead = [each for each in whole if each not in self.referrers]
            if not ahead:
                return
            await self.read_manifests(ahead)
            await self.read_referrers(ahead)
            await self.read_manifests([each for digest in ahead for each in self.referrers[digest]])

    def add(self, digest: Digest, media_type: str, size: int) -> Digest:
        """Add what is known of a manifest that was not read, such as one that the store lists; return its digest."""
        digest = self._one(digest)
        if digest not in self.manifests:
            self.manifests[digest] = ManifestFacts(
                digest=digest, media_type=intern(media_type), manifest_size=size, platform=self._platforms.get(digest)
            )
        return digest

    def failure_of(self, digest: Digest) -> errors.DregError | None:
        """Return why a manifest, or something in it, cannot be read; None if it can, or was not read."""
        if not self.broken and not self.without_config:
            return None
        whole = self.readings.whole(digest)
        found = (self.broken.get(each) or self.without_config.get(each) for each in whole)
        return next((each for each in found if each is not None), None)

    def protecting(self) -> Digest | None:
        """Return a manifest that cannot be read and may need any other one: all but images that only indexes name."""
        if (found := next(iter(self.without_referrers), None)) is not None or not self.broken:
            return found
        tagged = frozenset(self.digests.values())
        return next((each for each in self.broken if each in tagged or each not in self._images), None)

    async def _each(self, function: Callable[[T], Awaitable[None]], items: list[T]) -> None:
        client = self._source.client
        at_a_time = AT_A_TIME if client is None else min(AT_A_TIME, client.connections)
        await in_order(function, items, at_a_time=at_a_time)

    def _new(self, digests: Iterable[Digest]) -> list[Digest]:
        """Return those manifests that were not requested yet, each once."""
        found = [self._one(each) for each in dict.fromkeys(digests) if each not in self._requested]
        self._requested.update(found)
        return found

    def _one(self, digest: Digest) -> Digest:
        """Return the object that stands for all equal digests."""
        return self._digests.setdefault(digest, digest)

    async def _read_digest(self, tag: str) -> None:
        head = await attempt(self._head, tag)
        if isinstance(head, errors.DregError):
            self.unreadable[tag] = head
        elif head is None:
            self.gone.add(tag)
        else:
            self.digests[tag] = self.add(head.digest, head.media_type, head.size)

    async def _head(self, tag: str) -> ManifestHead | None:
        """Return the head of a tag; None if it was deleted since it was listed."""
        try:
            return await self._resolved(tag)
        except errors.NotFoundError:
            # Some registries do not support HEAD, and return 404 (DLD-21).
            try:
                found = await self._source.fetch_manifest(tag, legacy=True)
            except errors.NotFoundError:
                log.warning("%s: the tag %s is listed, but does not exist", self._source.address, tag)
                return None
            return ManifestHead(found.media_type, found.digest, len(found.raw))

    async def _resolved(self, tag: str) -> ManifestHead:
        client = self._source.client
        if client is None:
            found = await self._source.resolve(tag)
            return ManifestHead(found.media_type, found.digest, found.size)
        # Not from a mirror, which may be outdated.
        return await resolve_manifest(
            client, RepositoryName(self._source.name), name_of(tag), mirrored=False, proves=True
        )

    def _give_up(self, digests: Iterable[Digest]) -> None:
        for digest in digests:
            self.broken[digest] = errors.DepthLimitError(digest.short, MAX_DEPTH)
            self._images.discard(digest)
            self.add(digest, "", 0)

    async def _read_manifest(self, missing: set[Digest], digest: Digest) -> None:
        found = await attempt(self._document, digest)
        if isinstance(found, errors.NotFoundError) and digest not in self.manifests:
            missing.add(digest)  # an index may name platforms that were never pushed
        elif isinstance(found, errors.DregError):
            self.broken[digest] = found
            self.add(digest, "", 0)
        else:
            self._keep(found, digest)

    async def _document(self, digest: Digest) -> AnyManifest | LegacyManifest:
        return await read_manifest(self._source, digest, legacy=True, strict=False)

    def _keep(self, document: AnyManifest | LegacyManifest, digest: Digest) -> None:
        """Keep the facts of a document."""
        facts = facts_of(document, digest, self._one)
        self.manifests[digest] = replace(facts, platform=self._platforms.get(digest))
        if isinstance(document, LegacyManifest):
            return
        if isinstance(document, ImageManifest) and has_image_config(document):
            self._unread_configs.add(digest)
        if isinstance(document, Index):
            named = [each.digest for each in document.manifests if each.family is Family.MANIFEST]
            self._images.update(map(self._one, named))
        for child, platform in stated_platforms(document):
            if platform is None:
                self._attestations.add(self._one(child))
            elif child not in self._platforms:
                self._platforms[self._one(child)] = platform
                if (known := self.manifests.get(child)) is not None:
                    self.manifests[child] = replace(known, platform=platform)

    def _drop(self, missing: set[Digest]) -> None:
        """Drop manifests that do not exist from the indexes that name them."""
        for digest, facts in self.manifests.items():
            if not missing.isdisjoint(facts.children):
                there = tuple(child for child in facts.children if child not in missing)
                self.manifests[digest] = replace(facts, children=there)

    async def _read_configs(self, digests: Iterable[Digest]) -> None:
        """Read the configs of all images in manifests, each once."""
        readings = self.readings
        found = {image.digest: image for digest in digests for image in readings.images_in(digest)}
        images = [image for digest, image in found.items() if digest in self._unread_configs]
        wanted = {config_of(image): image for image in images}
        await self._each(self._read_config, [image for each, image in wanted.items() if each not in self._configs])
        for image in images:
            self._unread_configs.discard(image.digest)
            config = self._configs[config_of(image)]
            if isinstance(config, errors.DregError):
                self.without_config[image.digest] = config
                continue
            created, stated = config
            self.manifests[image.digest] = replace(
                image, created=created or image.created, platform=image.platform or stated
            )

    async def _read_listed_dates(self, digests: Iterable[Digest]) -> None:
        """Read the dates of images whose configs have none from the registry's list of all manifests, if it has one."""
        readings, registry = self.readings, self._registry()
        found = {image.digest: image for digest in digests for image in readings.images_in(digest)}
        undated = [image for image in found.values() if image.created is None]
        if registry is None or not undated:
            return
        if self._listed_dates is None:
            listed = await registry.manifest_list() or ()
            self._listed_dates = {each.digest: date for each in listed if (date := each.date(EARLIEST)) is not None}
        for image in undated:
            if (date := self._listed_dates.get(image.digest)) is not None:
                self.manifests[image.digest] = replace(image, created=date)

    async def _read_config(self, image: ManifestFacts) -> None:
        config, size = image.blobs[0]
        self._configs[config] = await attempt(self._config, Descriptor(mediaType=OCI_CONFIG, digest=config, size=size))

    async def _config(self, descriptor: Descriptor) -> Config:
        config = await read_config_blob(self._source, descriptor, strict=False)
        platform = config.platform
        return date_in(config), platform and self._known_platforms.setdefault(platform, platform)

    async def _read_entries(self) -> bool:
        """Read all manifests of a layout, or of a repository in a storage, each once; return False for other stores.

        They would read all of them for each list of referrers.
        """
        if self._source.client is not None:
            return False
        from dreg_client._async.layout_source import AsyncLayoutSource  # noqa: PLC0415 (a registry needs no layouts)
        from dreg_client._async.storage_source import AsyncStorageSource  # noqa: PLC0415 (as above)

        if isinstance(self._source, AsyncStorageSource):
            await self.read_manifests(await self._source.manifests())
            return True
        if not isinstance(self._source, AsyncLayoutSource):
            return False
        entries = [each.digest for each in self._source.index.manifests if each.family in _MANIFESTS]
        await self.read_manifests(entries)
        return True

    def _registry(self) -> "AsyncRegistrySource | None":
        from dreg_client._async.registry_source import AsyncRegistrySource  # noqa: PLC0415 (layouts need no client)

        return self._source if isinstance(self._source, AsyncRegistrySource) else None

    def _has_no_lists(self) -> bool:
        """Return whether the registry keeps no lists of referrers, so that only referrers tags can list them."""
        registry = self._registry()
        return registry is not None and registry.lists_referrers is False

    async def _read_lists(self, digests: Iterable[Digest]) -> None:
        """Read the referrers tags of manifests. Those that the tag list does not name need no request."""
        tags = [tag for digest in digests if (tag := str(fallback_tag(digest))) in self._listed]
        await self.read_digests(tags)
        await self.read_manifests([self.digests[tag] for tag in tags if tag in self.digests])

    def _listed_referrers(self) -> dict[Digest, dict[Digest, None]]:
        """Return the referrers of all manifests that were read, by their subjects and by the referrers tags."""
        found: dict[Digest, dict[Digest, None]] = {}
        for facts in self.manifests.values():
            if facts.subject is not None:
                found.setdefault(facts.subject, {})[facts.digest] = None
        for tag, digest in self.digests.items():
            if (about := digest_tag(tag)) is not None and about.is_referrers_tag:
                found.setdefault(Digest(about.subject), {}).update(dict.fromkeys(self.manifests[digest].children))
        return found

    async def _read_referrers(self, digest: Digest) -> None:
        found = await attempt(self._source.referrers, digest)
        if isinstance(found, errors.DregError):
            self.without_referrers[digest] = found
            found = ()
        self.referrers[digest] = tuple(self.add(each.digest, each.media_type, each.size) for each in found)


def config_of(image: ManifestFacts) -> Digest:
    """Return the digest of the config of an image that was read."""
    return image.blobs[0][0]
