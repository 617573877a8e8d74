"""Run partitions in processes of this machine."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Final

from dreg_client._logging import log
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.run.validate import PartitionResult
from dreg_client.values.workers import Done, Ended, Raised, Workers

MOST_ATTEMPTS: Final = 4
"""How often a partition is begun if the worker process ends each time."""
Task = Callable[[Partition], PartitionResult]


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
    again: list[tuple[Partition, int]] = []
    with closing(Workers[tuple[Partition, int], Partition, PartitionResult](task, jobs=jobs)) as workers:
        while True:
            while workers.have_room and (given := again.pop() if again else _next(partitions)):
                if not workers.begin(given, given[0]):
                    again.append(given)
            if not workers.are_busy:
                return
            for (partition, attempt), answer in workers.answers():
                result = _result(partition, attempt, answer)
                if result is None:
                    again.append((partition, attempt + 1))
                else:
                    yield result


def _result(
    partition: Partition, attempt: int, answer: Done[PartitionResult] | Raised | Ended
) -> PartitionResult | tuple[Partition, str] | None:
    """Return the result for a partition, or why it has none; None if it is to be tried again."""
    match answer:
        case Raised(failure):
            raise failure
        case Done(report):
            return report
        case _ if attempt == MOST_ATTEMPTS:
            return partition, answer.reason(attempt)
        case _:
            log.warning("%s: its worker process ended; retrying", partition.name)
            return None


def _next(partitions: Iterator[Partition]) -> tuple[Partition, int] | None:
    found = next(partitions, None)
    return None if found is None else (found, 1)
