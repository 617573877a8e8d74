"""Copy and remove the tags that a comparison found."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from dreg_client import errors
from dreg_client._async.copier import AsyncCopier
from dreg_client._async.copy_roots import Root
from dreg_client._async.ports import AsyncDestination
from dreg_client._async.sync_comparison import Comparison
from dreg_client._async.sync_ends import AsyncSyncPair
from dreg_client._async.sync_run import AsyncSyncRun
from dreg_client.copying.options import CopyFlags
from dreg_client.copying.sync_options import SyncChoice
from dreg_client.copying.sync_plan import PlannedCopy, PlannedFailure, PlannedSize, PlannedTag, RepositoryPlan
from dreg_client.copying.sync_result import RepositorySync
from dreg_client.copying.tag_filter import subject_of_tag
from dreg_client.copying.totals import CopyTotals
from dreg_client.models.frozen import FrozenDict
from dreg_client.values.digest import Digest

_BATCH: Final = 64
"""The number of manifests and indexes, with everything that they name, to copy before their tags are written.

This limits memory, and what an interrupted run has to do again.
"""


async def copied(
    run: AsyncSyncRun, pair: AsyncSyncPair, choice: SyncChoice, found: Comparison, *, dry_run: bool
) -> RepositorySync:
    """Copy the tags that differ, but remove nothing; with `dry_run`, only find out what would be transferred.

    A tag that cannot be copied does not stop the others.
    """
    ends, totals = (pair.source, pair.destination), run.totals.of_next()
    copier = AsyncCopier(
        *ends,
        CopyFlags(referrers=choice.referrers, dry_run=dry_run, keeps_going=True),
        shared=run.shared(*ends),
        emit=totals,
    )
    differing = found.differing
    failed = {**found.failures, **await _copy_all(copier, found, choice, totals)}
    record = copier.record
    written = set(record.tagged)
    return RepositorySync(
        *pair.names,
        copied=FrozenDict({tag: found.roots[tag].descriptor.digest for tag in differing if tag in written}),
        skipped=len(found.same),
        failed=FrozenDict(failed),
        not_pruned=found.not_pruned,
        uncopied_referrers=tuple(record.uncopied_referrers.values()),
        blobs=record.count("copied"),
        mounted=record.count("mounted"),
        manifests=record.count("manifests"),
    )


async def _copy_all(
    copier: AsyncCopier, found: Comparison, choice: SyncChoice, totals: CopyTotals
) -> dict[str, errors.DregError]:
    """Copy the tags that differ; return what failed."""
    differing = found.differing
    tags = [*differing, *found.same] if choice.referrers else differing  # referrers may have been added since
    try:
        for batch in _in_turn(tags, found.roots, copier, choice):
            totals.start_next()
            for tag, root in batch:
                copier.add(root, tag)
            await copier.run(found.current)
    except errors.DregError as failure:  # all other tags would fail for the same reason
        done = {*copier.record.tagged, *copier.failures}
        return copier.failures | ({tag: failure for tag in differing if tag not in done} or {"": failure})
    return copier.failures


def _in_turn(
    tags: Sequence[str], roots: dict[str, Root], copier: AsyncCopier, choice: SyncChoice
) -> Iterator[list[tuple[str, Root]]]:
    """Yield the tags in batches. Those of signatures follow, unless they were copied with what they are about."""
    about = {tag: subject for tag in tags if choice.referrers and (subject := subject_of_tag(tag))}
    yield from _batches((tag for tag in tags if tag not in about), roots)
    yield from _batches([tag for tag, subject in about.items() if not copier.has_read(subject)], roots)


def _batches(tags: Iterable[str], roots: dict[str, Root]) -> Iterator[list[tuple[str, Root]]]:
    """Yield the tags in groups that share few manifests with each other: all tags of a digest are in one group."""
    by_digest: dict[Digest, list[tuple[str, Root]]] = {}
    for tag in tags:
        by_digest.setdefault(roots[tag].descriptor.digest, []).append((tag, roots[tag]))
    groups = iter(by_digest.values())
    while batch := [each for group in islice(groups, _BATCH) for each in group]:
        yield batch


async def remove(
    destination: AsyncDestination, removals: dict[str, Digest]
) -> tuple[tuple[str, ...], dict[str, errors.DregError]]:
    """Remove tags that still name the same manifest; return those that were removed, and what failed."""
    removed: list[str] = []
    failed: dict[str, errors.DregError] = {}
    for tag, digest in removals.items():
        try:
            await destination.delete_tag(tag, expected=digest)
        except errors.NotFoundError:
            pass
        except errors.DregError as failure:
            failed[tag] = failure
        else:
            removed.append(tag)
    return tuple(removed), failed


def plan_of(choice: SyncChoice, found: Comparison, done: RepositorySync) -> RepositoryPlan:
    """Return the plan of a repository, after a dry run."""
    return RepositoryPlan(
        source=done.source,
        destination=done.destination,
        copies=tuple(
            PlannedCopy(tag=tag, digest=found.sources[tag], replaces=found.current.get(tag)) for tag in done.copied
        ),
        skips=tuple(PlannedTag(tag=tag, digest=found.current[tag]) for tag in found.same),
        removals=tuple(PlannedTag(tag=tag, digest=digest) for tag, digest in found.removals.items()),
        failures=tuple(PlannedFailure(tag=tag, reason=str(failure)) for tag, failure in done.failed.items()),
        not_pruned=done.not_pruned,
        blobs=PlannedSize(count=done.blobs.count, size=done.blobs.size),
        platforms=tuple(map(str, choice.platforms)),
        referrers=choice.referrers,
        allow_empty=choice.allow_empty,
    )
