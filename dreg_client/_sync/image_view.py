# Generated from dreg_client/_async/image_view.py by tools/generate_sync.py. Do not edit.
"""Read an image or an artifact, and create the view of it (`dreg_client.images.view`)."""

from copy import copy
from dataclasses import replace
from typing import Final

from dreg_client import errors
from dreg_client._sync.documents import read_manifest
from dreg_client._sync.index_walk import entries_of
from dreg_client._sync.partial import DOCUMENT_ERRORS, read_partly
from dreg_client._sync.ports import Source
from dreg_client._sync.showing import read_entry
from dreg_client._sync.store import Store
from dreg_client.images.image import Entries, Entry, ShownImage, content_of, indexes_of
from dreg_client.images.problems import Unread
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
from dreg_client.models.index import Index, is_attestation
from dreg_client.values.digest import Digest
from dreg_client.values.platform import Platform
from dreg_client.values.sizes import MEBIBYTE

_MOST_SHOWN: Final = 8 * MEBIBYTE
"""The bytes of manifests and configs after which no further image is read: all of them are in memory at a time."""


def view(store: Store, reference: str, chosen: tuple[Platform, ...] = ()) -> Plain:
    """Return the view of an image or an artifact, with the `chosen` platforms in this order (empty: all platforms)."""
    source = store.source
    document = read_partly(source, reference)
    try:
        entries = entries_of(source, document, partly=True)
    except errors.NotAnImageError:
        return view_artifact(DocumentRead(document, source.address, reference, source.writes_manifests))
    return image_view(source, entries, reference, chosen)


def image_view(source: Source, entries: Entries, reference: str, chosen: tuple[Platform, ...] = ()) -> Plain:
    """Return the view of an image, with the `chosen` platforms in this order (empty: all platforms)."""
    document = entries.document
    found = [entries.find(platform) for platform in chosen]
    # Two chosen platforms may name the same image, such as linux/arm64 and linux/aarch64.
    shown = {entry.descriptor.digest: entry for entry in found}.values() if chosen else entries.images()
    children = _Children(source)
    for entry in shown:
        children.read(entry)
    listed = document.manifests if isinstance(document, Index) else ()
    attestations = [
        (descriptor, children.predicate_types(descriptor))
        for descriptor in attestations_of(filter(is_attestation, listed), children.images, is_whole=not chosen)
    ]
    return view_image(
        DocumentRead(document, source.address, reference, source.writes_manifests),
        ImageRead(
            entries.platforms,
            tuple(children.images),
            tuple(children.missing),
            tuple(attestations),
            is_whole=not chosen,
            artifacts=tuple(children.artifacts),
            unreadable=tuple(children.unreadable),
            indexes=frozenset(indexes_of(entries.top)),
        ),
    )


class _Children:
    """The manifests to show that were read so far."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._read: dict[tuple[Digest, int, str], ShownImage | errors.DregError] = {}
        self._attested: dict[tuple[Digest, int, str], tuple[str, ...]] = {}
        self._size = 0
        self.images: list[ShownImage] = []
        self.artifacts: list[Descriptor] = []
        self.missing: list[Unread] = []
        self.unreadable: list[Unread] = []

    def read(self, entry: Entry) -> None:
        """Read one manifest. The store may lack manifests of an index, for example if only one platform was pulled."""
        try:
            self.images.append(self._shown(entry))
        except errors.NotAnImageError:
            self.artifacts.append(entry.descriptor)
        except errors.NotFoundError as failure:
            if entry.platform:
                self.missing.append(_unread(entry, failure))
        except DOCUMENT_ERRORS as failure:
            self.unreadable.append(_unread(entry, failure))

    def predicate_types(self, attestation: Descriptor) -> tuple[str, ...]:
        """Return the predicate types of an attestation; none if it cannot be read."""
        key = content_of(attestation)
        if key not in self._attested:
            try:
                self._attested[key] = predicate_types(read_manifest(self._source, attestation))
            except errors.DregError:
                self._attested[key] = ()
        return self._attested[key]

    def _shown(self, entry: Entry) -> ShownImage:
        """Return the image of an entry. A manifest that several platforms share is read once."""
        if entry.image:
            return self._counted(read_entry(self._source, entry))
        key = content_of(entry.descriptor)
        if key not in self._read:
            try:
                self._check_size(entry.descriptor)
                self._read[key] = self._counted(read_entry(self._source, entry))
            except (errors.NotAnImageError, errors.NotFoundError, *DOCUMENT_ERRORS) as failure:
                self._read[key] = failure.with_traceback(None)
        found = self._read[key]
        if isinstance(found, errors.DregError):
            raise copy(found)
        return replace(found, platform=entry.platform or found.platform)

    def _check_size(self, descriptor: Descriptor) -> None:
        if self._size and self._size + descriptor.size > _MOST_SHOWN:
            entries, advice = "bytes of manifests and configs", "choose fewer platforms"
            raise errors.TooManyEntriesError("this image", _MOST_SHOWN, entries, advice)

    def _counted(self, image: ShownImage) -> ShownImage:
        self._size += image.manifest.size + (image.config.size if image.config else 0)
        return image


def _unread(entry: Entry, failure: errors.DregError) -> Unread:
    name = "an entry of the index" if entry.failure else f"the manifest of {entry.platform}"
    return Unread(name, entry.descriptor, failure, entry.platform)
