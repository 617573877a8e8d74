"""Images as people think of them: what a tag names, the platforms in it, and one platform's config and layers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from dreg_client import errors
from dreg_client.asks import Named, Plan, config_of, manifest_of
from dreg_client.images.html import picture
from dreg_client.images.view import image_view
from dreg_client.models.config import HistoryEntry, ImageConfig
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest, Index, is_attestation
from dreg_client.models.legacy import LegacyManifest
from dreg_client.models.manifest import ImageManifest
from dreg_client.store import Store
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.media_type import Family
from dreg_client.values.platform import Platform, choose

MAX_DEPTH: Final = 8
_NOT_HERE: Final = (errors.NotFoundError, errors.UnsupportedDigestError)


class Platforms(tuple[Platform, ...]):
    """Platforms in document order; equal to any collection of the same ones where that is a set."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, set | frozenset):
            return frozenset(self) == other
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return super().__hash__()


@dataclass(frozen=True, slots=True)
class Entry:
    """What an index lists, as far as it may be an image.

    Attributes:
        descriptor: What the index says.
        platform: What it runs on, None where nothing says so.
        stated: Whether the index itself says so; otherwise the image's config does.
        inner: The entries of the index that it is; empty for a manifest, and for an index that the store lacks.
        image: The image, where it was read already.
    """

    descriptor: Descriptor
    platform: Platform | None
    stated: bool
    inner: tuple["Entry", ...] = ()
    image: "PlatformImage | None" = None

    def leaves(self) -> Iterator["Entry"]:
        """The manifests below, in document order."""
        if self.descriptor.family is not Family.INDEX:
            yield self
        for entry in self.inner:
            yield from entry.leaves()


@dataclass(frozen=True, slots=True)
class Step:
    """A layer and the instruction that made it, or an instruction that left no layer."""

    entry: HistoryEntry | None
    layer: Descriptor | None


@dataclass(frozen=True, slots=True)
class PlatformImage:
    """One platform's image, whole: its manifest and its config, both proven.

    Attributes:
        platform: What it runs on, as the index says, else as its config says.
        manifest: Its manifest.
        config: Its config.
    """

    platform: Platform | None
    manifest: ImageManifest
    config: ImageConfig

    @property
    def digest(self) -> Digest:
        """The digest of its manifest."""
        return self.manifest.digest

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        """Its layers, bottom first."""
        return self.manifest.layers

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """How it was made, first step first."""
        return self.config.history

    @property
    def size(self) -> int:
        """The sum of its layers' sizes, in bytes, as stored (compressed)."""
        return self.manifest.image_size

    @property
    def steps(self) -> tuple[Step, ...]:
        """History and layers side by side; where their numbers do not fit (CFG-20), all layers, then all history."""
        if len(self.config.non_empty_history) != len(self.layers):
            return (*(Step(None, layer) for layer in self.layers), *(Step(entry, None) for entry in self.history))
        layers = iter(self.layers)
        return tuple(Step(entry, None if entry.empty_layer else next(layers)) for entry in self.history)

    def __repr__(self) -> str:
        return f"PlatformImage({self.platform}, {self.digest.short}, {len(self.layers)} layers, {self.size} bytes)"


