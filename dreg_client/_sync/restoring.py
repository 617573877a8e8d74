# Generated from dreg_client/_async/restoring.py by tools/generate_sync.py. Do not edit.
"""Put back manifests that were deleted, with their tags."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from dreg_client import errors
from dreg_client._sync.change_record import ChangeRecord
from dreg_client._sync.ports import Destination
from dreg_client._sync.tag_changes import add_tag
from dreg_client.copying.digest_tags import is_referrers_tag
from dreg_client.protocol.content import RawManifest
from dreg_client.tagging.plan import RestoreManifest
from dreg_client.values.digest import Digest


class Restoring:
    """Manifests that are put back into a repository.

    Args:
        destination: The repository.
        record: What becomes of the changes.
        manifests: What a change puts back, by digest.
        tags: The tags that it adds again, with their digests.
    """

    def __init__(
        self,
        destination: Destination,
        record: ChangeRecord,
        manifests: Callable[[RestoreManifest], Mapping[Digest, RawManifest]],
        tags: Callable[[RestoreManifest], Mapping[str, Digest]],
    ) -> None:
        self._destination, self._record = destination, record
        self._manifests, self._tags = manifests, tags

    def restore_all(self, changes: Sequence[RestoreManifest]) -> None:
        """Put manifests back, in order: one may be in the index of another."""
        for change in changes:
            if not self._record.is_over(change):
                self._record.make(change, partial(self._restore, change))

    def _restore(self, change: RestoreManifest) -> bool:
        """Put back platforms of a manifest, the manifest, its tags, its referrers, and digest tags, in this order.

        Raises:
            ConflictError: Another client has set a tag. Everything else was put back.
        """
        manifests, named = self._manifests(change), self._tags(change)
        tags = {tag: named[tag] for tag in change.tags}
        lists = {tag: digest for tag, digest in named.items() if is_referrers_tag(tag)}
        others = {tag: named[tag] for tag in named if tag not in lists and tag not in tags}
        conflicts: list[errors.ConflictError] = []
        with self._destination.writing():
            before = {tag: self._destination.current_digest(tag, surely=True) for tag in lists}
            is_changed = self._push(manifests, (*reversed(change.platforms), change.digest))
            is_changed |= self._tag(manifests, tags, conflicts)
            is_changed |= self._push(manifests, reversed(change.referrers))
            is_changed |= self._push(manifests, others.values())
            is_changed |= self._tag(manifests, others, conflicts)
        for tag, digest in lists.items():
            is_changed |= self._restore_list(manifests, tag, digest, before[tag])
        if conflicts:
            raise conflicts[0]
        return is_changed

    def _push(self, manifests: Mapping[Digest, RawManifest], digests: Iterable[Digest]) -> bool:
        """Write the manifests that do not exist, by digest; return whether there were any."""
        is_changed = False
        for digest in digests:
            if digest in manifests and self._destination.current_digest(digest) is None:
                self._destination.push_manifest(manifests[digest], digest)
                is_changed = True
        return is_changed

    def _tag(
        self,
        manifests: Mapping[Digest, RawManifest],
        tags: Mapping[str, Digest],
        conflicts: list[errors.ConflictError],
    ) -> bool:
        """Add the tags that do not exist; return whether there were any. Those of another client go to `conflicts`."""
        is_changed = False
        for tag, digest in tags.items():
            try:
                manifest = manifests.get(digest) or self._destination.fetch_manifest(digest, legacy=True)
                is_changed |= add_tag(self._destination, tag, manifest)
            except errors.ConflictError as failure:
                conflicts.append(failure)
        return is_changed

    def _restore_list(
        self, manifests: Mapping[Digest, RawManifest], tag: str, digest: Digest, before: Digest | None
    ) -> bool:
        """Put back a list of referrers, in place of the one that pushing the referrers has made."""
        now = self._destination.current_digest(tag, surely=True)
        if digest not in manifests or before is not None or now == digest:
            return False
        if now is None:
            return add_tag(self._destination, tag, manifests[digest])
        return self._destination.push_manifest(manifests[digest], tag, expected=now)
