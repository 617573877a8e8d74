# Generated from dreg_client/_async/kept_manifests.py by tools/generate_sync.py. Do not edit.
"""Read the manifests that a journal keeps, because a change might lose them."""

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from dreg_client import errors
from dreg_client._sync.change_record import NOTHING, ChangeRecord, Kept
from dreg_client._sync.in_order import AT_A_TIME, in_order
from dreg_client._sync.ports import Destination
from dreg_client.tagging.plan import CopyTag, MoveTag, TagChange, Untag
from dreg_client.values.digest import Digest

_PASSING: Final = (errors.TransportError, errors.RateLimitedError, errors.ServerError)
"""Reading may succeed later, but not after the change."""
KeptOrFailure = Kept | errors.DregError
_NONE: Final[Mapping[Digest, KeptOrFailure]] = MappingProxyType({})


def kept_manifests(
    destination: Destination, record: ChangeRecord, changes: Iterable[TagChange]
) -> Mapping[Digest, KeptOrFailure]:
    """Return the manifests that changes take tags from, or why they cannot be read: each is read once."""
    if not record.keeps:
        return _NONE
    digests = [*dict.fromkeys(digest for change in changes if (digest := losing(change)) is not None)]
    found = in_order(partial(_kept, destination), digests, at_a_time=AT_A_TIME)
    return dict(zip(digests, found, strict=True))


def losing(change: TagChange) -> Digest | None:
    """Return the digest of the manifest that a change takes a tag from; None if it keeps another tag.

    Registries may delete a manifest with its last tag. What a deleted tag names is always kept, because other clients
    may delete its other tags at the same moment.
    """
    match change:
        case Untag():
            return change.digest
        case MoveTag() if not change.other_tags:
            return change.replaces
        case CopyTag():
            return change.replaces
        case _:
            return None


def _kept(destination: Destination, digest: Digest) -> KeptOrFailure:
    try:
        return Kept((destination.fetch_manifest(digest, legacy=True),))
    except _PASSING as failure:
        return failure
    except errors.DregError:
        return NOTHING  # it cannot be read at all, so it cannot be written again either


def kept_of(change: TagChange, kept: Mapping[Digest, KeptOrFailure]) -> KeptOrFailure:
    """Return what the journal keeps for a change, or why that cannot be read."""
    digest = losing(change)
    return NOTHING if digest is None else kept.get(digest, NOTHING)
