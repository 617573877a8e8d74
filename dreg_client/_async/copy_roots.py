"""Find out what to copy: the manifests at tags, the platforms of an index, and what the destination already has."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from dreg_client import errors
from dreg_client._async.documents import read_manifest
from dreg_client._async.in_order import AT_A_TIME, in_order
from dreg_client._async.ports import AsyncDestination, AsyncSource
from dreg_client.copying.schema1 import check_is_modern
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index
from dreg_client.protocol.content import RawManifest
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family
from dreg_client.values.platform import Platform


@dataclass(frozen=True, slots=True)
class Root:
    """A manifest to copy.

    Attributes:
        descriptor: Its descriptor.
        tag: The tag to write it under; empty for its digest.
        new_indexes: The new indexes, which the source does not have.
        mapping: The digests of the indexes that change, old and new.
        partial: The digests of the indexes of which only some platforms are copied, and of what is copied instead.
    """

    descriptor: Descriptor
    tag: str = ""
    new_indexes: tuple[RawManifest, ...] = ()
    mapping: dict[Digest, Digest] = field(default_factory=dict[Digest, Digest])
    partial: dict[Digest, Digest] = field(default_factory=dict[Digest, Digest])


async def resolve_all(source: AsyncSource, references: Sequence[str]) -> list[Descriptor]:
    """Return the descriptors at tags or digests.

    Raises:
        NotFoundError: There is no such manifest.
        UnsupportedError: It is a manifest of Docker's schema 1.
    """
    found = await in_order(source.resolve, references, at_a_time=AT_A_TIME)
    for descriptor in found:
        check_is_modern(descriptor)
    return found


async def current_digests(
    source: AsyncSource, destination: AsyncDestination, roots: Sequence[Root], *, surely: bool
) -> dict[str, Digest]:
    """Return the digests that the tags of roots have in the destination, apart from tags that do not exist.

    With `surely`, also where a registry does not support HEAD, and where manifests are not kept: an image with the same
    config and layers as the root counts as the same.
    """
    tagged = [root for root in roots if root.tag]

    async def current(root: Root) -> Digest | None:
        found = await destination.current_digest(root.tag)
        return await _read_digest(source, destination, root) if found is None and surely else found

    found = await in_order(current, tagged, at_a_time=AT_A_TIME)
    return {root.tag: digest for root, digest in zip(tagged, found, strict=True) if digest is not None}


async def _read_digest(source: AsyncSource, destination: AsyncDestination, root: Root) -> Digest | None:
    try:
        there = await destination.resolve(root.tag)
    except errors.NotFoundError:
        return None
    if destination.writes_manifests and await _content(destination, there) == await _content(source, root.descriptor):
        return root.descriptor.digest
    return there.digest


async def _content(source: AsyncSource, descriptor: Descriptor) -> list[Digest]:
    """Return the digests of what a manifest names."""
    document = await read_manifest(source, descriptor, strict=False)
    named = document.manifests if isinstance(document, Index) else (document.config, *document.layers)
    return [each.digest for each in named]


async def root_of(source: AsyncSource, found: Descriptor, tag: str, platforms: Collection[Platform]) -> Root:
    """Return what to copy of a manifest or an index.

    Without platforms, that is all of it. For one platform, it is the manifest of that platform. For several, it is a
    new index of these, unless the index has no others. An artifact has no platforms, and is copied whole.

    Raises:
        PlatformNotFoundError: There is no image for a platform.
    """
    if not platforms:
        return Root(found, tag)
    from dreg_client._async.platform_selection import select_platforms  # noqa: PLC0415 (most copies are whole)

    selected = await select_platforms(source, found, platforms)
    partial = selected.mapping
    if found.family is Family.INDEX and selected.descriptor.family is not Family.INDEX:
        partial = {found.digest: selected.descriptor.digest}
    return Root(selected.descriptor, tag, selected.new_indexes, selected.mapping, partial)
