"""Images as people think of them: what a tag names, the platforms in it, and one platform's config and layers."""

from dataclasses import dataclass, field
from typing import Final

from dreg_client import errors
from dreg_client._sync.image_view import image_view
from dreg_client.asks import Named, Plan, config_of, manifest_of
from dreg_client.images import image as images
from dreg_client.images.html import picture
from dreg_client.images.image import Entry, PlatformImage, Platforms, Step, platform_of
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest, Index, is_attestation
from dreg_client.models.legacy import LegacyManifest
from dreg_client.models.manifest import ImageManifest
from dreg_client.store import Store
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family
from dreg_client.values.platform import Platform

__all__ = [
    "Entry",
    "Image",
    "ImageStore",
    "NamedImage",
    "PlatformImage",
    "Platforms",
    "Step",
    "image_at",
]

MAX_DEPTH: Final = 8
_NOT_HERE: Final = (errors.NotFoundError, errors.UnsupportedDigestError)


class NamedImage(images.NamedImage):
    """What a tag or a digest names, seen as an image, with the plans that read the rest of it."""

    def __init__(self, name: str, reference: Named, document: AnyManifest, entries: tuple[Entry, ...]) -> None:
        super().__init__(name, reference, document, entries)
        self._read: dict[tuple[Digest, Platform | None], PlatformImage] = {}

    def chosen(self, platform: Platform | str | Descriptor) -> Plan[PlatformImage]:
        """The image for a platform, a platform's name, or the digest or descriptor of one of its manifests."""
        return (yield from self._get(self._find(platform)))

    def every(self) -> Plan[tuple[PlatformImage, ...]]:
        """The images of all platforms, in document order."""
        found: tuple[PlatformImage, ...] = ()
        for leaf in self._images():
            found = (*found, (yield from self._get(leaf)))
        return found

    def _get(self, leaf: Entry) -> Plan[PlatformImage]:
        """Each image is read once."""
        key = leaf.descriptor.digest, leaf.platform
        if key not in self._read:
            self._read[key] = leaf.image or (yield from _platform_image(leaf.platform, leaf.descriptor))
        return self._read[key]


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
        """Return the picture that a notebook shows; None if the store is closed, or Jinja2 is not installed."""
        try:
            return picture(image_view(self._store, self, self.tag or self.digest), whole_page=False)
        except (errors.DregError, OSError, ValueError):
            return None


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
    image = PlatformImage(platform_of(config), document, config)
    return document, (Entry(document.descriptor, image.platform, stated=True, image=image),)


def _modern(reference: Named) -> Plan[AnyManifest]:
    document = yield from manifest_of(reference)
    assert not isinstance(document, LegacyManifest)  # noqa: S101 (only asked for by legacy=True)
    return document


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
        walk.platforms[manifest.config.digest] = platform_of((yield from config_of(manifest)))
    return walk.platforms[manifest.config.digest]


def _platform_image(platform: Platform | None, descriptor: Descriptor) -> Plan[PlatformImage]:
    manifest = yield from _modern(descriptor)
    if isinstance(manifest, Index):
        raise errors.NotAnImageError(manifest.media_type, manifest.digest)
    config = yield from config_of(manifest)
    return PlatformImage(platform or platform_of(config), manifest, config)
