# Generated from dreg_client/_async/image_view.py by tools/generate_sync.py. Do not edit.
"""Reads what is shown of an image or an artifact: the documents of a view (`dreg_client.images.view`)."""

from typing import Protocol

from dreg_client._sync.documents import read_manifest
from dreg_client._sync.ports import Source
from dreg_client.errors import DregError, NotAnImageError, NotFoundError
from dreg_client.images.image import PlatformImage
from dreg_client.images.view import (
    DocumentRead,
    ImageRead,
    Plain,
    attestations_of,
    predicate_types,
    view_artifact,
    view_image,
)
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index
from dreg_client.models.manifest import ImageManifest
from dreg_client.protocol.content import ManifestRef
from dreg_client.values.digest import Digest
from dreg_client.values.platform import Platform

Missing = tuple[Platform, NotFoundError]


class ViewableImage(Protocol):
    """What a view needs of an image. A protocol, since images import this module to show themselves in notebooks."""

    @property
    def manifest(self) -> ImageManifest | None: ...

    @property
    def index(self) -> Index | None: ...

    @property
    def attestations(self) -> tuple[Descriptor, ...]: ...

    @property
    def platforms(self) -> tuple[Platform, ...]: ...

    def get_platform_image(self, platform: Platform, /) -> PlatformImage: ...

    def get_platform_images(self) -> tuple[PlatformImage, ...]: ...


class ViewableStore(Protocol):
    """What a view needs of a store."""

    @property
    def source(self) -> Source: ...

    def get_image(self, reference: ManifestRef, /) -> ViewableImage: ...


def view(store: ViewableStore, reference: str, chosen: tuple[Platform, ...] = ()) -> Plain:
    """Return the view of an image or an artifact.

    Args:
        store: The store.
        reference: A tag or digest; empty for the only manifest of the store.
        chosen: The platforms to show, in this order; empty for all.

    Raises:
        PlatformNotFoundError: The image does not have one of the chosen platforms.
        NotFoundError: There is no such manifest, or the store does not have the image of its only platform.
    """
    source = store.source
    try:
        image = store.get_image(reference)
    except NotAnImageError:
        document = read_manifest(source, reference)
        return view_artifact(DocumentRead(document, source.address, reference, source.writes_manifests))
    return image_view(source, image, reference, chosen)


def image_view(source: Source, image: ViewableImage, reference: str, chosen: tuple[Platform, ...] = ()) -> Plain:
    """Return the view of an image that was read before (see `view`).

    Raises:
        PlatformNotFoundError: The image does not have one of the chosen platforms.
        NotFoundError: The store does not have the image of its only platform.
    """
    document = image.index or image.manifest
    assert document is not None  # noqa: S101 (an image has a manifest or an index)
    images, missing = _read_images(image, chosen)
    attestations = [
        (descriptor, _read_predicate_types(source, descriptor))
        for descriptor in attestations_of(image.attestations, images, is_whole=not chosen)
    ]
    return view_image(
        DocumentRead(document, source.address, reference, source.writes_manifests),
        ImageRead(image.platforms, tuple(images), tuple(missing), tuple(attestations), is_whole=not chosen),
    )


def _read_images(image: ViewableImage, chosen: tuple[Platform, ...]) -> tuple[list[PlatformImage], list[Missing]]:
    """Read the images to show; an index may list images that the store does not have, if one of many was pulled."""
    if not chosen:
        try:
            return list(image.get_platform_images()), []
        except NotFoundError:
            if not image.index:
                raise
    images: dict[Digest | Platform, PlatformImage] = {}
    missing: list[Missing] = []
    for platform in chosen or image.platforms:
        try:
            found = image.get_platform_image(platform)
        except NotFoundError as error:
            if not image.index:
                raise
            missing.append((platform, error))
        else:
            # Two of the chosen names may mean one image, such as linux/arm64 and linux/aarch64.
            images[found.digest if chosen else platform] = found
    return list(images.values()), missing


def _read_predicate_types(source: Source, attestation: Descriptor) -> tuple[str, ...]:
    """Return what an attestation states, by predicate types; nothing if it cannot be read."""
    try:
        return predicate_types(read_manifest(source, attestation))
    except DregError:
        return ()
