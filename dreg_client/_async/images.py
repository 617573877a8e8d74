"""Reading images: what a tag or a digest names, the platforms in it, and one platform's manifest and config."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Self

from dreg_client import errors
from dreg_client._async._compat import NotebookView
from dreg_client._async.documents import read_config, read_image_manifest, read_manifest
from dreg_client._async.ports import AsyncSource
from dreg_client._async.showing import UNREADABLE, image_view
from dreg_client.images.html import picture
from dreg_client.images.image import Entry, NamedImage, PlatformImage, PlatformRef, platform_of
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest, Index, is_attestation
from dreg_client.protocol.content import ManifestRef
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family
from dreg_client.values.platform import Platform

MAX_DEPTH: Final = 8
_NOT_HERE: Final = (errors.NotFoundError, errors.UnsupportedDigestError)


class AsyncImage(NotebookView, NamedImage):
    """What a tag, a digest or a descriptor names, as an image with one platform or several.

    Attributes:
        repo: The store's name.
        tag: The tag that was requested; None if it was a digest or a descriptor.
        digest: The digest of the manifest or index.
        manifest: The manifest; None if there is an index.
        index: The index; None if there is a single manifest.
        attestations: Descriptors of attestations, such as BuildKit's provenance; they are not platforms.
        platforms: The platforms, each once, in document order; `==` also compares with a set.

    Example:
        async with AsyncRegistry("localhost:5000") as registry:
            image = await registry.repository("acme/web").get_image("1.4")
            web = await image.get_platform_image("linux/arm64")
            print(*image.platforms, web.config.architecture)
    """

    def __init__(
        self,
        source: AsyncSource,
        reference: ManifestRef,
        document: AnyManifest,
        entries: tuple[Entry, ...],
        *,
        owns_source: bool = False,
    ) -> None:
        super().__init__(source.name, reference, document, entries)
        self._source, self._owns_source = source, owns_source
        self._read: dict[tuple[Digest, Platform | None], PlatformImage] = {}

    async def close(self) -> None:
        """Close the store, if `aopen_image` opened the image. The store of any other image stays open."""
        if self._owns_source:
            await self._source.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def get_platform_image(self, platform: PlatformRef) -> PlatformImage:
        """Return the image for a platform, a platform's name, or the digest or descriptor of one of its manifests.

        Each image is read once.

        Raises:
            PlatformNotFoundError: No image runs on the platform; the error lists the platforms that there are.
            NotFoundError: The image has no manifest with this digest, or the store does not have the manifest.
            InvalidPlatformError: The text is not a valid platform.
            InvalidDigestError: The text is not a valid digest.
        """
        return await self._platform_image(self._find(platform))

    async def get_platform_images(self) -> tuple[PlatformImage, ...]:
        """Return the images of all platforms, in document order; artifacts among them are left out."""
        images: list[PlatformImage] = []
        for entry in self._images():
            with suppress(errors.NotAnImageError):
                images.append(await self._platform_image(entry))
        return tuple(images)

    async def get_descriptor(self, platform: PlatformRef) -> Descriptor:
        """Return the descriptor of a platform's manifest, which may be an artifact; it is not read.

        Raises:
            PlatformNotFoundError: Nothing runs on the platform; the error lists the platforms that there are.
            NotFoundError: The image has no manifest with this digest.
            InvalidPlatformError: The text is not a valid platform.
            InvalidDigestError: The text is not a valid digest.
        """
        return self._find(platform).descriptor

    async def _html(self) -> str | None:
        """Return the picture for a notebook; None if the store cannot be read any more, or Jinja2 is missing."""
        try:
            return picture(await image_view(self._source, self, self.tag or self.digest), whole_page=False)
        except (errors.DregError, OSError, ValueError):
            return None

    async def _platform_image(self, entry: Entry) -> PlatformImage:
        if entry.failure:
            raise entry.failure
        key = entry.descriptor.digest, entry.platform
        if key not in self._read:
            self._read[key] = entry.image or await self._read_platform_image(entry)
        return self._read[key]

    async def _read_platform_image(self, entry: Entry) -> PlatformImage:
        manifest = await read_image_manifest(self._source, entry.descriptor)
        config = await read_config(self._source, manifest)
        return PlatformImage(entry.platform or platform_of(config), manifest, config)


async def read_image(source: AsyncSource, reference: ManifestRef, *, owns_source: bool = False) -> AsyncImage:
    """Read the manifest or index at a reference, and find the images in it.

    Raises:
        NotAnImageError: It is an artifact.
        DepthLimitError: Indexes are nested more than 8 deep.
    """
    return await image_of(source, reference, await read_manifest(source, reference), owns_source=owns_source)


async def image_of(
    source: AsyncSource, reference: ManifestRef, document: AnyManifest, *, owns_source: bool = False
) -> AsyncImage:
    """Find the images in a manifest or index that was read already (see `read_image`)."""
    if isinstance(document, Index):
        entries = await _IndexWalk(source, {document.digest}).entries(document, 1)
    else:
        config = await read_config(source, document)
        image = PlatformImage(platform_of(config), document, config)
        entries = (Entry(document.descriptor, image.platform, stated=True, image=image),)
    return AsyncImage(source, reference, document, entries, owns_source=owns_source)


@dataclass(frozen=True, slots=True)
class _IndexWalk:
    """A walk through nested indexes, with the indexes it met, and the platforms that manifests and configs state."""

    source: AsyncSource
    seen: set[Digest]
    platforms: dict[Digest, Platform | None] = field(default_factory=dict[Digest, Platform | None])

    async def entries(self, index: Index, depth: int) -> tuple[Entry, ...]:
        """Return what may be an image in an index."""
        if depth > MAX_DEPTH:
            raise errors.DepthLimitError(index.digest.short, MAX_DEPTH)
        found: list[Entry] = []
        for descriptor in index.manifests:
            entry = None if is_attestation(descriptor) else await self._entry(descriptor, depth)
            if entry is not None:
                found.append(entry)
        return tuple(found)

    async def _entry(self, descriptor: Descriptor, depth: int) -> Entry | None:
        """Return the entry for a descriptor, None if it is nothing that can be run."""
        platform = descriptor.platform.value if descriptor.platform else None
        is_stated = platform is not None
        match descriptor.family:
            case Family.INDEX if descriptor.digest not in self.seen:
                self.seen.add(descriptor.digest)
                try:
                    return Entry(descriptor, platform, is_stated, await self._nested(descriptor, depth))
                except UNREADABLE as failure:
                    return Entry(descriptor, platform, is_stated, failure=failure)
            case Family.MANIFEST | Family.SCHEMA1 if is_stated:
                return Entry(descriptor, platform, is_stated)
            case Family.MANIFEST:
                try:
                    platform = await self._platform_by_config(descriptor)
                except UNREADABLE as failure:
                    return Entry(descriptor, None, is_stated, failure=failure)
                return Entry(descriptor, platform, is_stated) if platform else None
            case _:
                return None

    async def _nested(self, descriptor: Descriptor, depth: int) -> tuple[Entry, ...]:
        """Return the entries of a nested index; none if it is missing, so that the rest stays usable."""
        try:
            index = await read_manifest(self.source, descriptor)
        except _NOT_HERE:
            return ()
        return await self.entries(index, depth + 1) if isinstance(index, Index) else ()

    async def _platform_by_config(self, descriptor: Descriptor) -> Platform | None:
        """Return the platform that a manifest's config states; None for artifacts and for what is missing."""
        if descriptor.digest not in self.platforms:
            try:
                manifest = await read_image_manifest(self.source, descriptor)
                config = manifest.config.digest
                if config not in self.platforms:
                    self.platforms[config] = platform_of(await read_config(self.source, manifest))
                self.platforms[descriptor.digest] = self.platforms[config]
            except (errors.NotAnImageError, *_NOT_HERE):
                self.platforms[descriptor.digest] = None
        return self.platforms[descriptor.digest]