class NamedImage:
    """What a tag or a digest names, seen as an image with one platform or several; what of it needs no reading.

    Attributes:
        repo: The store's name.
        tag: The tag that was asked for, None when it was a digest or a descriptor.
        digest: The digest of the manifest or index: of its own bytes, nothing is invented.
        manifest: The manifest, None where there is an index.
        index: The index, None where there is one manifest.
        attestations: What tools attach to images (as BuildKit's provenance); no platforms.
    """

    repo: str
    tag: str | None
    digest: Digest
    manifest: ImageManifest | None
    index: Index | None
    attestations: tuple[Descriptor, ...]

    def __init__(self, name: str, reference: Named, document: AnyManifest, entries: tuple[Entry, ...]) -> None:
        self.repo, self.digest = name, document.digest
        is_tag = isinstance(reference, str) and reference and digest_fault(reference) is not None
        self.tag = str(reference) if is_tag else None
        self.manifest = document if isinstance(document, ImageManifest) else None
        self.index = document if isinstance(document, Index) else None
        self.attestations = tuple(filter(is_attestation, self.index.manifests)) if self.index else ()
        self._entries = entries
        self._read: dict[tuple[Digest, Platform | None], PlatformImage] = {}

    @property
    def platforms(self) -> Platforms:
        """What the image runs on, each once, in document order; `==` compares with a set, too."""
        found = (leaf.platform for leaf in self._leaves() if leaf.platform is not None)
        return Platforms(dict.fromkeys(found))

    def chosen(self, platform: Platform | str | Descriptor) -> Plan[PlatformImage]:
        """The image for a platform, a platform's name, or the digest or descriptor of one of its manifests."""
        if isinstance(platform, Descriptor):
            return (yield from self._get(self._by_digest(platform.digest)))
        if isinstance(platform, str) and ":" in platform and "/" not in platform:
            return (yield from self._get(self._by_digest(Digest(platform))))
        wanted = Platform.from_name(platform) if isinstance(platform, str) else platform
        entry = _chosen(self._entries, wanted)
        if entry is None:
            raise errors.PlatformNotFoundError(str(wanted), tuple(map(str, self.platforms)))
        return (yield from self._get(entry))

    def every(self) -> Plan[tuple[PlatformImage, ...]]:
        """The images of all platforms, in document order."""
        found: tuple[PlatformImage, ...] = ()
        for leaf in self._leaves():
            if leaf.platform is not None or not self.index:
                found = (*found, (yield from self._get(leaf)))
        return found

    def _by_digest(self, digest: Digest) -> Entry:
        leaf = next((leaf for leaf in self._leaves() if leaf.descriptor.digest == digest), None)
        if leaf is None:
            raise errors.NotFoundError(f"image {digest}", f"{self.repo}, {self.digest.short}")
        return leaf

    def _leaves(self) -> Iterator[Entry]:
        for entry in self._entries:
            yield from entry.leaves()

    def _get(self, leaf: Entry) -> Plan[PlatformImage]:
        """Each image is read once."""
        key = leaf.descriptor.digest, leaf.platform
        if key not in self._read:
            self._read[key] = leaf.image or (yield from _platform_image(leaf.platform, leaf.descriptor))
        return self._read[key]

    def __repr__(self) -> str:
        platforms = ", ".join(map(str, self.platforms))
        return f"{type(self).__name__}({self.repo}, {self.tag or self.digest.short}, {platforms})"


class Image(NamedImage):
    """What a tag or a digest names, seen as an image with one platform or several (see `NamedImage`)."""

    def __init__(
        self, store: "ImageStore", reference: Named, document: AnyManifest, entries: tuple[Entry, ...]
    ) -> None:
        super().__init__(store.name, reference, document, entries)
        self._store = store

    def get_platform_image(self, platform: Platform | str | Descriptor) -> PlatformImage:
        """The image for a platform, a platform's name, or the digest or descriptor of one of its manifests; read once.

        Raises:
            PlatformNotFoundError: None serves it; the error has the platforms that there are.
            InvalidPlatformError: The text is no platform.
        """
        return self._store.run(self.chosen(platform))

    def get_platform_images(self) -> tuple[PlatformImage, ...]:
        """The images of all platforms, in document order."""
        return self._store.run(self.every())

    def _repr_html_(self) -> str | None:
        """The picture that a notebook shows; nothing where the store cannot be read any more."""
        try:
            seen = image_view(self._store, self, self.tag or self.digest)
        except (errors.DregError, OSError, ValueError):
            return None
        return picture(seen, whole_page=False)


class ImageStore(Store):
    """A store that shows what it holds as images."""

    def get_image(self, reference: Named) -> Image:
        """What a tag, digest or descriptor names, as an image. Reads configs only where an index leaves platforms open.

        Raises:
            NotFoundError: There is no such thing.
            NotAnImageError: It is an artifact.
            DepthLimitError: Indexes are nested more than 8 deep.
        """
        document, entries = self.run(image_at(reference))
        return Image(self, reference, document, entries)


@dataclass(frozen=True, slots=True)
class _Walk:
    """What a walk through indexes has met: indexes, and what manifests and configs run on."""

    seen: set[Digest]
    platforms: dict[Digest, Platform | None] = field(default_factory=dict[Digest, Platform | None])


