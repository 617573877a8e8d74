"""How a registry is asked what a store answers, and what a repository besides: plans of requests."""

from collections.abc import Iterable
from typing import Final

from dreg_client import errors
from dreg_client.asks import Ask, Blob, Document, Fetch, Fetched, HasBlob, Named, Referrers, Resolve, Tags, name_in
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.parse import parse_manifest
from dreg_client.models.stored import StoredDocument
from dreg_client.protocol import blobs, manifests
from dreg_client.protocol import tags_and_catalog as listing
from dreg_client.protocol.messages import Exchange
from dreg_client.protocol.referrers import referrers
from dreg_client.values.digest import Digest
from dreg_client.values.reference import DEFAULT_TAG, RepositoryName, Tag

_LISTED: Final = 20
_LOOKED_AT: Final = 1000


def wire_plan(ask: Ask, name: RepositoryName, habits: manifests.Capabilities) -> Exchange[object]:
    """The requests that answer a question, but for blobs, whose bodies no plan holds."""
    match ask:
        case Resolve(reference):
            return (yield from manifests.resolve(name, _named(reference), habits))
        case Fetch(reference, legacy):
            served = yield from manifests.get(name, _named(reference), legacy=legacy)
            return Fetched(manifests.described(served), served.raw)
        case Document(descriptor, limit, is_blob):
            return (yield from _document(name, descriptor, limit, is_blob=is_blob))
        case Tags():
            return (yield from listing.every(listing.tag_pages(name), listing.tags))
        case Referrers(digest, artifact_type):
            return (yield from referrers(name, digest, artifact_type))
        case HasBlob(digest):
            return (yield from blobs.has(name, digest))
        case Blob():
            raise AssertionError(ask)


def _named(reference: str) -> manifests.TagOrDigest:
    return manifests.name_of(reference or DEFAULT_TAG)


def _document(name: RepositoryName, descriptor: Descriptor, limit: int, *, is_blob: bool) -> Exchange[bytes]:
    if descriptor.size > limit:
        raise errors.ResponseTooLargeError(str(descriptor.digest), descriptor.size, limit)
    if is_blob:
        return (yield from blobs.get(name, descriptor))
    served = yield from manifests.get(name, descriptor.digest, limit=limit)
    manifests.check_served(served, descriptor)
    return served.raw


# --- writing


def put(
    name: RepositoryName, document: StoredDocument | bytes, reference: str | None, media_type: str | None
) -> Exchange[Descriptor]:
    """Write a manifest that was checked first."""
    raw = document.raw if isinstance(document, StoredDocument) else document
    manifest = parse_manifest(raw, media_type, legacy=True)
    digest = manifest.digest
    target = manifests.name_of(reference) if reference else digest
    if isinstance(target, Digest) and target != (actual := Digest.of(raw, target.algorithm)):
        raise errors.DigestMismatchError(target, actual, "the manifest to be written")
    yield from manifests.put(name, target, raw, media_type or manifest.media_type)
    return Descriptor(mediaType=media_type or manifest.media_type, digest=digest, size=len(raw))


def tag(name: RepositoryName, reference: Named, new_tags: Iterable[str]) -> Exchange[Digest]:
    """Give further tags to what is there: one GET, and a PUT a tag of the bytes as they came."""
    tags = [Tag(new) for new in new_tags]
    if not tags:
        raise ValueError("which tags? name at least one")
    served = yield from manifests.get(name, _named(name_in(reference)), legacy=True)
    media_type = manifests.described(served).media_type
    parse_manifest(served.raw, media_type, legacy=True)
    for new in tags:
        yield from manifests.put(name, new, served.raw, media_type)
    return served.digest


def untag(name: RepositoryName, old: Tag, habits: manifests.Capabilities) -> Exchange[None]:
    """Delete a tag, and nothing else; where the registry offers only the deletion of all tags of a digest, refuse."""
    try:
        yield from manifests.delete(name, old)
    except errors.UnsupportedError as failure:
        digest, others = yield from _tags_beside(name, old, habits)
        shared = f"deleting {digest} would delete these tags, too: {others}" if others else f"no other tag has {digest}"
        message = f"cannot delete the tag {old} of {name} alone"
        advice = f"{shared}; delete_manifest, or dreg delete, does that"
        where, said = failure.where, failure.said
        raise errors.UnsupportedError(message, where, advice, failure.status, said, failure.request_id) from None


def _tags_beside(name: RepositoryName, tag: Tag, habits: manifests.Capabilities) -> Exchange[tuple[Digest, str]]:
    """The digest of a tag, and the other tags that have it."""
    digest = (yield from manifests.resolve(name, tag, habits)).digest
    tags = yield from listing.every(listing.tag_pages(name), listing.tags)
    others: tuple[str, ...] = ()
    for other in tags[:_LOOKED_AT]:
        if other != tag and (yield from _is_named(name, Tag(other), digest, habits)):
            others = (*others, other)
    more = f" and {len(others) - _LISTED} more" if len(others) > _LISTED else ""
    unseen = f" (of the first {_LOOKED_AT} tags)" if len(tags) > _LOOKED_AT else ""
    return digest, ", ".join(others[:_LISTED]) + more + unseen if others else ""


def _is_named(name: RepositoryName, tag: Tag, digest: Digest, habits: manifests.Capabilities) -> Exchange[bool]:
    try:
        return (yield from manifests.resolve(name, tag, habits)).digest == digest
    except errors.NotFoundError:
        return False
