# Generated from dreg_client/_async/orphaned_tags.py by tools/generate_sync.py. Do not edit.
"""Find the digest tags of a destination that are about manifests which no tag leads to any more."""

from collections.abc import Collection, Sequence

from dreg_client._sync.documents import read_manifest
from dreg_client._sync.in_order import AT_A_TIME, in_order
from dreg_client._sync.ports import Source
from dreg_client._sync.sync_ends import SyncPair
from dreg_client.copying.prune import gone_digest_tags
from dreg_client.copying.sync_options import SyncChoice
from dreg_client.models.index import Index
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family


def orphaned_tags(
    pair: SyncPair,
    there: Sequence[str],
    choice: SyncChoice,
    *,
    removed: Collection[str],
    copied: Collection[Digest],
    new: Collection[Digest],
) -> list[str]:
    """Return the digest tags that the source does not have, and that are about unreachable manifests.

    Those that the filter does not choose are included if they are about something that is removed. With platforms, the
    source may still have them, because they are never copied on their own.

    Args:
        pair: The source and the destination.
        there: The tags of the destination.
        choice: The filter, and the platforms.
        removed: The other tags to remove from the destination.
        copied: The digests that tags of the source have or will have in the destination.
        new: The digests, in the source, of the tags that are still to be copied.
    """
    listed = frozenset[str]() if choice.platforms else frozenset(pair.listed)
    gone = {tag: subject for tag, subject in gone_digest_tags(there, listed).items() if subject not in copied}
    lost = _reachable(pair.destination, removed) if gone and removed else set[Digest]()
    gone = {tag: subject for tag, subject in gone.items() if choice.tags.has(tag) or subject in lost}
    if not gone:
        return []
    staying = [tag for tag in there if tag not in gone and tag not in removed]
    needed = {*copied} | _reachable(pair.source, new) | _reachable(pair.destination, staying)
    # A tag that stays may lead to something that another one is about, such as the signature of an SBOM.
    while kept := [tag for tag, subject in gone.items() if subject in needed]:
        gone = {tag: subject for tag, subject in gone.items() if tag not in kept}
        needed |= _reachable(pair.destination, kept)
    return [*gone]


def _reachable(store: Source, references: Collection[str]) -> set[Digest]:
    """Return the digests of the manifests at some tags or digests, and of those in their indexes, at any depth."""
    ahead = in_order(store.resolve, [*references], at_a_time=AT_A_TIME)
    found: set[Digest] = set()
    while ahead:
        descriptor = ahead.pop()
        if descriptor.digest in found:
            continue
        found.add(descriptor.digest)
        if descriptor.family is Family.INDEX:
            document = read_manifest(store, descriptor, strict=False)
            ahead += document.manifests if isinstance(document, Index) else ()
    return found
