"""Run partitions on a Dask cluster."""

import pickle
import platform
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast
from uuid import uuid4

from dreg_client import __version__
from dreg_client.errors import ClusterError, DregError, MissingLibraryError
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.validate import PartitionReport

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

LOCAL: Final = "local"
Task: TypeAlias = Callable[[Partition], PartitionReport]
_Future: TypeAlias = "Future[Any]"
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
        submitted = _Submitted(client, task, scheduler)
        try:
            while submitted.fill(partitions):
                yield submitted.next_result()
        finally:
            submitted.cancel()


@contextmanager
def _client(scheduler: str, jobs: int) -> "Generator[Client, None, None]":
    try:
        from distributed import Client  # noqa: PLC0415 (needs an extra)
    except ImportError:
        raise MissingLibraryError("distributed", "dask") from None
    with _cluster(jobs) if scheduler == LOCAL else _address(scheduler) as place:
        try:
            client = Client(place, timeout=_CONNECT, set_as_default=False, name="dreg-validate")
        except (OSError, ValueError, TypeError, RuntimeError, ImportError) as failure:
            advice = "start it with: dask scheduler" if isinstance(failure, OSError) else "expected tcp://HOST:PORT"
            raise ClusterError(scheduler, f"cannot connect to the Dask scheduler: {_line(failure)}; {advice}") from None
        with closing(client):
            yield client


@contextmanager
def _address(scheduler: str) -> Generator[str, None, None]:
    yield scheduler


@contextmanager
def _cluster(jobs: int) -> "Generator[LocalCluster, None, None]":
    """Start workers on this machine, which only this machine can reach."""
    from distributed import LocalCluster  # noqa: PLC0415 (needs an extra)

    with LocalCluster(n_workers=jobs, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        yield cluster


class _Submitted:
    """The partitions that the cluster works on: as many as keep it busy, so memory does not grow with their number."""

    def __init__(self, client: "Client", task: Task, scheduler: str) -> None:
        self._client, self._task, self._scheduler = client, task, scheduler
        self._running: dict[_Future, Partition] = {}
        self._done: SimpleQueue[_Future] = SimpleQueue()
        self._workers = _Workers(client, scheduler)

    def fill(self, partitions: Iterator[Partition]) -> bool:
        """Submit further partitions; return whether any is not finished."""
        while len(self._running) < max(_AHEAD * self._workers.threads, _LEAST):
            if (partition := next(partitions, None)) is None:
                break
            future = self._client.submit(pickle.loads, _packed(self._task, partition), key=f"dreg-validate-{uuid4().hex}")
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
        failure = future.exception()
        if failure is None:
            return cast("PartitionReport", future.result())
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

    def __init__(self, client: "Client", scheduler: str) -> None:
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
            threads = sum(cast("dict[str, int]", self._client.nthreads()).values())
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
        return sorted(address for address, spec in found.items() if spec is None)


class _Call:
    """A function and its arguments, which is called when it is unpickled."""

    def __init__(self, *parts: object) -> None:
        self._parts = parts

    def __reduce__(self) -> tuple[Any, ...]:
        called, *arguments = self._parts
        return called, tuple(arguments)


def _packed(task: Task, partition: Partition) -> bytes:
    """Return a task as bytes for `pickle.loads`.

    The scheduler and workers unpickle a function before they run it. If they lack its module, workers end, and the run
    waits for ever. `pickle.loads` they have, and what it raises is the error of this task alone.
    """
    return pickle.dumps(_Call(run_packed, __version__, pickle.dumps((task, partition))))


def run_packed(version: str, packed: bytes) -> PartitionReport:
    """Run a task on a worker.

    Raises:
        ClusterError: This worker has another version of dreg-client, or lacks a library.
    """
    if version != __version__:
        reason = f"the worker has dreg-client {__version__}, but the run was started by {version}; install the same one"
        raise ClusterError(platform.node(), reason)
    try:
        task, partition = cast("tuple[Task, Partition]", pickle.loads(packed))  # noqa: S301 (from the driver)
        return task(partition)
    except MissingLibraryError as failure:
        raise ClusterError(platform.node(), f"the worker lacks a library: {failure}") from None


def _line(failure: Exception) -> str:
    return (str(failure) or type(failure).__name__).strip().splitlines()[0]
