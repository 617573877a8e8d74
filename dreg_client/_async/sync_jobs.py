"""Several syncs as one, as `dreg sync --file` lists them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from dreg_client import errors
from dreg_client._async.in_order import in_order
from dreg_client._async.sync_ends import AsyncSyncEnd
from dreg_client._async.sync_repositories import planned, synced
from dreg_client._async.sync_run import REPOSITORIES_AT_ONCE, AsyncSyncRun
from dreg_client.copying.options import CopyOptions
from dreg_client.copying.sync_options import SyncOptions, choice_of
from dreg_client.copying.sync_order import batches
from dreg_client.copying.sync_plan import PlannedFailure, RepositoryPlan, SyncPlan
from dreg_client.copying.sync_result import RepositorySync, SyncResult
from dreg_client.models.frozen import FrozenDict


@dataclass(frozen=True, slots=True)
class AsyncSyncJob:
    """What to synchronise: the arguments of `async_sync`, without the options of registries."""

    source: AsyncSyncEnd
    destination: AsyncSyncEnd
    options: SyncOptions

    @property
    def names(self) -> tuple[str, str]:
        """The names of source and destination, as they were given."""
        return str(self.source), str(self.destination)


async def sync_all(jobs: Sequence[AsyncSyncJob], registries: CopyOptions) -> SyncResult:
    """Carry out several syncs, in order where one depends on another. A job that fails does not stop the others."""
    done: list[list[RepositorySync]] = []
    async with AsyncSyncRun(registries) as run:
        for batch in batches([job.names for job in jobs]):
            of_batch = jobs[batch.start : batch.stop]
            done += await in_order(partial(_synced, run), of_batch, at_a_time=REPOSITORIES_AT_ONCE)
    return SyncResult(tuple(each for found in done for each in found))


async def plan_all(jobs: Sequence[AsyncSyncJob], registries: CopyOptions) -> SyncPlan:
    """Return what `sync_all` would do."""
    async with AsyncSyncRun(registries) as run:
        plans = await in_order(partial(_planned, run), jobs, at_a_time=REPOSITORIES_AT_ONCE)
    return SyncPlan(repositories=tuple(each for found in plans for each in found))


async def _synced(run: AsyncSyncRun, job: AsyncSyncJob) -> list[RepositorySync]:
    choice, _ = choice_of(job.options)
    try:
        return await synced(run, job.source, job.destination, choice)
    except errors.DregError as failure:
        return [RepositorySync(*job.names, failed=FrozenDict({"": failure}))]


async def _planned(run: AsyncSyncRun, job: AsyncSyncJob) -> list[RepositoryPlan]:
    choice, _ = choice_of(job.options)
    try:
        return await planned(run, job.source, job.destination, choice)
    except errors.DregError as failure:
        source, destination = job.names
        failures = (PlannedFailure(tag="", reason=str(failure)),)
        return [RepositoryPlan(source=source, destination=destination, failures=failures)]
