"""Read the valid parts of a document that has errors, for commands that show it."""

from typing import TYPE_CHECKING, Final, TypeVar

from dreg_client import errors
from dreg_client._async.documents import config_of, read_raw_manifest, read_verified, with_digest
from dreg_client._async.ports import AsyncSource
from dreg_client.images.image import ShownImage, platform_of
from dreg_client.models.index import AnyManifest
from dreg_client.models.manifest import ImageManifest
from dreg_client.models.parse import model_of, parse_document, parse_manifest
from dreg_client.models.partial import valid_parts
from dreg_client.models.stored import ParsedModel, keep_digest
from dreg_client.protocol.content import ManifestRef, RawManifest
from dreg_client.values.platform import Platform

if TYPE_CHECKING:  # configs are imported when the first one is read
    from dreg_client.models.config import ImageConfig

M = TypeVar("M", bound=ParsedModel)
DOCUMENT_ERRORS: Final = (
    errors.DocumentError,
    errors.IntegrityError,
    errors.LayoutError,
    errors.ResponseTooLargeError,
    errors.TooManyEntriesError,
    errors.UnsupportedDigestError,
)
"""Errors that concern one document only, unlike errors of connections and of access."""


async def read_partly(source: AsyncSource, reference: ManifestRef) -> AnyManifest:
    """Read a manifest or an index without the parts that break rules; `problems` lists these.

    Raises:
        InvalidDocumentError: Nothing of it can be read.
    """
    found = await read_raw_manifest(source, reference, legacy=False)
    try:
        document = parse_manifest(found.raw, found.media_type, strict=False)
    except errors.MediaTypeMismatchError as failure:  # the kind of the document is unknown
        raise with_digest(failure, found.digest) from None
    except errors.InvalidDocumentError as failure:
        model = model_of(failure.kind) if failure.kind != "document" else None
        if model is None or not issubclass(model, AnyManifest):
            raise failure.at(found.digest) from None
        return _valid_parts(model, found, failure)
    keep_digest(document, found.digest)
    return document


async def read_shown(
    source: AsyncSource, manifest: ImageManifest, platform: Platform | None = None, *, artifact: bool = False
) -> ShownImage:
    """Read the readable parts of an image's config. `platform` is the one that the index states.

    Raises:
        NotAnImageError: It is the manifest of an artifact. With `artifact`, this is an image without a config instead.
    """
    try:
        config = await _read_config_partly(source, manifest)
    except errors.NotAnImageError:
        if not artifact:
            raise
        return ShownImage(platform, manifest, None)
    except (errors.NotFoundError, *DOCUMENT_ERRORS) as failure:
        return ShownImage(platform, manifest, None, failure.with_traceback(None))
    return ShownImage(platform or platform_of(config), manifest, config)


async def _read_config_partly(source: AsyncSource, manifest: ImageManifest) -> "ImageConfig":
    found = await read_verified(source, config_of(manifest), is_blob=True)
    try:
        config = parse_document(found.raw, kind="image-config", strict=False)
    except errors.InvalidDocumentError as failure:
        from dreg_client.models.config import ImageConfig  # noqa: PLC0415 (see above)

        return _valid_parts(ImageConfig, found, failure)
    keep_digest(config, found.digest)
    return config


def _valid_parts(model: type[M], found: RawManifest, failure: errors.InvalidDocumentError) -> M:
    """Return the parts of a document that break no rule; if there are none, raise the error with the digest."""
    document = valid_parts(model, found.raw)
    if document is None:
        raise failure.at(found.digest) from None
    keep_digest(document, found.digest)
    return document
