"""Run partitions on a Dask cluster."""

import pickle
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from importlib import import_module
from importlib.util import find_spec
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Final, TypeAlias, cast
from uuid import uuid4

from dreg_client import __version__
from dreg_client.errors import ClusterError, DregError, MissingLibraryError
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.run.cluster_task import Task, packed
from dreg_client.partitions.run.validate import PartitionReport
from dreg_client.values.source_url import shown_source, without_secrets

LOCAL: Final = "local"

_Client: TypeAlias = Any
"""The client, the futures and the cluster of distributed, which has no types."""
_Future: TypeAlias = Any
_Cluster: TypeAlias = Any
_AHEAD: Final = 2
"""The number of partitions that are submitted for each thread of the workers, so that a worker is never idle."""
_LEAST: Final = 4
_CONNECT: Final = 10.0
_STEP: Final = 1.0
_WITHOUT_WORKERS: Final = 60.0
"""Seconds after which a run ends if its scheduler has no workers. A worker that was killed is back earlier."""


def run_on_cluster(
    partitions: Iterator[Partition], task: Task, *, scheduler: str, jobs: int
) -> Iterator[PartitionReport | tuple[Partition, str]]:
    """Run a task for each partition on the workers of a scheduler; yield the results as they come.

    The scheduler does a partition again if its worker was killed, up to three times (`allowed-failures` of Dask). Then
    the partition is yielded with the reason.

    Args:
        partitions: The partitions.
        task: What to do with each; it can be pickled.
        scheduler: The address of the scheduler; `local` starts a cluster on this machine.
        jobs: The number of worker processes of a local cluster.

    Raises:
        ClusterError: The cluster cannot be used or was lost.
        MissingLibraryError: distributed is not installed.
        DregError: What the task raised. The partitions that wait are cancelled.
    """
    with _client(scheduler, jobs) as client:
        submitted = _Submitted(client, task, shown_source(scheduler))
        try:
            while submitted.fill(partitions):
                yield submitted.next_result()
        finally:
            submitted.cancel()


@contextmanager
def _client(scheduler: str, jobs: int) -> Generator[_Client, None, None]:
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise MissingLibraryError("distributed", "dask") from None
    with _cluster(distributed, jobs) if scheduler == LOCAL else nullcontext(scheduler) as place:
        try:
            client = distributed.Client(place, timeout=_CONNECT, set_as_default=False, name="dreg-validate")
        except (OSError, ValueError, TypeError, RuntimeError, ImportError) as failure:
            advice = "start it with: dask scheduler" if isinstance(failure, OSError) else "expected tcp://HOST:PORT"
            reason = without_secrets(_line(failure), scheduler)
            where = shown_source(scheduler)
            raise ClusterError(where, f"cannot connect to the Dask scheduler: {reason}; {advice}") from None
        with closing(client):
            yield client


@contextmanager
def _cluster(distributed: Any, jobs: int) -> Generator[_Cluster, None, None]:  # noqa: ANN401 (a module)
    """Start workers on this machine, which only this machine can reach."""
    options = {"n_workers": jobs, "threads_per_worker": 1, "host": "127.0.0.1"}
    # Any free port for the dashboard: the usual one may be that of another cluster.
    with distributed.LocalCluster(**options, dashboard_address=":0") as cluster:
        yield cluster


class _Submitted:
    """The partitions that the cluster works on: as many as keep it busy, so memory does not grow with their number."""

    def __init__(self, client: _Client, task: Task, scheduler: str) -> None:
        self._client, self._task, self._scheduler = client, task, scheduler
        self._running: dict[_Future, Partition] = {}
        self._done: SimpleQueue[_Future] = SimpleQueue()
        self._workers = _Workers(client, scheduler)

    def fill(self, partitions: Iterator[Partition]) -> bool:
        """Submit further partitions; return whether any is not finished."""
        while len(self._running) < max(_AHEAD * self._workers.threads, _LEAST):
            if (partition := next(partitions, None)) is None:
                break
            future = self._client.submit(
                pickle.loads, packed(self._task, partition), key=f"dreg-validate-{uuid4().hex}"
            )
            self._running[future] = partition
            future.add_done_callback(self._done.put)
        return bool(self._running)

    def next_result(self) -> PartitionReport | tuple[Partition, str]:
        """Wait for a partition; return its result, or the reason why it was given up."""
        while True:
            with suppress(Empty):
                future = self._done.get(timeout=_STEP)
                break
            self._workers.check()
        partition = self._running.pop(future)
        if future.status == "cancelled":
            raise self._lost()
        if future.status != "finished":
            return self._failed(partition, future.exception())
        try:
            return cast("PartitionReport", future.result())
        except Exception as failure:  # noqa: BLE001 (the worker that has the result, or the scheduler, may be lost)
            return self._failed(partition, failure)

    def _failed(self, partition: Partition, failure: Any) -> tuple[Partition, str]:  # noqa: ANN401 (of distributed)
        """Return why a partition was given up; raise any other error."""
        if type(failure).__name__ == "KilledWorker":
            return partition, f"{failure.allowed_failures + 1} workers were killed, perhaps because memory ran out"
        raise self._error(failure)

    def _lost(self) -> ClusterError:
        return ClusterError(self._scheduler, "the connection to the Dask scheduler was lost; start it, then resume")

    def _error(self, failure: BaseException) -> BaseException:
        """Return the error to raise for one that a worker raised."""
        if isinstance(failure, DregError):
            return failure
        if isinstance(failure, ImportError) and (failure.name or "").partition(".")[0] == "dreg_client":
            where = ", ".join(self._workers.without("dreg_client")) or self._scheduler
            return ClusterError(where, f"a worker lacks dreg-client {__version__}; install it on all workers")
        if type(failure).__name__ in {"CancelledError", "FutureCancelledError", "CommClosedError"}:
            return self._lost()
        return failure

    def cancel(self) -> None:
        """Cancel the partitions that are not finished. What a worker has begun ends there."""
        running, self._running = list(self._running), {}
        if running and self._client.status == "running":
            with suppress(OSError, RuntimeError, TimeoutError):
                self._client.cancel(running, force=True)


class _Workers:
    """The workers of a scheduler, which may come and go."""

    def __init__(self, client: _Client, scheduler: str) -> None:
        self._client, self._scheduler = client, scheduler
        self._asked = self._seen = monotonic()
        self._threads = self._counted()

    @property
    def threads(self) -> int:
        """The number of their threads, at most a second old."""
        if monotonic() - self._asked > _STEP:
            self._threads = self._counted()
        return self._threads

    def _counted(self) -> int:
        self._asked = monotonic()
        try:
            threads = sum(int(count) for count in self._client.nthreads().values())
        except (OSError, RuntimeError):
            raise ClusterError(self._scheduler, "the connection to the Dask scheduler was lost") from None
        if threads:
            self._seen = self._asked
        return threads

    def check(self) -> None:
        """Raise ClusterError if there have been no workers for a minute."""
        if not self.threads and monotonic() - self._seen > _WITHOUT_WORKERS:
            advice = f"start some with: dask worker {self._scheduler} --nworkers auto --nthreads 1"
            raise ClusterError(self._scheduler, f"the Dask scheduler has no workers; {advice}")

    def without(self, module: str) -> list[str]:
        """Return the addresses of the workers that cannot find a module."""
        found = cast("dict[str, object]", self._client.run(find_spec, module, on_error="return"))
        return sorted(address for address, spec in found.items() if spec is None or isinstance(spec, Exception))


def _line(failure: Exception) -> str:
    return (str(failure) or type(failure).__name__).strip().splitlines()[0]
