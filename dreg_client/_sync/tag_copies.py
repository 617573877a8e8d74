# Generated from dreg_client/_async/tag_copies.py by tools/generate_sync.py. Do not edit.
"""Copy images from other repositories, and tag them if the tags still name what the plan says."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Final

from dreg_client import errors
from dreg_client._sync.change_record import ChangeRecord
from dreg_client._sync.copier import Copier
from dreg_client._sync.copy_roots import Root
from dreg_client._sync.in_order import in_order
from dreg_client._sync.ports import Destination, Source
from dreg_client._sync.sync_run import SyncRun
from dreg_client._sync.tag_changes import AT_A_TIME, write_tag
from dreg_client.copying.options import CopyFlags
from dreg_client.models.descriptor import Descriptor
from dreg_client.tagging.plan import CopyTag
from dreg_client.values.digest import Digest

_BATCH: Final = 64
"""The most images that are copied before their tags are written."""


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
            roots = {each: root for each, root in zip(batch, found, strict=True) if root is not None}
            self._copy({root.digest: root for root in roots.values()})
            ready = [change for change in roots if self._is_copied(change)]
            in_order(self._write, ready, at_a_time=AT_A_TIME)

    def _resolved(self, change: CopyTag) -> Descriptor | None:
        """Return the manifest to copy; None if its tag in the source names another one now."""
        try:
            found = self._source.resolve(change.source_tag)
        except errors.NotFoundError:
            self._record.fail(change, _changed(change, "was deleted"))
        except errors.DregError as failure:
            self._record.fail(change, failure)
        else:
            if found.digest == change.digest:
                return found
            self._record.fail(change, _changed(change, f"names {found.digest} now"))
        return None

    def _copy(self, roots: dict[Digest, Descriptor]) -> None:
        for root in roots.values():
            self._copier.add(Root(root), "", name="")
        try:
            self._copier.run({})
        except errors.DregError as failure:  # everything would fail for the same reason
            for digest in roots:
                self._copier.failures.setdefault(digest, failure)

    def _is_copied(self, change: CopyTag) -> bool:
        """Return whether everything of an image was copied. An image without its signatures is not tagged."""
        failure = self._copier.failures.get(change.digest) or self._copier.parts.failure_of(change.digest)
        if failure is not None:
            self.lost |= {Digest(each) for each in self._copier.parts.failed_in(change.digest) if ":" in each}
            self._record.fail(change, failure)
        return failure is None

    def _write(self, change: CopyTag) -> None:
        try:
            manifest = self._source.fetch_manifest(change.digest)
        except errors.DregError as failure:
            self._record.fail(change, failure)
            return
        self._record.make(change, partial(write_tag, self._destination, change, manifest))


def _batches(changes: Sequence[CopyTag]) -> Iterator[list[CopyTag]]:
    left = iter(changes)
    while batch := [*islice(left, _BATCH)]:
        yield batch


def _changed(change: CopyTag, what: str) -> errors.ConflictError:
    reason = f"the tag {change.source_tag} of {change.source} {what}, but named {change.digest} in the plan"
    return errors.ConflictError(f"{reason}; nothing was copied; make a new plan")
