"""Synchronise repositories and whole registries: copy what is missing, and remove what the source no longer has."""

from dataclasses import replace
from typing import Unpack

from dreg_client import errors
from dreg_client._async.copy import listener_of
from dreg_client._async.sync_comparison import Comparison, compare
from dreg_client._async.sync_ends import AsyncSyncEnd, AsyncSyncEnds, AsyncSyncPair, open_ends
from dreg_client._async.sync_transfer import copied, planned, remove
from dreg_client.copying.options import CopyOptions
from dreg_client.copying.plan_check import changed_copies, changed_removals, choice_of_plan
from dreg_client.copying.sync_options import SyncChoice, SyncOptions, choice_of
from dreg_client.copying.sync_plan import PlannedFailure, RepositoryPlan, SyncPlan
from dreg_client.copying.sync_result import RepositorySync, SyncResult
from dreg_client.copying.totals import Totals
from dreg_client.models.frozen import FrozenDict


async def async_sync(source: AsyncSyncEnd, destination: AsyncSyncEnd, **options: Unpack[SyncOptions]) -> SyncResult:
    """Copy the tags of a repository, or of a whole registry, that the destination does not have.

    Tags are compared by their digests, with HEAD requests. What differs is copied as by `acopy`: byte for byte, without
    what the destination has, tags last. A tag that cannot be copied does not stop the others; the result lists it. So
    after an interruption or a failure, run it again: only what is missing is transferred.

    Args:
        source: A repository, layout or archive, by name without a tag, or as an open store; or a whole registry, such
            as `localhost:5000` or an open registry.
        destination: A repository or a layout. For a whole registry: a registry, optionally with a prefix for the names
            of repositories (`localhost:5001/mirror`), or a directory of layouts (`oci:PATH`).
        **options: The options of `SyncOptions` (`tags`, `repositories`, `prune`, `allow_empty`, `platforms`,
            `referrers`), and those of `acopy` for registries.

    With `prune=True`, the tags that `tags` chooses and the source does not have are removed from the destination; to
    see them first, use `aplan_sync`. Their manifests stay until the registry or `gc` deletes them. Tags of signatures,
    such as `sha256-....sig`, are removed only if no tag leads to the signed manifest any more. Nothing is removed if
    the source has no tag that matches (unless `allow_empty=True`), or if its list cannot be read or is incomplete.

    Returns:
        What was copied, skipped and removed, and what failed.

    Raises:
        NotFoundError: The source does not exist.
        UnsupportedError: The destination cannot be written, or the registry has no catalog.
        InvalidReferenceError: A name is not valid, or has a tag.
        DregError: The source or the destination cannot be read. In a whole registry, this is a failure of the result.

    Example:
        result = await async_sync("localhost:5000/acme/web", "oci:build/mirror", tags=["1.*"])
        print(result.copied, result.skipped, *result.failures)
    """
    choice, registries = choice_of(options)
    emit = Totals(listener_of(registries))
    async with open_ends(source, destination, registries, dry_run=False) as ends:
        keys = await ends.keys(choice)
        return SyncResult(tuple([await _synced(ends, key, choice, emit) for key in keys]))


async def aplan_sync(source: AsyncSyncEnd, destination: AsyncSyncEnd, **options: Unpack[SyncOptions]) -> SyncPlan:
    """Return what `async_sync` would do, with the same arguments. Nothing is written.

    The manifests of the tags to copy are read, to find the blobs to transfer. To carry the plan out, pass it to
    `aapply_sync`, in this or another process.

    Example:
        plan = await aplan_sync("localhost:5000/acme/web", "oci:build/mirror", prune=True)
        print(plan.size, [each.tag for each in plan.repositories[0].removals])
    """
    choice, registries = choice_of(options)
    emit = Totals(listener_of(registries))
    async with open_ends(source, destination, registries, dry_run=True) as ends:
        keys = await ends.keys(choice)
        return SyncPlan(repositories=tuple([await _planned(ends, key, choice, emit) for key in keys]))


async def aapply_sync(plan: SyncPlan, **options: Unpack[CopyOptions]) -> SyncResult:
    """Carry out a plan of `aplan_sync`, by the names in it.

    Source and destination are compared again. A tag that changed since the plan was made, in the source or in the
    destination, is neither copied nor removed: it is a failure (`ConflictError`) of the result. Tags that were already
    copied are skipped.

    Args:
        plan: The plan.
        **options: The options of `acopy` for registries.

    Returns:
        What was copied, skipped and removed, and what failed.
    """
    emit = Totals(listener_of(options))
    return SyncResult(tuple([await _applied(each, options, emit) for each in plan.repositories]))


async def _synced(ends: AsyncSyncEnds, key: str, choice: SyncChoice, emit: Totals) -> RepositorySync:
    try:
        async with ends.open(key) as pair:
            return await _carried_out(pair, choice, await compare(pair, choice), emit)
    except errors.DregError as failure:
        if not key:
            raise
        return RepositorySync(*ends.names(key), failed=FrozenDict({"": failure}))


async def _carried_out(pair: AsyncSyncPair, choice: SyncChoice, found: Comparison, emit: Totals) -> RepositorySync:
    done = await copied(pair, choice, found, emit, dry_run=False)
    if "" in done.failed or not found.removals:
        return done
    removed, failed = await remove(pair.destination, found.removals)
    return replace(done, removed=removed, failed=FrozenDict({**done.failed, **failed}))


async def _planned(ends: AsyncSyncEnds, key: str, choice: SyncChoice, emit: Totals) -> RepositoryPlan:
    try:
        async with ends.open(key) as pair:
            found = await compare(pair, choice)
            return planned(choice, found, await copied(pair, choice, found, emit, dry_run=True))
    except errors.DregError as failure:
        if not key:
            raise
        read, written = ends.names(key)
        failures = (PlannedFailure(tag="", reason=str(failure)),)
        return RepositoryPlan(source=read, destination=written, failures=failures)


async def _applied(plan: RepositoryPlan, options: CopyOptions, emit: Totals) -> RepositorySync:
    if plan.is_empty and not plan.referrers:
        return RepositorySync(plan.source, plan.destination, skipped=len(plan.skips))
    choice = choice_of_plan(plan)
    try:
        async with open_ends(plan.source, plan.destination, options, dry_run=False) as ends, ends.open("") as pair:
            found = await compare(pair, choice)
            _keep_to(plan, found)
            return await _carried_out(pair, choice, found, emit)
    except errors.DregError as failure:
        return RepositorySync(plan.source, plan.destination, failed=FrozenDict({"": failure}))


def _keep_to(plan: RepositoryPlan, found: Comparison) -> None:
    """Drop what is not in the plan, or has changed since."""
    wanted = {tag: root.descriptor.digest for tag, root in found.roots.items()}
    changed = changed_copies(plan, found.sources, found.current, wanted)
    to_copy = {each.tag for each in plan.copies} - changed.keys()
    same = {*found.same}
    found.roots = {tag: root for tag, root in found.roots.items() if tag in to_copy or tag in same}
    conflicts = changed_removals(plan, found.removals)
    to_remove = {each.tag for each in plan.removals} - conflicts.keys()
    found.removals = {tag: digest for tag, digest in found.removals.items() if tag in to_remove}
    found.failures = {**changed, **conflicts, **found.failures}
