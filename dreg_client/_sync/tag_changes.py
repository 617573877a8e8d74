# Generated from dreg_client/_async/tag_changes.py by tools/generate_sync.py. Do not edit.
"""Add, move and delete tags, each only if it still names what the plan says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from dreg_client import errors
from dreg_client._sync.change_record import ChangeRecord
from dreg_client._sync.in_order import AT_A_TIME, in_order
from dreg_client._sync.kept_manifests import KeptOrFailure, kept_manifests, kept_of
from dreg_client._sync.ports import Destination
from dreg_client.copying.batches import batches_of_manifests
from dreg_client.errors.stores import listed
from dreg_client.protocol.content import RawManifest
from dreg_client.tagging.plan import AddTag, CopyTag, MoveTag, TagChange, Untag
from dreg_client.values.digest import Digest

_BATCH: Final = 64
"""The most manifests to hold in memory. Each is read once, however many tags get it."""
NewTag = AddTag | MoveTag | CopyTag
C = TypeVar("C", NewTag, Untag)


class TagChanges:
    """Changes of the tags of a repository.

    Args:
        destination: The repository.
        record: What becomes of the changes.
        kept: Manifests that may no longer exist in the repository, by digest.
    """

    def __init__(
        self,
        destination: Destination,
        record: ChangeRecord,
        kept: Mapping[Digest, RawManifest] | None = None,
    ) -> None:
        self._destination, self._record, self._kept = destination, record, kept or {}

    def write_all(self, changes: Iterable[NewTag]) -> None:
        """Add and move tags. Each manifest is read once."""
        for batch in self._batches(changes):
            digests = list(dict.fromkeys(each.digest for each in batch))
            manifests = in_order(self._manifest, digests, at_a_time=AT_A_TIME)
            kept = kept_manifests(self._destination, self._record, batch)
            write = partial(self._write, dict(zip(digests, manifests, strict=True)), kept)
            in_order(write, batch, at_a_time=AT_A_TIME)

    def _batches(self, changes: Iterable[C]) -> Iterator[list[C]]:
        left = (each for each in changes if not self._record.is_over(each))
        return batches_of_manifests(left, lambda change: change.digest, _BATCH)

    def _manifest(self, digest: Digest) -> RawManifest | errors.DregError:
        """Return a manifest, or why it cannot be read."""
        try:
            return self._destination.fetch_manifest(digest, legacy=True)
        except errors.DregError as failure:
            return self._kept.get(digest, failure)

    def _write(
        self,
        manifests: Mapping[Digest, RawManifest | errors.DregError],
        kept: Mapping[Digest, KeptOrFailure],
        change: NewTag,
    ) -> None:
        manifest = manifests[change.digest]
        if isinstance(manifest, errors.DregError):
            self._record.fail(change, manifest)
        else:
            write = partial(write_tag, self._destination, change, manifest)
            self._record.make_with(change, write, kept_of(change, kept))

    def delete_all(self, changes: Sequence[Untag], new: Iterable[TagChange] = ()) -> None:
        """Delete tags, except those of manifests that were to get one of some new tags, but did not get it."""
        failed = {each.subject for each in new if each in self._record.failed}
        for batch in self._batches(changes):
            kept = kept_manifests(self._destination, self._record, batch)
            in_order(partial(self._delete, failed, kept), batch, at_a_time=AT_A_TIME)

    def _delete(self, failed: set[str], kept: Mapping[Digest, KeptOrFailure], change: Untag) -> None:
        if missing := [tag for tag in change.other_tags or () if tag in failed]:
            reason = f"the tag {change.tag} was not deleted, because its manifest did not get the tag {missing[0]}"
            self._record.fail(change, errors.DregError(reason))
            return
        self._record.make_with(change, partial(self._delete_tag, change), kept_of(change, kept))

    def _delete_tag(self, change: Untag) -> bool:
        if change.other_tags:
            self._check_other_tags(change, change.other_tags)
        known = self._record.kept_before(change, change.digest)
        return delete_tag(self._destination, change.tag, change.digest, known)

    def _check_other_tags(self, change: Untag, others: Sequence[str]) -> None:
        """Raise ConflictError if a manifest has none of the tags that the plan says it keeps.

        Some registries delete a manifest with its last tag.
        """
        for tag in others:
            if self._destination.current_digest(tag, surely=True) == change.digest:
                return
        what = f"its manifest no longer has the tags that it was to keep: {listed(others)}"
        raise errors.ConflictError(f"the tag {change.tag} was not deleted: {what}")


def write_tag(destination: Destination, change: NewTag, manifest: RawManifest) -> bool:
    """Write a tag, if it still names what the plan says; return whether it named another manifest, or none.

    Raises:
        ConflictError: Another client has changed the tag.
    """
    replaced = None if isinstance(change, AddTag) else change.replaces
    if replaced is not None:
        return destination.push_manifest(manifest, change.tag, expected=replaced)
    return add_tag(destination, change.tag, manifest)


def add_tag(destination: Destination, tag: str, manifest: RawManifest) -> bool:
    """Write a tag, if it does not exist; return whether it did not exist.

    Raises:
        ConflictError: It names another manifest.
    """
    return destination.push_manifest(manifest, tag, no_clobber=True, expected=manifest.digest)


def delete_tag(destination: Destination, tag: str, digest: Digest, known: RawManifest | None = None) -> bool:
    """Delete a tag, if it still names a manifest, which may be known; return whether it existed.

    Raises:
        ConflictError: It names another manifest.
    """
    try:
        destination.delete_tag(tag, expected=digest, known=known)
    except errors.NotFoundError:
        return False
    return True
