"""Find out what to copy: the manifests at tags, the platforms of an index, and what the destination already has."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from dreg_client import errors
from dreg_client._async.in_order import in_order
from dreg_client._async.ports import AsyncDestination, AsyncSource
from dreg_client.copying.schema1 import check_is_modern
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.content import RawManifest
from dreg_client.values.digest import Digest
from dreg_client.values.platform import Platform

_AT_A_TIME: Final = 8


@dataclass(frozen=True, slots=True)
class Root:
    """A manifest to copy.

    Attributes:
        descriptor: Its descriptor.
        tag: The tag to write it under; empty for its digest.
        original: The index that it replaces; None if it is copied unchanged.
        made: The new indexes, which the source does not have.
        mapping: The digests of the indexes that change, old and new.
    """

    descriptor: Descriptor
    tag: str = ""
    original: Descriptor | None = None
    made: tuple[RawManifest, ...] = ()
    mapping: dict[Digest, Digest] = field(default_factory=dict[Digest, Digest])


async def resolve_all(source: AsyncSource, references: Sequence[str]) -> list[Descriptor]:
    """Return the descriptors at tags or digests.

    Raises:
        NotFoundError: There is no such manifest.
        UnsupportedMediaTypeError: It is a manifest of Docker's schema 1.
    """
    found = await in_order(source.resolve, references, at_a_time=_AT_A_TIME)
    for descriptor in found:
        check_is_modern(descriptor)
    return found


async def current_digests(destination: AsyncDestination, tags: Sequence[str], *, surely: bool) -> dict[str, Digest]:
    """Return the digests of those tags that exist; with `surely`, also where a registry does not support HEAD."""
    current = partial(_sure_digest, destination) if surely else destination.current_digest
    found = await in_order(current, tags, at_a_time=_AT_A_TIME)
    return {tag: digest for tag, digest in zip(tags, found, strict=True) if digest is not None}


async def _sure_digest(destination: AsyncDestination, tag: str) -> Digest | None:
    if (found := await destination.current_digest(tag)) is not None:
        return found
    try:
        return (await destination.resolve(tag)).digest
    except errors.NotFoundError:
        return None


async def root_of(source: AsyncSource, found: Descriptor, tag: str, platforms: Collection[Platform]) -> Root:
    """Return what to copy of a manifest or an index.

    Without platforms, that is all of it. For one platform, it is the manifest of that platform. For several, it is a
    new index of these, unless the index has no others.

    Raises:
        PlatformNotFoundError: There is no image for a platform.
    """
    if not platforms:
        return Root(found, tag)
    from dreg_client._async.platform_selection import select_platforms  # noqa: PLC0415 (most copies are whole)

    selected = await select_platforms(source, found, platforms)
    original = found if selected.mapping else None
    return Root(selected.descriptor, tag, original, selected.made, selected.mapping)
