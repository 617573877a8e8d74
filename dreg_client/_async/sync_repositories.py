"""Synchronise repositories, several at a time. What fails in one of them does not stop the others."""

from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial

from dreg_client import errors
from dreg_client._async.in_order import in_order
from dreg_client._async.sync_comparison import Comparison, compare
from dreg_client._async.sync_ends import AsyncSyncEnd, AsyncSyncEnds, AsyncSyncPair, open_ends
from dreg_client._async.sync_run import REPOSITORIES_AT_ONCE, AsyncSyncRun
from dreg_client._async.sync_transfer import copied, plan_of, remove
from dreg_client.copying.plan_check import changed_copies, changed_removals, choice_of_plan
from dreg_client.copying.sync_options import SyncChoice
from dreg_client.copying.sync_order import batches
from dreg_client.copying.sync_plan import PlannedFailure, RepositoryPlan, SyncPlan
from dreg_client.copying.sync_result import RepositorySync
from dreg_client.models.frozen import FrozenDict


async def synced(
    run: AsyncSyncRun, source: AsyncSyncEnd, destination: AsyncSyncEnd, choice: SyncChoice
) -> list[RepositorySync]:
    """Synchronise a repository, or all of a registry; return what was done for each."""
    async with open_ends(source, destination, run, dry_run=False) as ends:
        keys = await ends.keys(choice)
        return await in_order(partial(_synced, run, ends, choice), keys, at_a_time=REPOSITORIES_AT_ONCE)


async def planned(
    run: AsyncSyncRun, source: AsyncSyncEnd, destination: AsyncSyncEnd, choice: SyncChoice
) -> list[RepositoryPlan]:
    """Return what `synced` would do."""
    async with open_ends(source, destination, run, dry_run=True) as ends:
        keys = await ends.keys(choice)
        return await in_order(partial(_planned, run, ends, choice), keys, at_a_time=REPOSITORIES_AT_ONCE)


async def applied(run: AsyncSyncRun, plan: SyncPlan) -> list[RepositorySync]:
    """Carry out a plan; return what was done for each repository."""
    done: list[RepositorySync] = []
    for batch in batches([(each.source, each.destination) for each in plan.repositories]):
        plans = plan.repositories[batch.start : batch.stop]
        done += await in_order(partial(_applied, run), plans, at_a_time=REPOSITORIES_AT_ONCE)
    return done


async def _synced(run: AsyncSyncRun, ends: AsyncSyncEnds, choice: SyncChoice, key: str) -> RepositorySync:
    try:
        async with run.place(), ends.open(key) as pair:
            return await _carried_out(run, pair, choice, await compare(pair, choice))
    except errors.DregError as failure:
        if not key:
            raise
        return RepositorySync(*ends.names(key), failed=FrozenDict({"": failure}))


async def _carried_out(run: AsyncSyncRun, pair: AsyncSyncPair, choice: SyncChoice, found: Comparison) -> RepositorySync:
    """Copy and remove tags. An archive is written once, and only if anything changes."""
    async with AsyncExitStack() as stack:
        if pair.is_whole and (found.differing or found.removals or choice.referrers):
            await stack.enter_async_context(pair.destination.writing())
        return await _copied_and_removed(run, pair, choice, found)


async def _copied_and_removed(
    run: AsyncSyncRun, pair: AsyncSyncPair, choice: SyncChoice, found: Comparison
) -> RepositorySync:
    done = await copied(run, pair, choice, found, dry_run=False)
    if "" in done.failed or not found.removals:
        return done
    removed, failed = await remove(pair.destination, found.removals)
    return replace(done, removed=removed, failed=FrozenDict({**done.failed, **failed}))


async def _planned(run: AsyncSyncRun, ends: AsyncSyncEnds, choice: SyncChoice, key: str) -> RepositoryPlan:
    try:
        async with run.place(), ends.open(key) as pair:
            found = await compare(pair, choice)
            return plan_of(choice, found, await copied(run, pair, choice, found, dry_run=True))
    except errors.DregError as failure:
        if not key:
            raise
        read, written = ends.names(key)
        failures = (PlannedFailure(tag="", reason=str(failure)),)
        return RepositoryPlan(source=read, destination=written, failures=failures)


async def _applied(run: AsyncSyncRun, plan: RepositoryPlan) -> RepositorySync:
    if plan.is_empty and not plan.referrers:
        return RepositorySync(plan.source, plan.destination, skipped=len(plan.skips))
    choice = choice_of_plan(plan)
    try:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(run.place())
            ends = await stack.enter_async_context(open_ends(plan.source, plan.destination, run, dry_run=False))
            pair = await stack.enter_async_context(ends.open(""))
            found = await compare(pair, choice)
            _keep_to(plan, found)
            return await _carried_out(run, pair, choice, found)
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
