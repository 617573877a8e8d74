# Generated from dreg_client/_async/images.py by tools/generate_sync.py. Do not edit.
"""Read images: their platforms, and the manifest and config of one platform."""

from contextlib import suppress
from copy import copy
from typing import Self

from dreg_client import errors
from dreg_client._sync._compat import NotebookView
from dreg_client._sync.documents import read_config, read_image_manifest, read_manifest
from dreg_client._sync.image_view import image_view
from dreg_client._sync.index_walk import entries_of
from dreg_client._sync.limits import limited
from dreg_client._sync.ports import Source
from dreg_client.images.html import picture
from dreg_client.images.image import Entries, Entry, NamedImage, PlatformImage, PlatformRef, content_of, platform_of
from dreg_client.models.config import ImageConfig
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index
from dreg_client.models.manifest import ImageManifest
from dreg_client.protocol.content import ManifestRef
from dreg_client.values.digest import Digest
from dreg_client.values.platform import Platform


class Image(NotebookView, NamedImage):
    """The image at a tag, a digest or a descriptor, with one or more platforms.

    Attributes:
        repo: The store's name.
        tag: The tag that was requested; None for a digest or a descriptor.
        digest: The digest of the manifest or index.
        manifest: The manifest, if the image is a single manifest; otherwise None.
        index: The index, if there is one; otherwise None.
        attestations: Descriptors of attestations, such as BuildKit's provenance, which do not count as platforms.
        platforms: The distinct platforms, in document order. `==` also compares them with a set.

    Example:
        with Registry("localhost:5000") as registry:
            image = registry.repository("acme/web").get_image("1.4")
            web = image.get_platform_image("linux/arm64")
            print(*image.platforms, web.config.architecture)
    """

    def __init__(
        self,
        source: Source,
        reference: ManifestRef,
        entries: Entries,
        *,
        owns_source: bool = False,
        deadline: float | None = None,
    ) -> None:
        super().__init__(reference, entries)
        self._source, self._owns_source = source, owns_source
        self._read: dict[tuple[Digest, Platform | None], PlatformImage] = {}
        self._content: dict[tuple[Digest, int, str], tuple[ImageManifest, ImageConfig]] = {}
        self._deadline_seconds = deadline

    def close(self) -> None:
        """Close the store, if `open_image` opened it. Otherwise, the store stays open."""
        if self._owns_source:
            self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @limited
    def get_platform_image(self, platform: PlatformRef) -> PlatformImage:
        """Return the image for one platform.

        `platform` is a platform or its name, or the digest or descriptor of its manifest. Each image is read once.

        Raises:
            PlatformNotFoundError: There is no image for the platform. The message lists the available platforms.
            NotFoundError: The image has no manifest with this digest, or the store does not have the manifest.
            InvalidPlatformError: The text is not a valid platform.
            InvalidDigestError: The text is not a valid digest.
        """
        return self._platform_image(self._entries.find(platform))

    @limited
    def get_platform_images(self) -> tuple[PlatformImage, ...]:
        """Return the images of all platforms, in document order, without artifacts."""
        images: list[PlatformImage] = []
        for entry in self._entries.images():
            with suppress(errors.NotAnImageError):
                images.append(self._platform_image(entry))
        return tuple(images)

    def get_descriptor(self, platform: PlatformRef) -> Descriptor:
        """Return the descriptor of a platform's manifest, which may be an artifact. The manifest is not read.

        Raises:
            PlatformNotFoundError: There is no manifest for the platform. The message lists the available platforms.
            NotFoundError: The image has no manifest with this digest.
            InvalidPlatformError: The text is not a valid platform.
            InvalidDigestError: The text is not a valid digest.
        """
        return self._entries.find(platform).descriptor

    def _html(self) -> str | None:
        """Return the HTML view for a notebook; None if the store can no longer be read, or Jinja2 is missing."""
        try:
            return picture(image_view(self._source, self._entries, self.tag or self.digest), whole_page=False)
        except (errors.DregError, OSError, ValueError):
            return None

    def _platform_image(self, entry: Entry) -> PlatformImage:
        if entry.failure:
            raise copy(entry.failure)
        key = entry.descriptor.digest, entry.platform
        if key not in self._read:
            image = entry.image
            self._read[key] = image if isinstance(image, PlatformImage) else self._read_platform_image(entry)
        return self._read[key]

    def _read_platform_image(self, entry: Entry) -> PlatformImage:
        known = self._content.get(content_of(entry.descriptor))
        if known is None:  # several platforms may share a manifest
            manifest = read_image_manifest(self._source, entry.descriptor)
            known = manifest, read_config(self._source, manifest)
            self._content[content_of(entry.descriptor)] = known
        manifest, config = known
        return PlatformImage(entry.platform or platform_of(config), manifest, config)


def read_image(
    source: Source, reference: ManifestRef, *, owns_source: bool = False, deadline: float | None = None
) -> Image:
    """Read the manifest or index at a reference, and find its images.

    Args:
        source: The store.
        reference: The tag, the digest or the descriptor.
        owns_source: Whether closing the image closes the store.
        deadline: The time for each call of a method of the image, in seconds; None: no limit.

    Raises:
        NotAnImageError: The manifest is that of an artifact.
        DepthLimitError: Indexes are nested more than 8 deep.
    """
    document = read_manifest(source, reference)
    if isinstance(document, Index):
        entries = entries_of(source, document)
    else:
        config = read_config(source, document)
        image = PlatformImage(platform_of(config), document, config)
        entries = Entries(
            source.name, document, (Entry(document.descriptor, image.platform, stated=True, image=image),)
        )
    return Image(source, reference, entries, owns_source=owns_source, deadline=deadline)
