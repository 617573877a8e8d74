# Generated from dreg_client/_async/sync_jobs.py by tools/generate_sync.py. Do not edit.
"""Several syncs as one, as `dreg sync --file` lists them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from dreg_client import errors
from dreg_client._sync.copier import concerns_everything
from dreg_client._sync.in_order import in_order
from dreg_client._sync.sync_ends import SyncEnd
from dreg_client._sync.sync_repositories import planned, synced
from dreg_client._sync.sync_run import REPOSITORIES_AT_ONCE, SyncRun, in_run
from dreg_client.copying.options import CopyOptions
from dreg_client.copying.plan_model import PlannedFailure
from dreg_client.copying.sync_options import SyncOptions, choice_of
from dreg_client.copying.sync_order import batches, written_before
from dreg_client.copying.sync_plan import RepositoryPlan, SyncPlan
from dreg_client.copying.sync_result import RepositorySync, SyncResult


@dataclass(frozen=True, slots=True)
class SyncJob:
    """What to synchronise: the arguments of `sync`, without the options of registries."""

    source: SyncEnd
    destination: SyncEnd
    options: SyncOptions

    @property
    def names(self) -> tuple[str, str]:
        """The names of source and destination, as they were given."""
        return str(self.source), str(self.destination)


def sync_all(jobs: Sequence[SyncJob], registries: CopyOptions) -> SyncResult:
    """Carry out several syncs, in order where one depends on another. A job that fails does not stop the others."""

    def carry_out(run: SyncRun) -> SyncResult:
        done: list[list[RepositorySync]] = []
        for batch in batches([job.names for job in jobs]):
            of_batch = jobs[batch.start : batch.stop]
            done += in_order(partial(_synced, run), of_batch, at_a_time=REPOSITORIES_AT_ONCE)
        return SyncResult(tuple(each for found in done for each in found))

    return in_run(registries, carry_out)


def plan_all(jobs: Sequence[SyncJob], registries: CopyOptions) -> SyncPlan:
    """Return what `sync_all` would do, as far as it can be told before anything is written.

    If a job reads what an earlier one writes, its source is compared as it is now. The plan says so (`not_planned`). If
    that source is not there yet, this is not a failure.
    """
    written = written_before([job.names for job in jobs])

    def plan(run: SyncRun) -> SyncPlan:
        each = [*zip(jobs, written, strict=True)]
        plans = in_order(partial(_planned, run), each, at_a_time=REPOSITORIES_AT_ONCE)
        return SyncPlan(repositories=tuple(each for found in plans for each in found))

    return in_run(registries, plan)


def _synced(run: SyncRun, job: SyncJob) -> list[RepositorySync]:
    choice, _ = choice_of(job.options)
    try:
        run.lost.check(*job.names)
        return synced(run, job.source, job.destination, choice)
    except errors.DregError as failure:
        run.lost.add(failure)
        return [RepositorySync(*job.names, failure=failure)]


def _planned(run: SyncRun, each: tuple[SyncJob, str]) -> list[RepositoryPlan]:
    job, written = each
    choice, _ = choice_of(job.options)
    source, destination = job.names
    unknown = RepositoryPlan(source=source, destination=destination)
    try:
        run.lost.check(*job.names)
        plans = planned(run, job.source, job.destination, choice)
    except errors.DregError as failure:
        run.lost.add(failure)
        if not written or concerns_everything(failure):
            return [unknown.model_copy(update={"failures": (PlannedFailure(reason=str(failure)),)})]
        return [unknown.model_copy(update={"not_planned": _too_early(written, failure)})]
    if not written:
        return plans
    reason = f"what an earlier entry writes to {written} is not in this plan"
    return [plan.model_copy(update={"not_planned": reason}) for plan in plans or [unknown]]


def _too_early(written: str, failure: errors.DregError) -> str:
    return f"this cannot be planned before an earlier entry has written {written}: {failure}"
