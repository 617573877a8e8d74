"""Images as values: the platforms of an index, each with its manifest, config and layers."""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, NoReturn

from dreg_client import errors
from dreg_client.models.config import HistoryEntry, ImageConfig
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest, Index, is_attestation
from dreg_client.models.manifest import ImageManifest
from dreg_client.protocol.content import ManifestRef
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.media_type import Family
from dreg_client.values.platform import Platform, choose

PlatformRef = Platform | str | Descriptor
"""One image of an index: its platform, the platform's name, or the digest or descriptor of its manifest."""


_OF_ONE_PLATFORM: Final = frozenset({"config", "history", "layers", "size", "steps"})
"""Attributes that only the image of one platform has, and that callers may expect on an image of several."""


class Platforms(tuple[Platform, ...]):
    """Platforms in document order. `==` compares them with a tuple in order, and with a set in any order.

    `in` also accepts a string, such as `"linux/amd64" in image.platforms`.

    The class is not hashable, because equal objects must have equal hashes, but equal tuples and frozensets do not. Use
    `tuple(platforms)` or `frozenset(platforms)` as a key.
    """

    __slots__ = ()
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # typeshed does the same for list and set

    def __eq__(self, other: object) -> bool:
        if isinstance(other, set | frozenset):
            return frozenset(self) == other
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __contains__(self, platform: object) -> bool:
        """Return whether a platform, or a string such as `linux/amd64`, is one of them."""
        if isinstance(platform, str):
            try:
                platform = Platform.from_name(platform)
            except errors.InvalidPlatformError:
                return False
        return super().__contains__(platform)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of an index that may be an image, or the single image of a tag without an index.

    Attributes:
        descriptor: The descriptor of the entry.
        platform: The platform; None if it is unknown.
        stated: Whether the index states the platform; otherwise it is the one that the image's config states.
        inner: The entries of a nested index; empty for a manifest, and for an index that the store does not have.
        image: The image, as far as it was read to find its platform; a `PlatformImage` if all of it is valid.
        failure: Why the index, manifest or config could not be read, so that the platform is unknown; otherwise None.
    """

    descriptor: Descriptor
    platform: Platform | None
    stated: bool
    inner: tuple["Entry", ...] = ()
    image: "PlatformImage | ShownImage | None" = None
    failure: errors.DregError | None = None

    def leaves(self) -> Iterator["Entry"]:
        """Yield the manifests of this entry in document order, or the entry itself if it is an unreadable index."""
        if self.descriptor.family is not Family.INDEX or self.failure:
            yield self
        for entry in self.inner:
            yield from entry.leaves()


@dataclass(frozen=True, slots=True)
class Step:
    """A build step: a layer with the instruction that created it, or an instruction without a layer.

    Attributes:
        entry: The instruction, from the config's history; None if the history does not match the layers.
        layer: The layer; None if the instruction created no layer.
    """

    entry: HistoryEntry | None
    layer: Descriptor | None


@dataclass(frozen=True, slots=True)
class PlatformImage:
    """The image of one platform: its manifest and its config, both verified.

    Attributes:
        platform: The platform that the index states, otherwise the one that the config states; None if neither does.
        manifest: The manifest.
        config: The config.
    """

    platform: Platform | None
    manifest: ImageManifest
    config: ImageConfig

    @property
    def digest(self) -> Digest:
        """The digest of the manifest."""
        return self.manifest.digest

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        """The layers, base layer first."""
        return self.manifest.layers

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """The instructions that created the image, oldest first."""
        return self.config.history

    @property
    def size(self) -> int:
        """The total size of the layers in bytes, as stored (compressed)."""
        return self.manifest.image_size

    @property
    def steps(self) -> tuple[Step, ...]:
        """The instructions with the layers that they created.

        If the numbers of layers and instructions with layers differ (CFG-20), all layers come first, without
        instructions, followed by all instructions.
        """
        return steps_of(self.layers, self.config)

    def __repr__(self) -> str:
        return f"PlatformImage({self.platform}, {self.digest.short}, {len(self.layers)} layers, {self.size} bytes)"


@dataclass(frozen=True, slots=True)
class ShownImage:
    """The image of one platform, as far as it could be read.

    Attributes:
        platform: The platform; None if it is unknown.
        manifest: The manifest.
        config: The config, without the members that break rules; None if it cannot be read.
        failure: Why the config cannot be read; otherwise None.
    """

    platform: Platform | None
    manifest: ImageManifest
    config: ImageConfig | None
    failure: errors.DregError | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The instructions and layers, as far as they are known (see `PlatformImage.steps`)."""
        return steps_of(self.manifest.layers, self.config)


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of a manifest or an index that may be images.

    Attributes:
        name: The store's name, for errors.
        document: The manifest or index.
        top: The entries of the index, which contain those of nested indexes; for a manifest, the image itself.
    """

    name: str
    document: AnyManifest
    top: tuple[Entry, ...]

    @property
    def platforms(self) -> Platforms:
        """The distinct platforms, in document order."""
        return Platforms(dict.fromkeys(leaf.platform for leaf in self.leaves() if leaf.platform is not None))

    @property
    def unreadable(self) -> tuple[tuple[Descriptor, errors.DregError], ...]:
        """The entries that could not be read, each with a new copy of the error. Their platforms are unknown."""
        return tuple((leaf.descriptor, copy(leaf.failure)) for leaf in self.leaves() if leaf.failure)

    def leaves(self) -> Iterator[Entry]:
        """Yield the manifests of all entries in document order, and the indexes that could not be read."""
        for entry in self.top:
            yield from entry.leaves()

    def images(self) -> tuple[Entry, ...]:
        """Return the entries of all images, in document order."""
        is_index = isinstance(self.document, Index)
        return tuple(leaf for leaf in self.leaves() if leaf.platform is not None or leaf.failure or not is_index)

    def find(self, platform: PlatformRef) -> Entry:
        """Return the entry of an image.

        Raises:
            PlatformNotFoundError: No image matches the platform.
            NotFoundError: No image has the digest.
        """
        if isinstance(platform, Descriptor) or (isinstance(platform, str) and ":" in platform and "/" not in platform):
            digest = Digest(platform) if isinstance(platform, str) else platform.digest
            leaf = next((leaf for leaf in self.leaves() if leaf.descriptor.digest == digest), None)
            if leaf is None:
                raise errors.NotFoundError(f"image {digest}", f"{self.name}, {self.document.digest.short}")
            return leaf
        wanted = platform if isinstance(platform, Platform) else Platform.from_name(platform)
        entry = choose_entry(self.top, wanted)
        if entry is None:
            if isinstance(self.document, ImageManifest) and (failure := self.top[0].failure):
                raise copy(failure)
            unreadable = tuple(str(descriptor.digest) for descriptor, _ in self.unreadable)
            raise errors.PlatformNotFoundError(str(wanted), tuple(map(str, self.platforms)), unreadable)
        return entry


class NamedImage:
    """The attributes of an image that are known without further requests, for one platform or several.

    Attributes:
        repo: The store's name.
        tag: The requested tag; None if a digest or a descriptor was requested.
        digest: The digest of the manifest or index, as stored.
        manifest: The manifest; None if there is an index.
        index: The index; None if there is a single manifest.
        attestations: The descriptors of attestations, such as BuildKit's provenance. They do not count as platforms.
    """

    repo: str
    tag: str | None
    digest: Digest
    manifest: ImageManifest | None
    index: Index | None
    attestations: tuple[Descriptor, ...]

    if not TYPE_CHECKING:  # with __getattr__, type checkers would accept any attribute

        def __getattr__(self, name: str) -> NoReturn:
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            if name in _OF_ONE_PLATFORM:
                message += f"; read it from the image of one platform: get_platform_image('linux/amd64').{name}"
            raise AttributeError(message, name=name, obj=self)

    def __init__(self, reference: ManifestRef, entries: Entries) -> None:
        document = entries.document
        self.repo, self.digest = entries.name, document.digest
        is_tag = isinstance(reference, str) and reference and digest_fault(reference) is not None
        self.tag = str(reference) if is_tag else None
        self.manifest = document if isinstance(document, ImageManifest) else None
        self.index = document if isinstance(document, Index) else None
        self.attestations = tuple(filter(is_attestation, self.index.manifests)) if self.index else ()
        self._entries = entries

    @property
    def platforms(self) -> Platforms:
        """The distinct platforms of the image in document order. `==` also compares them with a set."""
        return self._entries.platforms

    @property
    def unreadable(self) -> tuple[tuple[Descriptor, errors.DregError], ...]:
        """The entries that could not be read, each with the error. Their platforms are unknown."""
        return self._entries.unreadable

    @property
    def single(self) -> PlatformImage | None:
        """The image of a manifest without an index; None if there is an index."""
        image = None if self.index else self._entries.top[0].image
        return image if isinstance(image, PlatformImage) else None

    @property
    def entries(self) -> tuple[Descriptor, ...]:
        """The descriptors of the manifests with a platform, in document order. Some may be artifacts."""
        return tuple(leaf.descriptor for leaf in self._entries.images() if not leaf.failure)

    def __repr__(self) -> str:
        platforms = ", ".join(map(str, self.platforms))
        return f"{type(self).__name__}({self.repo}, {self.tag or self.digest.short}, {platforms})"


def choose_entry(entries: Sequence[Entry], wanted: Platform) -> Entry | None:
    """Return the manifest that matches a platform best, or None. Platforms that an index states take precedence."""
    stated = [entry for entry in entries if entry.stated]
    position = choose(wanted, [entry.platform for entry in stated])
    if position is not None:
        entry = stated[position]
        return choose_entry(entry.inner, wanted) if entry.descriptor.family is Family.INDEX else entry
    unstated = [leaf for entry in entries if not entry.stated for leaf in entry.leaves()]
    position = choose(wanted, [leaf.platform for leaf in unstated])
    return None if position is None else unstated[position]


def content_of(descriptor: Descriptor) -> tuple[Digest, int, str]:
    """Return what determines the content of a descriptor: two entries with the same content need to be read once."""
    return descriptor.digest, descriptor.size, descriptor.media_type


def indexes_of(entries: Iterable[Entry]) -> Iterator[Digest]:
    """Yield the digests of the nested indexes that contain an image or cannot be read."""
    for entry in entries:
        if entry.descriptor.family is Family.INDEX and any(entry.leaves()):
            yield entry.descriptor.digest
            yield from indexes_of(entry.inner)


def steps_of(layers: tuple[Descriptor, ...], config: ImageConfig | None) -> tuple[Step, ...]:
    """Return instructions with the layers that they created (see `PlatformImage.steps`)."""
    history = config.history if config else ()
    if sum(not entry.empty_layer for entry in history) != len(layers):
        return (*(Step(None, layer) for layer in layers), *(Step(entry, None) for entry in history))
    remaining = iter(layers)
    return tuple(Step(entry, None if entry.empty_layer else next(remaining)) for entry in history)


def platform_of(config: ImageConfig) -> Platform | None:
    """Return the platform that a config states, or None; also None for `unknown/unknown`, which attestations have."""
    return None if config.platform is None or config.platform.is_unknown else config.platform
