"""Select platforms of an index: one manifest, or a new index of several."""

from collections.abc import Collection
from dataclasses import dataclass, field

from dreg_client import errors
from dreg_client._async.documents import read_manifest
from dreg_client._async.index_walk import entries_of
from dreg_client._async.ports import AsyncSource
from dreg_client.copying.narrowing import narrowed, stays
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index
from dreg_client.protocol.content import RawManifest
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family
from dreg_client.values.platform import Platform


@dataclass(frozen=True, slots=True)
class Selected:
    """The selected platforms.

    Attributes:
        descriptor: The manifest or index with them.
        new_indexes: The new indexes, which the source does not have.
        mapping: The digests of the indexes that change, old and new.
    """

    descriptor: Descriptor
    new_indexes: tuple[RawManifest, ...] = ()
    mapping: dict[Digest, Digest] = field(default_factory=dict[Digest, Digest])


async def select_platforms(source: AsyncSource, found: Descriptor, platforms: Collection[Platform]) -> Selected:
    """Return the manifest of one platform, or an index of several, which is new if the given one has others, too.

    An artifact, and an index of artifacts, have no platforms, and are returned as they are.

    Raises:
        PlatformNotFoundError: There is no image for a platform.
    """
    document = await read_manifest(source, found, strict=False)
    try:
        entries = await entries_of(source, document)
    except errors.NotAnImageError:
        return Selected(found)
    if isinstance(document, Index) and document.manifests and not entries.top:
        return Selected(found)
    chosen = [entries.find(platform).descriptor for platform in platforms]
    if not isinstance(document, Index):
        return Selected(found)
    if len(platforms) == 1:
        return Selected(_plain(chosen[0]))
    selection = _Selection(source, frozenset(entry.digest for entry in chosen))
    changed = await selection.narrow(document)
    return Selected(changed or found, tuple(selection.new_indexes), selection.mapping)


def _plain(entry: Descriptor) -> Descriptor:
    """Return a descriptor without what is said about it in an index."""
    return Descriptor(mediaType=entry.media_type, digest=entry.digest, size=entry.size)


class _Selection:
    """New indexes with only some manifests.

    Attributes:
        new_indexes: The new indexes.
        mapping: Their digests, by those of the original ones.
    """

    def __init__(self, source: AsyncSource, chosen: frozenset[Digest]) -> None:
        self._source, self._chosen = source, chosen
        self.new_indexes: list[RawManifest] = []
        self.mapping: dict[Digest, Digest] = {}

    async def narrow(self, index: Index) -> Descriptor | None:
        """Return the descriptor of an index without the other manifests; None if nothing is left."""
        nested: dict[Digest, Descriptor] = {}
        for entry in index.manifests:
            if entry.family is Family.INDEX:
                inner = await read_manifest(self._source, entry, strict=False)
                changed = await self.narrow(inner) if isinstance(inner, Index) else None
                if changed is not None:
                    nested[entry.digest] = changed
        kept = self._chosen | nested.keys()
        if not any(stays(entry, kept) for entry in index.manifests):
            return None
        raw = narrowed(index, kept, {old: new for old, new in nested.items() if new.digest != old})
        if raw is None:
            return index.descriptor
        made = RawManifest(raw, index.media_type)
        self.new_indexes.append(made)
        self.mapping[index.digest] = made.digest
        return Descriptor(mediaType=index.media_type, digest=made.digest, size=len(raw))
