# Generated from dreg_client/_async/sync_repositories.py by tools/generate_sync.py. Do not edit.
"""Synchronise repositories, several at a time. What fails in one of them does not stop the others."""

from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from dreg_client import errors
from dreg_client._sync.in_order import in_order
from dreg_client._sync.sync_comparison import Comparison, compare
from dreg_client._sync.sync_ends import NamedPair, SyncEnd, SyncPair, open_ends
from dreg_client._sync.sync_run import REPOSITORIES_AT_ONCE, SyncRun
from dreg_client._sync.sync_transfer import copied, plan_of, remove
from dreg_client.copying.plan_check import changed_copies, changed_removals, choice_of_plan, planned_failures
from dreg_client.copying.plan_model import PlannedFailure
from dreg_client.copying.sync_options import SyncChoice
from dreg_client.copying.sync_order import batches
from dreg_client.copying.sync_plan import RepositoryPlan, SyncPlan
from dreg_client.copying.sync_result import RepositorySync
from dreg_client.models.frozen import FrozenDict


def synced(run: SyncRun, source: SyncEnd, destination: SyncEnd, choice: SyncChoice) -> list[RepositorySync]:
    """Synchronise a repository, or all of a registry; return what was done for each."""
    with open_ends(source, destination, run, dry_run=False) as ends:
        pairs = ends.pairs(choice)
        one = partial(_synced, run, choice, raises=ends.is_single)
        return in_order(one, pairs, at_a_time=REPOSITORIES_AT_ONCE)


def planned(run: SyncRun, source: SyncEnd, destination: SyncEnd, choice: SyncChoice) -> list[RepositoryPlan]:
    """Return what `synced` would do."""
    with open_ends(source, destination, run, dry_run=True) as ends:
        pairs = ends.pairs(choice)
        one = partial(_planned, run, choice, raises=ends.is_single)
        return in_order(one, pairs, at_a_time=REPOSITORIES_AT_ONCE)


def applied(run: SyncRun, plan: SyncPlan) -> list[RepositorySync]:
    """Carry out a plan; return what was done for each repository."""
    done: list[RepositorySync] = []
    for batch in batches([(each.source, each.destination) for each in plan.repositories]):
        plans = plan.repositories[batch.start : batch.stop]
        done += in_order(partial(_applied, run), plans, at_a_time=REPOSITORIES_AT_ONCE)
    return done


def _synced(run: SyncRun, choice: SyncChoice, named: NamedPair, *, raises: bool) -> RepositorySync:
    """Synchronise a repository. With `raises`, a failure of the whole repository is raised."""
    try:
        with run.place(*named.names), named.open() as pair:
            return _carried_out(run, pair, choice, compare(pair, choice))
    except errors.DregError as failure:
        run.lost.add(failure)
        if raises:
            raise
        return RepositorySync(*named.names, failure=failure)


def _carried_out(run: SyncRun, pair: SyncPair, choice: SyncChoice, found: Comparison) -> RepositorySync:
    """Copy and remove tags. An archive is written once, and only if anything changes."""
    with ExitStack() as stack:
        if pair.is_whole and (found.differing or found.removals or choice.referrers):
            stack.enter_context(pair.destination.writing())
        return _copied_and_removed(run, pair, choice, found)


def _copied_and_removed(run: SyncRun, pair: SyncPair, choice: SyncChoice, found: Comparison) -> RepositorySync:
    done = copied(run, pair, choice, found, dry_run=False)
    if done.not_pruned or not found.removals:
        return done
    removed, failed = remove(pair.destination, found.removals)
    return replace(done, removed=removed, failed=FrozenDict({**done.failed, **failed}))


def _planned(run: SyncRun, choice: SyncChoice, named: NamedPair, *, raises: bool) -> RepositoryPlan:
    """Plan a repository. With `raises`, a failure of the whole repository is raised."""
    try:
        with run.place(*named.names), named.open() as pair:
            found = compare(pair, choice)
            return plan_of(choice, found, copied(run, pair, choice, found, dry_run=True))
    except errors.DregError as failure:
        run.lost.add(failure)
        if raises:
            raise
        read, written = named.names
        failures = (PlannedFailure(reason=str(failure)),)
        return RepositoryPlan(source=read, destination=written, failures=failures)


def _applied(run: SyncRun, plan: RepositoryPlan) -> RepositorySync:
    """Carry out the plan of a repository. What failed when it was made is also a failure of the result."""
    done = _applied_now(run, plan)
    failures = {**planned_failures(plan), **done.failures}
    failure = failures.pop(None, None)
    failed = {tag: each for tag, each in failures.items() if tag is not None}
    return replace(done, failed=FrozenDict(failed), failure=failure, not_pruned=done.not_pruned or plan.not_pruned)


def _applied_now(run: SyncRun, plan: RepositoryPlan) -> RepositorySync:
    names = plan.source, plan.destination
    if plan.is_empty and not plan.referrers:
        return RepositorySync(*names, skipped=len(plan.skips))
    choice = choice_of_plan(plan)
    try:
        with run.place(*names), open_ends(*names, run, dry_run=False) as ends:
            if not ends.is_single:
                raise errors.InvalidReferenceError(names[0], "source", "one repository; make a new plan")
            (named,) = ends.pairs(choice)
            with named.open() as pair:
                found = _kept_to(plan, compare(pair, choice))
                return _carried_out(run, pair, choice, found)
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
