# Generated from dreg_client/_async/sync_jobs.py by tools/generate_sync.py. Do not edit.
"""Several syncs as one, as `dreg sync --file` lists them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from dreg_client import errors
from dreg_client._sync.in_order import in_order
from dreg_client._sync.sync_ends import SyncEnd
from dreg_client._sync.sync_repositories import planned, synced
from dreg_client._sync.sync_run import REPOSITORIES_AT_ONCE, SyncRun
from dreg_client.copying.options import CopyOptions
from dreg_client.copying.sync_options import SyncOptions, choice_of
from dreg_client.copying.sync_order import batches
from dreg_client.copying.sync_plan import PlannedFailure, RepositoryPlan, SyncPlan
from dreg_client.copying.sync_result import RepositorySync, SyncResult
from dreg_client.models.frozen import FrozenDict


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
    done: list[list[RepositorySync]] = []
    with SyncRun(registries) as run:
        for batch in batches([job.names for job in jobs]):
            of_batch = jobs[batch.start : batch.stop]
            done += in_order(partial(_synced, run), of_batch, at_a_time=REPOSITORIES_AT_ONCE)
    return SyncResult(tuple(each for found in done for each in found))


def plan_all(jobs: Sequence[SyncJob], registries: CopyOptions) -> SyncPlan:
    """Return what `sync_all` would do."""
    with SyncRun(registries) as run:
        plans = in_order(partial(_planned, run), jobs, at_a_time=REPOSITORIES_AT_ONCE)
    return SyncPlan(repositories=tuple(each for found in plans for each in found))


def _synced(run: SyncRun, job: SyncJob) -> list[RepositorySync]:
    choice, _ = choice_of(job.options)
    try:
        return synced(run, job.source, job.destination, choice)
    except errors.DregError as failure:
        return [RepositorySync(*job.names, failed=FrozenDict({"": failure}))]


def _planned(run: SyncRun, job: SyncJob) -> list[RepositoryPlan]:
    choice, _ = choice_of(job.options)
    try:
        return planned(run, job.source, job.destination, choice)
    except errors.DregError as failure:
        source, destination = job.names
        failures = (PlannedFailure(tag="", reason=str(failure)),)
        return [RepositoryPlan(source=source, destination=destination, failures=failures)]
