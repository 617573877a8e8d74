# Generated from dreg_client/_async/sync_transfer.py by tools/generate_sync.py. Do not edit.
"""Copy and remove the tags that a comparison found."""

from collections.abc import Mapping
from typing import Final

from dreg_client import errors
from dreg_client._sync.copier import Copier, concerns_everything
from dreg_client._sync.ports import Destination
from dreg_client._sync.sync_comparison import Comparison
from dreg_client._sync.sync_ends import SyncPair
from dreg_client._sync.sync_run import SyncRun
from dreg_client.copying.batches import batches_of_manifests
from dreg_client.copying.options import CopyFlags
from dreg_client.copying.plan_model import PlannedFailure
from dreg_client.copying.sync_options import SyncChoice
from dreg_client.copying.sync_plan import PlannedCopy, PlannedSize, PlannedTag, RepositoryPlan
from dreg_client.copying.sync_result import RepositorySync
from dreg_client.copying.totals import CopyTotals
from dreg_client.models.frozen import FrozenDict
from dreg_client.values.digest import Digest

_BATCH: Final = 64
"""The number of manifests and indexes, with everything that they name, to copy before their tags are written.

This limits memory, and what an interrupted run has to do again.
"""


def copied(run: SyncRun, pair: SyncPair, choice: SyncChoice, found: Comparison, *, dry_run: bool) -> RepositorySync:
    """Copy the tags that differ, but remove nothing; with `dry_run`, only find out what would be transferred.

    A tag that cannot be copied does not stop the others.
    """
    ends, totals = (pair.source, pair.destination), run.totals.of_next()
    copier = Copier(
        *ends,
        CopyFlags(referrers=choice.referrers, dry_run=dry_run, keeps_going=True),
        shared=run.shared(*ends),
        emit=totals,
    )
    ended = _copy_all(copier, found, choice, totals)
    record, failed = copier.record, {**found.failures, **copier.failures}
    written = set(record.tagged)
    in_order = [*(tag for tag in found.differing if tag in written), *sorted(written.difference(found.differing))]
    if ended is not None:
        run.lost.add(ended)
        failed |= {tag: ended for tag in found.differing if tag not in written and tag not in failed}
    return RepositorySync(
        *pair.names,
        copied=FrozenDict({tag: record.digests[tag] for tag in in_order}),
        skipped=len(found.same),
        failed=FrozenDict(failed),
        failure=None if ended in failed.values() else ended,
        not_pruned=f"not everything could be copied: {ended}" if ended and found.removals else found.not_pruned,
        uncopied_referrers=tuple(record.uncopied_referrers.values()),
        blobs=record.count("copied"),
        mounted=record.count("mounted"),
        manifests=record.count("manifests"),
    )


def _copy_all(copier: Copier, found: Comparison, choice: SyncChoice, totals: CopyTotals) -> errors.DregError | None:
    """Copy the tags that differ; return what ended the copy before all were tried, if anything did."""
    tags = found.differing + (found.same if choice.referrers else ())  # referrers may have been added since
    try:
        for part in copier.in_turn(tags):
            # Groups that share few manifests with each other.
            for batch in batches_of_manifests(part, lambda tag: found.roots[tag].descriptor.digest, _BATCH):
                totals.start_next()
                for tag in batch:
                    copier.add(found.roots[tag], tag, name=tag)
                copier.run(found.current)
    except errors.DregError as failure:  # all other tags would fail for the same reason
        return failure
    return None


def remove(
    destination: Destination, removals: Mapping[str, Digest]
) -> tuple[tuple[str, ...], dict[str, errors.DregError]]:
    """Remove tags that still name the same manifest; return those that were removed, and what failed."""
    removed: list[str] = []
    failed: dict[str, errors.DregError] = {}
    tags = [*removals]
    for number, tag in enumerate(tags):
        try:
            destination.delete_tag(tag, expected=removals[tag])
        except errors.NotFoundError:
            pass
        except errors.DregError as failure:
            if concerns_everything(failure):
                failed |= dict.fromkeys(tags[number:], failure)
                break
            failed[tag] = failure
        else:
            removed.append(tag)
    return tuple(removed), failed


def plan_of(choice: SyncChoice, found: Comparison, done: RepositorySync) -> RepositoryPlan:
    """Return the plan of a repository, after a dry run."""
    removals: Mapping[str, Digest] = {} if done.not_pruned else found.removals
    return RepositoryPlan(
        source=done.source,
        destination=done.destination,
        copies=tuple(
            PlannedCopy(
                tag=tag,
                digest=found.sources[tag],
                replaces=found.current.get(tag),
                becomes=digest if digest != found.sources[tag] else None,
            )
            for tag, digest in done.copied.items()
            if tag in found.sources  # not the digest tags that `referrers` adds again
        ),
        skips=tuple(PlannedTag(tag=tag, digest=found.current[tag]) for tag in found.same),
        removals=tuple(PlannedTag(tag=tag, digest=digest) for tag, digest in removals.items()),
        failures=tuple(PlannedFailure(tag=tag, reason=str(failure)) for tag, failure in done.failures.items()),
        not_pruned=done.not_pruned,
        uncopied_referrers=tuple(each.digest for each in done.uncopied_referrers),
        blobs=PlannedSize(count=done.blobs.count, size=done.blobs.size),
        manifests=PlannedSize(count=done.manifests.count, size=done.manifests.size),
        platforms=tuple(map(str, choice.platforms)),
        referrers=choice.referrers,
        allow_empty=choice.allow_empty,
    )