def image_at(reference: Named) -> Plan[tuple[AnyManifest, tuple[Entry, ...]]]:
    """The manifest or index at a reference, and what may be an image of it."""
    document = yield from _modern(reference)
    if isinstance(document, Index):
        return document, (yield from _entries(document, 1, _Walk({document.digest})))
    config = yield from config_of(document)
    image = PlatformImage(_runs_on(config), document, config)
    return document, (Entry(document.descriptor, image.platform, stated=True, image=image),)


def _modern(reference: Named) -> Plan[AnyManifest]:
    document = yield from manifest_of(reference)
    assert not isinstance(document, LegacyManifest)  # noqa: S101 (only asked for by legacy=True)
    return document


def _runs_on(config: ImageConfig) -> Platform | None:
    """What a config names; an attestation's `unknown/unknown` is nothing that anything runs on."""
    return None if config.platform is None or config.platform.is_unknown else config.platform


def _entries(index: Index, depth: int, walk: _Walk) -> Plan[tuple[Entry, ...]]:
    if depth > MAX_DEPTH:
        raise errors.DepthLimitError(index.digest.short, MAX_DEPTH)
    found: list[Entry] = []
    for descriptor in index.manifests:
        if not is_attestation(descriptor):
            found += yield from _entry(descriptor, depth, walk)
    return tuple(found)


def _entry(descriptor: Descriptor, depth: int, walk: _Walk) -> Plan[list[Entry]]:
    """The entry, none where it is nothing that could be run."""
    platform = descriptor.platform.value if descriptor.platform else None
    stated = platform is not None
    match descriptor.family:
        case Family.INDEX if descriptor.digest not in walk.seen:
            walk.seen.add(descriptor.digest)
            inner = yield from _inner(descriptor, depth, walk)
            return [Entry(descriptor, platform, stated, inner)]
        case Family.MANIFEST | Family.SCHEMA1 if stated:
            return [Entry(descriptor, platform, stated)]
        case Family.MANIFEST:
            platform = yield from _platform_by_config(descriptor, walk)
            return [Entry(descriptor, platform, stated)] if platform else []
        case _:
            return []


def _inner(descriptor: Descriptor, depth: int, walk: _Walk) -> Plan[tuple[Entry, ...]]:
    """The entries of an inner index; none where the store lacks it, so that what is there stays usable."""
    try:
        index = yield from _modern(descriptor)
    except _NOT_HERE:
        return ()
    return (yield from _entries(index, depth + 1, walk)) if isinstance(index, Index) else ()


def _platform_by_config(descriptor: Descriptor, walk: _Walk) -> Plan[Platform | None]:
    """What a manifest runs on, None for an artifact and for what the store lacks; each is read once."""
    if descriptor.digest not in walk.platforms:
        try:
            walk.platforms[descriptor.digest] = yield from _read_platform(descriptor, walk)
        except (errors.NotAnImageError, *_NOT_HERE):
            walk.platforms[descriptor.digest] = None
    return walk.platforms[descriptor.digest]


def _read_platform(descriptor: Descriptor, walk: _Walk) -> Plan[Platform | None]:
    manifest = yield from _modern(descriptor)
    if not isinstance(manifest, ImageManifest):
        return None
    if manifest.config.digest not in walk.platforms:
        walk.platforms[manifest.config.digest] = _runs_on((yield from config_of(manifest)))
    return walk.platforms[manifest.config.digest]


def _platform_image(platform: Platform | None, descriptor: Descriptor) -> Plan[PlatformImage]:
    manifest = yield from _modern(descriptor)
    if isinstance(manifest, Index):
        raise errors.NotAnImageError(manifest.media_type, manifest.digest)
    config = yield from config_of(manifest)
    return PlatformImage(platform or _runs_on(config), manifest, config)


def _chosen(entries: Iterable[Entry], wanted: Platform) -> Entry | None:
    """The manifest that serves a platform: among what indexes state first, then among what configs say."""
    entries = tuple(entries)
    stated = [entry for entry in entries if entry.stated]
    position = choose(wanted, [entry.platform for entry in stated])
    if position is not None:
        entry = stated[position]
        if entry.descriptor.family is not Family.INDEX:
            return entry
        return _chosen(entry.inner, wanted)
    unstated = [leaf for entry in entries if not entry.stated for leaf in entry.leaves()]
    position = choose(wanted, [leaf.platform for leaf in unstated])
    return None if position is None else unstated[position]
