"""Find the possible images in a manifest or an index."""

from dataclasses import dataclass, field, replace
from typing import Final

from dreg_client import errors
from dreg_client._async.documents import read_manifest
from dreg_client._async.partial import DOCUMENT_ERRORS, read_partly, read_shown
from dreg_client._async.ports import AsyncSource
from dreg_client.images.image import Entries, Entry, ShownImage
from dreg_client.images.problems import failures_of, failures_of_config, whole_image
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest, Index, is_attestation
from dreg_client.models.manifest import ImageManifest
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family
from dreg_client.values.platform import Platform
from dreg_client.values.sizes import MEBIBYTE

MAX_DEPTH: Final = 8
_MOST_KEPT: Final = 8 * MEBIBYTE
_NOT_HERE: Final = (errors.NotFoundError, errors.UnsupportedDigestError)


async def entries_of(source: AsyncSource, document: AnyManifest, *, partly: bool = False) -> Entries:
    """Find the possible images in a manifest or an index; with `partly`, also in nested indexes that break rules.

    Raises:
        NotAnImageError: It is an artifact.
        DepthLimitError: Indexes are nested more than 8 deep.
    """
    if isinstance(document, Index):
        return Entries(source.name, document, await _IndexWalk(source, {document.digest}, partly).entries(document, 1))
    shown = await read_shown(source, document)
    entry = Entry(document.descriptor, shown.platform, stated=True, image=shown, failure=_why_unknown(shown))
    return Entries(source.name, document, (entry,))


def _why_unknown(shown: ShownImage) -> errors.DregError | None:
    """Return why the platform of an image is unknown; None if it is known, or if the config states none."""
    if shown.platform is not None:
        return None
    return next(iter((*failures_of_config(shown), *failures_of(shown.manifest))), None)


@dataclass(slots=True)
class _IndexWalk:
    """A walk through nested indexes.

    Attributes:
        source: The store.
        seen: The digests of the indexes that were visited.
        partly: Whether to also read nested indexes that break rules.
        found: The entries of manifests for which no index states a platform; None for a manifest that is not an image.
        by_config: The images that were read, by the config of such manifests.
        kept: The size in bytes of the documents that are kept. Beyond a limit, documents are read again when needed.
    """

    source: AsyncSource
    seen: set[Digest]
    partly: bool
    found: dict[Digest, Entry | None] = field(default_factory=dict[Digest, Entry | None])
    by_config: dict[Descriptor, ShownImage] = field(default_factory=dict[Descriptor, ShownImage])
    kept: int = 0

    async def entries(self, index: Index, depth: int) -> tuple[Entry, ...]:
        """Return the possible images in an index."""
        if depth > MAX_DEPTH:
            raise errors.DepthLimitError(index.digest.short, MAX_DEPTH)
        found: list[Entry] = []
        for descriptor in index.manifests:
            entry = None if is_attestation(descriptor) else await self._entry(descriptor, depth)
            if entry is not None:
                found.append(entry)
        return tuple(found)

    async def _entry(self, descriptor: Descriptor, depth: int) -> Entry | None:
        """Return the entry for a descriptor; None if it cannot be an image."""
        platform = descriptor.platform.value if descriptor.platform else None
        match descriptor.family:
            case Family.INDEX if descriptor.digest not in self.seen:
                self.seen.add(descriptor.digest)
                return await self._nested(descriptor, platform, depth)
            case Family.MANIFEST | Family.SCHEMA1 if platform is not None:
                return Entry(descriptor, platform, stated=True)
            case Family.MANIFEST:
                if descriptor.digest not in self.found:
                    self.found[descriptor.digest] = await self._unstated(descriptor)
                found = self.found[descriptor.digest]
                return found and replace(found, descriptor=descriptor)
            case _:
                return None

    async def _nested(self, descriptor: Descriptor, platform: Platform | None, depth: int) -> Entry:
        """Return the entry of a nested index. If it is missing, the entry is empty, so that the rest remains usable."""
        is_stated = platform is not None
        try:
            index = await (read_partly if self.partly else read_manifest)(self.source, descriptor)
            inner = await self.entries(index, depth + 1) if isinstance(index, Index) else ()
        except _NOT_HERE:
            return Entry(descriptor, platform, is_stated)
        except DOCUMENT_ERRORS as failure:
            return Entry(descriptor, platform, is_stated, failure=failure.with_traceback(None))
        failures = failures_of(index) if self.partly else ()
        return Entry(descriptor, platform, is_stated, inner, failure=next(iter(failures), None))

    async def _unstated(self, descriptor: Descriptor) -> Entry | None:
        """Return the entry of a manifest whose config states the platform; None for artifacts and missing manifests."""
        try:
            manifest = await read_partly(self.source, descriptor)
            if not isinstance(manifest, ImageManifest):
                return None
            shown = await self._shown(manifest)
        except (errors.NotAnImageError, *_NOT_HERE):
            return None
        except DOCUMENT_ERRORS as failure:
            return Entry(descriptor, None, stated=False, failure=failure.with_traceback(None))
        why = _why_unknown(shown)
        if shown.platform is None and why is None:
            return None
        self.kept += manifest.size
        image = (whole_image(shown, strict=self.source.strict) or shown) if self.kept <= _MOST_KEPT else None
        return Entry(descriptor, shown.platform, stated=False, image=image, failure=why)

    async def _shown(self, manifest: ImageManifest) -> ShownImage:
        """Read the readable parts of an image. A config that several manifests share is read once."""
        config = manifest.config
        if (known := self.by_config.get(config)) is not None:
            return replace(known, manifest=manifest)
        shown = await read_shown(self.source, manifest)
        self.kept += config.size
        if self.kept <= _MOST_KEPT:
            self.by_config[config] = shown
        return shown
