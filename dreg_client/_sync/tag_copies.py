# Generated from dreg_client/_async/tag_copies.py by tools/generate_sync.py. Do not edit.
"""Copy images from other repositories, and tag them if the tags still name what the plan says."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Final

from dreg_client import errors
from dreg_client._sync.change_record import ChangeRecord
from dreg_client._sync.copier import Copier
from dreg_client._sync.copy_roots import Root
from dreg_client._sync.in_order import AT_A_TIME, in_order
from dreg_client._sync.kept_manifests import KeptOrFailure, kept_manifests, kept_of
from dreg_client._sync.ports import Destination, Source
from dreg_client._sync.sync_run import SyncRun
from dreg_client._sync.tag_changes import add_tag, write_tag
from dreg_client.copying.options import CopyFlags
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.content import RawManifest
from dreg_client.tagging.plan import CopyTag
from dreg_client.values.digest import Digest, is_digest

_BATCH: Final = 64
"""The most images that are copied before their tags are written."""
Named = Mapping[str, Descriptor]
"""Manifests to copy: an image, by the empty name; or its referrers, by their digests and digest tags."""


class TagCopies:
    """Copies of tags from one repository to another.

    Args:
        run: What all repositories share.
        source: The repository to read.
        destination: The repository to write.
        record: What becomes of the changes.
        referrers: Whether signatures and other referrers are also copied.

    Attributes:
        lost: The manifests that were not copied although their images were to be: the source must keep them.
    """

    def __init__(
        self,
        run: SyncRun,
        source: Source,
        destination: Destination,
        record: ChangeRecord,
        *,
        referrers: bool,
    ) -> None:
        self._source, self._destination, self._record = source, destination, record
        ends = source, destination
        flags = CopyFlags(referrers=referrers, keeps_going=True)
        self.lost: set[Digest] = set()
        self._copier = Copier(*ends, flags, shared=run.shared(*ends), emit=run.totals.of_next())

    def copy_all(self, changes: Sequence[CopyTag]) -> None:
        """Copy the content of all images, then write the tags of those that were copied."""
        for batch in _batches([each for each in changes if not self._record.is_over(each)]):
            found = in_order(self._resolved, batch, at_a_time=AT_A_TIME)
            roots = {each: named for each, named in zip(batch, found, strict=True) if named is not None}
            self._copy({root.digest: root for named in roots.values() for root in named.values()})
            ready = [change for change in roots if self._is_copied(change, roots[change])]
            kept = kept_manifests(self._destination, self._record, [each for each in ready if not each.missing])
            in_order(partial(self._write, roots, kept), ready, at_a_time=AT_A_TIME)

    def _resolved(self, change: CopyTag) -> Named | None:
        """Return the manifests to copy; None if the tag in the source names another one now."""
        try:
            found = self._source.resolve(change.source_tag)
        except errors.NotFoundError:
            self._record.fail(change, _changed(change, "was deleted"))
        except errors.DregError as failure:
            self._record.fail(change, failure)
        else:
            if found.digest == change.digest:
                return self._missing(change) if change.missing else {"": found}
            self._record.fail(change, _changed(change, f"names {found.digest} now"))
        return None

    def _missing(self, change: CopyTag) -> Named | None:
        """Return the referrers to copy, without those that the destination has now."""
        try:
            there = [self._destination.current_digest(each) for each in change.missing]
            new = [each for each, digest in zip(change.missing, there, strict=True) if digest is None]
            return {each: self._source.resolve(each) for each in new}
        except errors.DregError as failure:
            self._record.fail(change, failure)
            return None

    def _copy(self, roots: dict[Digest, Descriptor]) -> None:
        for root in roots.values():
            self._copier.add(Root(root), "", name="")
        try:
            self._copier.run({})
        except errors.DregError as failure:  # everything would fail for the same reason
            for digest in roots:
                self._copier.failures.setdefault(digest, failure)

    def _is_copied(self, change: CopyTag, roots: Named) -> bool:
        """Return whether everything of an image was copied. An image without its signatures is not tagged."""
        digests = [root.digest for root in roots.values()]
        found = (self._copier.failures.get(each) or self._copier.parts.failure_of(each) for each in digests)
        failure = next((each for each in found if each is not None), None)
        if failure is not None:
            lost = (name for digest in digests for name in self._copier.parts.failed_in(digest))
            self.lost |= {Digest(name) for name in lost if is_digest(name)}
            self._record.fail(change, failure)
        return failure is None

    def _write(self, roots: Mapping[CopyTag, Named], kept: Mapping[Digest, KeptOrFailure], change: CopyTag) -> None:
        try:
            manifest = self._source.fetch_manifest(change.digest)
        except errors.DregError as failure:
            self._record.fail(change, failure)
            return
        function = partial(self._write_missing, roots[change]) if change.missing else self._write_tag
        self._record.make_with(change, partial(function, change, manifest), kept_of(change, kept))

    def _write_tag(self, change: CopyTag, manifest: RawManifest) -> bool:
        return write_tag(self._destination, change, manifest)

    def _write_missing(self, named: Named, change: CopyTag, manifest: RawManifest) -> bool:
        """Add digest tags, if the image still has its tag; return whether anything was copied."""
        write_tag(self._destination, change, manifest)
        for tag, root in named.items():
            if not is_digest(tag):
                add_tag(self._destination, tag, self._source.fetch_manifest(root.digest))
        return bool(named)


def _batches(changes: Sequence[CopyTag]) -> Iterator[list[CopyTag]]:
    left = iter(changes)
    while batch := [*islice(left, _BATCH)]:
        yield batch


def _changed(change: CopyTag, what: str) -> errors.ConflictError:
    reason = f"the tag {change.source_tag} of {change.source} {what}, but named {change.digest} in the plan"
    return errors.ConflictError(f"{reason}; nothing was copied")
