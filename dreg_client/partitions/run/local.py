"""Run partitions in processes of this machine."""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Final

from dreg_client._logging import log
from dreg_client.errors import WorkerKilledError
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.run.failures import ended
from dreg_client.partitions.run.validate import PartitionResult
from dreg_client.values.processes import start_process
from dreg_client.values.waiting import wait_in_steps

MOST_ATTEMPTS: Final = 4
"""How often a partition is begun if the worker process ends each time."""
Task = Callable[[Partition], PartitionResult]


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a worker process without a result, with its exit code; negative if a signal ended it."""

    exit_code: int | None


_Answer = PartitionResult | BaseException | _End
_PATIENCE: Final = 5.0
_UNGUARDED: Final = (
    "a worker process ended while it imported the program; "
    'a script must start the run under `if __name__ == "__main__":`'
)


def run_in_processes(
    partitions: Iterator[Partition], task: Task, *, jobs: int
) -> Iterator[PartitionResult | tuple[Partition, str]]:
    """Run a task for each partition, in a number of processes; yield the results as they come.

    A partition whose process ended is done again in a new one. After four attempts, it is yielded with the reason.
    The other processes are not affected: each has one partition at a time, so it is known which one is to be repeated.

    Raises:
        DregError: What the task raised. The other processes are killed.
        WorkerKilledError: A process ended before it could begin, as it does in a script that starts processes when it
            is imported.
    """
    workers = _Workers(task)
    try:
        again: list[tuple[Partition, int]] = []
        while True:
            while len(workers.busy) < jobs and (given := again.pop() if again else _next(partitions)):
                workers.begin(*given)
            if not workers.busy:
                return
            for partition, attempt, answer in workers.answers():
                if isinstance(answer, BaseException):
                    raise answer
                if isinstance(answer, PartitionResult):
                    yield answer
                elif attempt >= MOST_ATTEMPTS:
                    yield partition, ended(MOST_ATTEMPTS, answer.exit_code)
                else:
                    log.warning("%s: its worker process ended; retrying", partition.name)
                    again.append((partition, attempt + 1))
    finally:
        workers.kill()


def _next(partitions: Iterator[Partition]) -> tuple[Partition, int] | None:
    found = next(partitions, None)
    return None if found is None else (found, 1)


class _Worker:
    """A process that does one partition after another."""

    def __init__(self, task: Task) -> None:
        self.process, self.connection = start_process(_serve, task)
        self.has_begun: bool = False

    def kill(self) -> None:
        """End the process at once. Its partition can be done again."""
        self.process.kill()
        self.process.join()
        self.connection.close()


class _Workers:
    """The processes that are idle, and those that are busy with a partition."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._idle: list[_Worker] = []
        self.busy: dict[_Worker, tuple[Partition, int]] = {}

    def begin(self, partition: Partition, attempt: int) -> None:
        """Give a partition to an idle process, or to a new one."""
        worker = self._idle.pop() if self._idle else _Worker(self._task)
        self.busy[worker] = partition, attempt
        with suppress(OSError):  # killed while it was idle; `answers` finds it
            worker.connection.send(partition)

    def answers(self) -> Iterator[tuple[Partition, int, _Answer]]:
        """Wait for processes; yield their partitions with the results, or with the end of the process."""
        waiting = {worker.connection: worker for worker in self.busy}
        wait_in_steps(lambda seconds: bool(wait(waiting, 0)) or bool(wait(waiting, seconds)))
        for connection in wait(waiting, 0):
            worker = waiting[connection]  # type: ignore[index]
            answer = self._answer(worker)
            if answer is not None:
                yield *self.busy.pop(worker), answer

    def _answer(self, worker: _Worker) -> _Answer | None:
        """Return the result of a process; None if it has only said that it began."""
        try:
            answer: _Answer | None = worker.connection.recv()
        except (EOFError, OSError):
            return self._end(worker)
        worker.has_begun = True
        if answer is not None:
            self._idle.append(worker)
        return answer

    def _end(self, worker: _Worker) -> _Answer:
        worker.process.join(_PATIENCE)  # it ends with its connection; `kill` would replace its exit code
        end = _End(worker.process.exitcode)
        worker.kill()
        if not worker.has_begun and end.exit_code is not None and end.exit_code > 0:
            return WorkerKilledError(_program(), _UNGUARDED)
        return end

    def kill(self) -> None:
        """End all processes at once."""
        for worker in (*self._idle, *self.busy):
            worker.kill()


def _serve(connection: Connection, task: Task) -> None:
    """Do the partitions that come, until the connection ends."""
    with suppress(OSError):  # the parent has ended
        connection.send(None)
    while True:
        try:
            connection.send(_result(partial(task, connection.recv())))
        except (EOFError, OSError):  # the parent has ended
            return


def _result(task: Callable[[], PartitionResult]) -> _Answer:
    try:
        return task()
    except Exception as failure:  # noqa: BLE001 (raised in the parent)
        return failure


def _program() -> str:
    return str(getattr(sys.modules.get("__main__"), "__file__", None) or "the program")
