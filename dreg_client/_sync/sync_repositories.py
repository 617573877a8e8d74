# Generated from dreg_client/_async/sync_repositories.py by tools/generate_sync.py. Do not edit.
"""Synchronise repositories, several at a time. What fails in one of them does not stop the others."""

from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from dreg_client import errors
from dreg_client._sync.in_order import in_order
from dreg_client._sync.sync_comparison import Comparison, compare
from dreg_client._sync.sync_ends import SyncEnd, SyncEnds, SyncPair, open_ends
from dreg_client._sync.sync_run import REPOSITORIES_AT_ONCE, SyncRun
from dreg_client._sync.sync_transfer import copied, plan_of, remove
from dreg_client.copying.plan_check import changed_copies, changed_removals, choice_of_plan
from dreg_client.copying.sync_options import SyncChoice
from dreg_client.copying.sync_order import batches
from dreg_client.copying.sync_plan import PlannedFailure, RepositoryPlan, SyncPlan
from dreg_client.copying.sync_result import RepositorySync
from dreg_client.models.frozen import FrozenDict


def synced(run: SyncRun, source: SyncEnd, destination: SyncEnd, choice: SyncChoice) -> list[RepositorySync]:
    """Synchronise a repository, or all of a registry; return what was done for each."""
    with open_ends(source, destination, run, dry_run=False) as ends:
        keys = ends.keys(choice)
        return in_order(partial(_synced, run, ends, choice), keys, at_a_time=REPOSITORIES_AT_ONCE)


def planned(run: SyncRun, source: SyncEnd, destination: SyncEnd, choice: SyncChoice) -> list[RepositoryPlan]:
    """Return what `synced` would do."""
    with open_ends(source, destination, run, dry_run=True) as ends:
        keys = ends.keys(choice)
        return in_order(partial(_planned, run, ends, choice), keys, at_a_time=REPOSITORIES_AT_ONCE)


def applied(run: SyncRun, plan: SyncPlan) -> list[RepositorySync]:
    """Carry out a plan; return what was done for each repository."""
    done: list[RepositorySync] = []
    for batch in batches([(each.source, each.destination) for each in plan.repositories]):
        plans = plan.repositories[batch.start : batch.stop]
        done += in_order(partial(_applied, run), plans, at_a_time=REPOSITORIES_AT_ONCE)
    return done


def _synced(run: SyncRun, ends: SyncEnds, choice: SyncChoice, key: str) -> RepositorySync:
    try:
        with run.place(), ends.open(key) as pair:
            return _carried_out(run, pair, choice, compare(pair, choice))
    except errors.DregError as failure:
        if not key:
            raise
        return RepositorySync(*ends.names(key), failed=FrozenDict({"": failure}))


def _carried_out(run: SyncRun, pair: SyncPair, choice: SyncChoice, found: Comparison) -> RepositorySync:
    """Copy and remove tags. An archive is written once, and only if anything changes."""
    with ExitStack() as stack:
        if pair.is_whole and (found.differing or found.removals or choice.referrers):
            stack.enter_context(pair.destination.writing())
        return _copied_and_removed(run, pair, choice, found)


def _copied_and_removed(run: SyncRun, pair: SyncPair, choice: SyncChoice, found: Comparison) -> RepositorySync:
    done = copied(run, pair, choice, found, dry_run=False)
    if "" in done.failed or not found.removals:
        return done
    removed, failed = remove(pair.destination, found.removals)
    return replace(done, removed=removed, failed=FrozenDict({**done.failed, **failed}))


def _planned(run: SyncRun, ends: SyncEnds, choice: SyncChoice, key: str) -> RepositoryPlan:
    try:
        with run.place(), ends.open(key) as pair:
            found = compare(pair, choice)
            return plan_of(choice, found, copied(run, pair, choice, found, dry_run=True))
    except errors.DregError as failure:
        if not key:
            raise
        read, written = ends.names(key)
        failures = (PlannedFailure(tag="", reason=str(failure)),)
        return RepositoryPlan(source=read, destination=written, failures=failures)


def _applied(run: SyncRun, plan: RepositoryPlan) -> RepositorySync:
    if plan.is_empty and not plan.referrers:
        return RepositorySync(plan.source, plan.destination, skipped=len(plan.skips))
    choice = choice_of_plan(plan)
    try:
        with ExitStack() as stack:
            stack.enter_context(run.place())
            ends = stack.enter_context(open_ends(plan.source, plan.destination, run, dry_run=False))
            pair = stack.enter_context(ends.open(""))
            found = compare(pair, choice)
            _keep_to(plan, found)
            return _carried_out(run, pair, choice, found)
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
