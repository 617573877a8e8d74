"""Run partitions on a Dask cluster."""

import logging
import pickle
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Final, TypeAlias, cast
from uuid import uuid4

from dreg_client import __version__
from dreg_client._logging import log
from dreg_client.errors import ClusterError, DregError, MissingLibraryError
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.run.cluster_task import Task, packed
from dreg_client.partitions.run.validate import PartitionResult
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
_FETCH: Final = 30.0
"""Seconds to wait for a result that a worker has; if the worker does not send it, the partition is done again."""
_MOST_LOSSES: Final = 5
_MOST_SUSPECTS: Final = 64
_SILENT: Final = logging.CRITICAL + 1
_WITHOUT_WORKERS: Final = 60.0
"""Seconds after which a run ends if its scheduler has no workers. A worker that was killed is back earlier."""


def run_on_cluster(
    partitions: Iterator[Partition], task: Task, *, scheduler: str, jobs: int
) -> Iterator[PartitionResult | tuple[Partition, str]]:
    """Run a task for each partition on the workers of a scheduler; yield the results as they come.

    The scheduler does a partition again if its worker was killed, up to three times (`allowed-failures` of Dask). Since
    any other partition of these workers may be the cause, it is then done again while no other one is. If its workers
    are killed once more, it is yielded with the reason.

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
                if (found := submitted.next_result()) is not None:
                    yield found
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
        except (OSError, ValueError, TypeError, RuntimeError, ImportError, AssertionError) as failure:
            advice = "start it with: dask scheduler" if isinstance(failure, OSError) else "expected tcp://HOST:PORT"
            if isinstance(failure, AssertionError):  # distributed expects its threads to start within ten seconds
                advice = "this machine is overloaded; run it again"
            reason = without_secrets(_line(failure), scheduler)
            where = shown_source(scheduler)
            raise ClusterError(where, f"cannot connect to the Dask scheduler: {reason}; {advice}") from None
        with closing(client):
            yield client


@contextmanager
def _cluster(distributed: Any, jobs: int) -> Generator[_Cluster, None, None]:  # noqa: ANN401 (a module)
    """Start workers on this machine, which only this machine can reach."""
    options: dict[str, Any] = {"n_workers": jobs, "threads_per_worker": 1, "host": "127.0.0.1"}
    if not log.isEnabledFor(logging.DEBUG):  # a worker that is killed is reported by this package
        options["silence_logs"] = _SILENT
    try:
        # Any free port for the dashboard: the usual one may be that of another cluster.
        cluster = distributed.LocalCluster(**options, dashboard_address=":0")
    except (OSError, RuntimeError, ValueError) as failure:
        advice = 'a script must start the run under `if __name__ == "__main__":`'
        raise ClusterError(LOCAL, f"the workers cannot be started: {_line(failure)}; {advice}") from None
    with cluster:
        yield cluster


@dataclass(frozen=True, slots=True)
class _Given:
    """A partition that the cluster works on.

    Attributes:
        partition: The partition.
        is_alone: Whether no other partition is submitted, so that no other one can be why its worker is killed.
        losses: How often its result was lost with the worker that had it.
    """

    partition: Partition
    is_alone: bool = False
    losses: int = 0


class _Submitted:
    """The partitions that the cluster works on: as many as keep it busy, so memory does not grow with their number.

    A partition whose workers were killed is a suspect. As any other partition of these workers may be the cause, it
    waits until nothing else is left to do, or until there are many suspects. Then the suspects are isolated: nothing
    is submitted until all others are done, and then one suspect after another, each alone. If its workers are killed
    again, it is the cause. After the last suspect, further partitions are submitted as before.
    """

    def __init__(self, client: _Client, task: Task, scheduler: str) -> None:
        self._client, self._task, self._scheduler = client, task, scheduler
        self._running: dict[_Future, _Given] = {}
        self._done: SimpleQueue[_Future] = SimpleQueue()
        self._workers = _Workers(client, scheduler)
        self._suspects = deque[Partition]()
        self._isolates = False

    def fill(self, partitions: Iterator[Partition]) -> bool:
        """Submit further partitions; return whether any is not finished."""
        if not self._running and not self._suspects:
            self._isolates = False
        if not self._isolates:
            self._submit_many(partitions)
        if self._isolates and not self._running:
            self._submit(_Given(self._suspects.popleft(), is_alone=True))
        return bool(self._running)

    def _submit_many(self, partitions: Iterator[Partition]) -> None:
        """Submit partitions until the workers are busy; isolate the suspects if there are no others, or many."""
        was_idle, is_last = not self._running and not self._suspects, False
        while len(self._running) < max(_AHEAD * self._workers.threads, _LEAST):
            if is_last := (partition := next(partitions, None)) is None:
                break
            self._submit(_Given(partition))
        if was_idle and is_last and len(self._running) == 1:  # nothing else can kill its worker
            self._running = {future: replace(given, is_alone=True) for future, given in self._running.items()}
        self._isolates = bool(self._suspects) and (is_last or len(self._suspects) >= _MOST_SUSPECTS)

    def _submit(self, given: _Given) -> None:
        task = packed(self._task, given.partition)
        future = self._client.submit(pickle.loads, task, key=f"dreg-validate-{uuid4().hex}")
        self._running[future] = given
        future.add_done_callback(self._done.put)

    def next_result(self) -> PartitionResult | tuple[Partition, str] | None:
        """Wait for a partition; return its result, the reason why it was given up, or None if it is done again."""
        while True:
            with suppress(Empty):
                future = self._done.get(timeout=_STEP)
                break
            self._workers.check()
        given = self._running.pop(future)
        if future.status == "cancelled":
            raise self._lost_connection()
        if future.status == "error":
            return self._given_up(given, future.exception(timeout=_FETCH))
        if future.status == "finished":
            try:
                return cast("PartitionResult", future.result(timeout=_FETCH))
            except TimeoutError:
                pass
            except Exception as failure:  # noqa: BLE001 (the scheduler may be lost, or the task is repeated and fails)
                return self._given_up(given, failure)
        self._submit_again(future, given)
        return None

    def _submit_again(self, future: _Future, given: _Given) -> None:
        """Submit a partition again whose result was lost. The scheduler would do so, too, but might never say it."""
        if given.losses >= _MOST_LOSSES:
            raise ClusterError(self._scheduler, f"the result of {given.partition.name} was lost too often")
        log.warning("%s: the worker that had its result was lost; retrying", given.partition.name)
        future.release()
        self._submit(replace(given, losses=given.losses + 1))

    def _given_up(self, given: _Given, failure: Any) -> tuple[Partition, str] | None:  # noqa: ANN401 (of distributed)
        """Return why a partition was given up, or None if it is done again, alone; raise any other error."""
        if type(failure).__name__ != "KilledWorker":
            raise self._to_raise(failure)
        if not given.is_alone:
            self._suspects.append(given.partition)
            return None
        times = failure.allowed_failures + 1
        where = "run it without --scheduler to see it" if self._scheduler == LOCAL else "see their logs"
        return given.partition, f"{times} workers were killed or ended while they validated it; for the reason, {where}"

    def _lost_connection(self) -> ClusterError:
        return ClusterError(self._scheduler, "the connection to the Dask scheduler was lost; start it, then resume")

    def _to_raise(self, failure: BaseException) -> BaseException:
        """Return the error to raise for one that a worker raised."""
        if isinstance(failure, DregError):
            return failure
        if isinstance(failure, ImportError) and (failure.name or "").partition(".")[0] == "dreg_client":
            where = ", ".join(self._workers.without("dreg_client")) or self._scheduler
            return ClusterError(where, f"a worker lacks dreg-client {__version__}; install it on all workers")
        if type(failure).__name__ in {"CancelledError", "FutureCancelledError", "CommClosedError"}:
            return self._lost_connection()
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
        specs = cast("dict[str, object]", self._client.run(find_spec, module, on_error="return"))
        return sorted(address for address, spec in specs.items() if spec is None or isinstance(spec, Exception))


def _line(failure: Exception) -> str:
    return (str(failure) or type(failure).__name__).strip().splitlines()[0]
