"""Read the readable parts of an image, for commands that show its platforms or the steps of one platform."""

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from typing import Generic, TypeVar

from dreg_client import errors
from dreg_client._async.index_walk import entries_of
from dreg_client._async.partial import read_partly, read_shown
from dreg_client._async.ports import AsyncSource
from dreg_client.images.image import Entries, Entry, PlatformImage, ShownImage
from dreg_client.images.problems import failures_of
from dreg_client.models.index import Index
from dreg_client.models.manifest import ImageManifest
from dreg_client.models.stored import StoredDocument
from dreg_client.protocol.content import ManifestRef
from dreg_client.values.platform import Platform

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Findings(Generic[T]):
    """The result of reading an image to show it.

    Attributes:
        shown: The value to show.
        documents: The documents that were read completely, perhaps with minor errors.
        failures: An error for each document that was read partly or not at all.
    """

    shown: T
    documents: tuple[StoredDocument, ...]
    failures: tuple[errors.DregError, ...]


async def read_platforms(source: AsyncSource, reference: ManifestRef) -> Findings[tuple[Platform, ...]]:
    """Read an image's platforms.

    Raises:
        NotAnImageError: It is an artifact.
    """
    entries = await entries_of(source, await read_partly(source, reference), partly=True)
    images = [entry.image for entry in entries.images() if entry.image]
    # If a manifest or config was read in part, `_findings` reports the failure from the documents.
    unread = [entry.failure for entry in entries.images() if entry.failure and entry.image is None]
    return _findings(tuple(entries.platforms), [entries.document, *_documents(images)], [*_unread(images), *unread])


async def read_chosen(
    source: AsyncSource,
    reference: ManifestRef,
    platform: Platform | None,
    choose: Callable[[Entries, Platform | None], Entry],
) -> Findings[ShownImage]:
    """Read the image of one platform, or an artifact. `choose` selects one of several entries."""
    document = await read_partly(source, reference)
    if platform is None and isinstance(document, ImageManifest):
        image = await read_shown(source, document, artifact=True)
    else:
        entries = await entries_of(source, document, partly=True)
        image = await read_entry(source, choose(entries, platform), artifact=True)
    return _findings(image, [document, *_documents([image])], _unread([image]))


async def read_entry(source: AsyncSource, entry: Entry, *, artifact: bool = False) -> ShownImage:
    """Read the readable parts of an entry, unless they have already been read.

    Raises:
        NotAnImageError: It is an artifact. With `artifact`, this is an image without a config instead.
    """
    match entry.image:
        case ShownImage() as shown:
            return shown
        case PlatformImage() as image:
            return ShownImage(image.platform, image.manifest, image.config)
        case None:
            if entry.failure:
                raise copy(entry.failure)
    manifest = await read_partly(source, entry.descriptor)
    if isinstance(manifest, Index):
        raise errors.NotAnImageError(manifest.media_type, manifest.digest)
    return await read_shown(source, manifest, entry.platform, artifact=artifact)


def _documents(images: Iterable[ShownImage | PlatformImage]) -> Iterator[StoredDocument]:
    for image in images:
        yield image.manifest
        if image.config:
            yield image.config


def _unread(images: Iterable[ShownImage | PlatformImage]) -> list[errors.DregError]:
    """Return the errors of configs that could not be read at all."""
    return [image.failure for image in images if isinstance(image, ShownImage) and image.failure]


def _findings(shown: T, documents: Iterable[StoredDocument], unread: list[errors.DregError]) -> Findings[T]:
    failures_by_document = [
        (document, failures_of(document)) for document in {document.digest: document for document in documents}.values()
    ]
    whole = tuple(document for document, failures in failures_by_document if not failures)
    in_part = [failure for _, failures in failures_by_document for failure in failures]
    return Findings(shown, whole, (*in_part, *unread))
