"""Synchronise repositories, several at a time. What fails in one of them does not stop the others."""

from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial

from dreg_client import errors
from dreg_client._async.in_order import in_order
from dreg_client._async.sync_comparison import Comparison, compare
from dreg_client._async.sync_ends import AsyncNamedPair, AsyncSyncEnd, AsyncSyncPair, open_ends
from dreg_client._async.sync_run import REPOSITORIES_AT_ONCE, AsyncSyncRun
from dreg_client._async.sync_transfer import copied, plan_of, remove
from dreg_client.copying.plan_check import changed_copies, changed_removals, choice_of_plan, planned_failures
from dreg_client.copying.plan_model import PlannedFailure
from dreg_client.copying.sync_options import SyncChoice
from dreg_client.copying.sync_order import batches
from dreg_client.copying.sync_plan import RepositoryPlan, SyncPlan
from dreg_client.copying.sync_result import RepositorySync
from dreg_client.models.frozen import FrozenDict


async def synced(
    run: AsyncSyncRun, source: AsyncSyncEnd, destination: AsyncSyncEnd, choice: SyncChoice
) -> list[RepositorySync]:
    """Synchronise a repository, or all of a registry; return what was done for each."""
    async with open_ends(source, destination, run, dry_run=False) as ends:
        pairs = await ends.pairs(choice)
        one = partial(_synced, run, choice, raises=ends.is_single)
        return await in_order(one, pairs, at_a_time=REPOSITORIES_AT_ONCE)


async def planned(
    run: AsyncSyncRun, source: AsyncSyncEnd, destination: AsyncSyncEnd, choice: SyncChoice
) -> list[RepositoryPlan]:
    """Return what `synced` would do."""
    async with open_ends(source, destination, run, dry_run=True) as ends:
        pairs = await ends.pairs(choice)
        one = partial(_planned, run, choice, raises=ends.is_single)
        return await in_order(one, pairs, at_a_time=REPOSITORIES_AT_ONCE)


async def applied(run: AsyncSyncRun, plan: SyncPlan) -> list[RepositorySync]:
    """Carry out a plan; return what was done for each repository."""
    done: list[RepositorySync] = []
    for batch in batches([(each.source, each.destination) for each in plan.repositories]):
        plans = plan.repositories[batch.start : batch.stop]
        done += await in_order(partial(_applied, run), plans, at_a_time=REPOSITORIES_AT_ONCE)
    return done


async def _synced(run: AsyncSyncRun, choice: SyncChoice, named: AsyncNamedPair, *, raises: bool) -> RepositorySync:
    """Synchronise a repository. With `raises`, a failure of the whole repository is raised."""
    try:
        async with run.place(*named.names), named.open() as pair:
            return await _carried_out(run, pair, choice, await compare(pair, choice))
    except errors.DregError as failure:
        run.lost.add(failure)
        if raises:
            raise
        return RepositorySync(*named.names, failure=failure)


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
    if done.not_pruned or not found.removals:
        return done
    removed, failed = await remove(pair.destination, found.removals)
    return replace(done, removed=removed, failed=FrozenDict({**done.failed, **failed}))


async def _planned(run: AsyncSyncRun, choice: SyncChoice, named: AsyncNamedPair, *, raises: bool) -> RepositoryPlan:
    """Plan a repository. With `raises`, a failure of the whole repository is raised."""
    try:
        async with run.place(*named.names), named.open() as pair:
            found = await compare(pair, choice)
            return plan_of(choice, found, await copied(run, pair, choice, found, dry_run=True))
    except errors.DregError as failure:
        run.lost.add(failure)
        if raises:
            raise
        read, written = named.names
        failures = (PlannedFailure(reason=str(failure)),)
        return RepositoryPlan(source=read, destination=written, failures=failures)


async def _applied(run: AsyncSyncRun, plan: RepositoryPlan) -> RepositorySync:
    """Carry out the plan of a repository. What failed when it was made is also a failure of the result."""
    done = await _applied_now(run, plan)
    failures = {**planned_failures(plan), **done.failures}
    failure = failures.pop(None, None)
    failed = {tag: each for tag, each in failures.items() if tag is not None}
    return replace(done, failed=FrozenDict(failed), failure=failure, not_pruned=done.not_pruned or plan.not_pruned)


async def _applied_now(run: AsyncSyncRun, plan: RepositoryPlan) -> RepositorySync:
    names = plan.source, plan.destination
    if plan.is_empty and not plan.referrers:
        return RepositorySync(*names, skipped=len(plan.skips))
    choice = choice_of_plan(plan)
    try:
        async with run.place(*names), open_ends(*names, run, dry_run=False) as ends:
            if not ends.is_single:
                raise errors.InvalidReferenceError(names[0], "source", "one repository; make a new plan")
            (named,) = await ends.pairs(choice)
            async with named.open() as pair:
                found = _kept_to(plan, await compare(pair, choice))
                return await _carried_out(run, pair, choice, found)
    except errors.DregError as failure:
        run.lost.add(failure)
        return RepositorySync(*names, failure=failure)


def _kept_to(plan: RepositoryPlan, found: Comparison) -> Comparison:
    """Return a comparison without what is not in the plan, or has changed since."""
    wanted = {tag: root.descriptor.digest for tag, root in found.roots.items()}
    changed = changed_copies(plan, found.sources, found.current, wanted)
    to_copy = {each.tag for each in plan.copies} - changed.keys()
    kept = to_copy.union(found.same)
    conflicts = changed_removals(plan, found.removals)
    to_remove = {each.tag for each in plan.removals} - conflicts.keys()
    return replace(
        found,
        roots={tag: root for tag, root in found.roots.items() if tag in kept},
        removals={tag: digest for tag, digest in found.removals.items() if tag in to_remove},
        failures={**changed, **conflicts, **found.failures},
    )
