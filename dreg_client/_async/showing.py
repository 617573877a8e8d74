"""Reads all that can be shown of an image; what cannot be read is a problem beside the rest."""

from typing import TYPE_CHECKING, Final, cast

from dreg_client import errors
from dreg_client._async.documents import read_config, read_manifest, read_raw_manifest, read_verified
from dreg_client._async.ports import AsyncSource
from dreg_client.images.image import NamedImage, ShownImage, platform_of
from dreg_client.images.problems import Unread
from dreg_client.images.view import (
    DocumentRead,
    ImageRead,
    Plain,
    attestations_of,
    predicate_types,
    view_image,
)
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest
from dreg_client.models.manifest import ImageManifest
from dreg_client.models.parse import model_of, parse_manifest
from dreg_client.models.partial import right_parts
from dreg_client.protocol.content import ManifestRef
from dreg_client.values.platform import Platform

if TYPE_CHECKING:  # configs are imported when the first one is read
    from dreg_client.models.config import ImageConfig

UNREADABLE: Final = (
    errors.DocumentError,
    errors.IntegrityError,
    errors.LayoutError,
    errors.ResponseTooLargeError,
    errors.UnsupportedDigestError,
)
"""Errors of one document, which say nothing about others. Errors of connections and of access are not among them."""


async def read_partly(source: AsyncSource, reference: ManifestRef) -> AnyManifest:
    """Read a manifest or an index without the parts that break rules, which its `problems` list.

    Raises:
        InvalidDocumentError: Nothing of it can be read.
    """
    found = await read_raw_manifest(source, reference, legacy=False)
    try:
        return parse_manifest(found.raw, found.media_type, strict=False)
    except errors.MediaTypeMismatchError:
        pass  # it is not known which kind of document it is
    except errors.InvalidDocumentError as failure:
        if document := right_parts(model_of(failure.kind), found.raw):
            return cast("AnyManifest", document)
    return await read_manifest(source, reference)  # which raises the error, with the digest of the document


async def read_shown(
    source: AsyncSource, manifest: ImageManifest, platform: Platform | None = None, *, artifact: bool = False
) -> ShownImage:
    """Read what can be read of the config of an image; `platform` is the one that its index states.

    Raises:
        NotAnImageError: The manifest is that of an artifact; with `artifact`, it is shown as an image without a config.
    """
    try:
        config = await _config(source, manifest)
    except errors.NotAnImageError:
        if not artifact:
            raise
        return ShownImage(platform, manifest, None)
    except (errors.NotFoundError, *UNREADABLE) as failure:
        return ShownImage(platform, manifest, None, failure)
    return ShownImage(platform or platform_of(config), manifest, config)


async def _config(source: AsyncSource, manifest: ImageManifest) -> "ImageConfig":
    try:
        return await read_config(source, manifest, strict=False)
    except errors.InvalidDocumentError:
        from dreg_client.models.config import ImageConfig  # noqa: PLC0415 (see above)

        found = await read_verified(source, manifest.config, is_blob=True)
        config = right_parts(ImageConfig, found.raw)
        if config is None:
            raise
        return config


async def image_view(
    source: AsyncSource, image: NamedImage, reference: str, chosen: tuple[Descriptor, ...] = ()
) -> Plain:
    """Return the view of an image that was read before; `chosen` are the manifests to show, empty for all."""
    document = image.index or image.manifest
    assert document is not None  # noqa: S101 (an image has a manifest or an index)
    children = _Children(source)
    if image.single:
        children.images = [ShownImage(image.single.platform, image.single.manifest, image.single.config)]
    else:
        for descriptor in chosen or image.entries:
            await children.read(descriptor)
    if not chosen:
        children.unread += [Unread("an entry of the index", *entry) for entry in image.unreadable]
    attestations = [
        (descriptor, await _read_predicate_types(source, descriptor))
        for descriptor in attestations_of(image.attestations, children.images, is_whole=not chosen)
    ]
    return view_image(
        DocumentRead(document, source.address, reference, source.writes_manifests),
        ImageRead(
            image.platforms,
            tuple(children.images),
            tuple(children.missing),
            tuple(attestations),
            is_whole=not chosen,
            artifacts=tuple(children.artifacts),
            unread=tuple(children.unread),
        ),
    )


class _Children:
    """The manifests of an index that were read to be shown."""

    def __init__(self, source: AsyncSource) -> None:
        self._source = source
        self.images: list[ShownImage] = []
        self.artifacts: list[Descriptor] = []
        self.missing: list[tuple[Platform, errors.NotFoundError]] = []
        self.unread: list[Unread] = []

    async def read(self, descriptor: Descriptor) -> None:
        """Read one manifest. An index may list manifests that the store does not have, if one of many was pulled."""
        platform = descriptor.platform.value if descriptor.platform else None
        try:
            manifest = await read_partly(self._source, descriptor)
            if isinstance(manifest, ImageManifest):
                self.images.append(await read_shown(self._source, manifest, platform))
        except errors.NotAnImageError:
            self.artifacts.append(descriptor)
        except errors.NotFoundError as failure:
            if platform:
                self.missing.append((platform, failure))
        except UNREADABLE as failure:
            of = f" of {platform}" if platform else ""
            self.unread.append(Unread(f"the manifest{of}", descriptor, failure))


async def _read_predicate_types(source: AsyncSource, attestation: Descriptor) -> tuple[str, ...]:
    """Return what an attestation states, by predicate types; nothing if it cannot be read."""
    try:
        return predicate_types(await read_manifest(source, attestation))
    except errors.DregError:
        return ()
