"""A discrete-event simulation of a validation on many workers, some of which die. It is deterministic for a seed."""

import heapq
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final, Literal

HOUR: Final = 3600.0
MOST_ATTEMPTS: Final = 4
"""A partition whose worker dies is done again up to three times; then it has failed."""

End = Literal["done", "died"]


@dataclass(frozen=True)
class Cluster:
    """Workers, and what delays them.

    Attributes:
        workers: The number of workers; each has one core.
        rate: The documents that a worker validates in a second.
        start: The seconds until a worker is ready, on average; each takes between half and one and a half of it.
        overhead: The seconds that a partition takes, however few documents it has: to open it, and to write a report.
        deaths: How often a worker dies in an hour, on average.
        notice: The seconds until a death is noticed. Then the partition is handed out again, and the worker is started
            again.
    """

    workers: int = 64
    rate: float = 20_000
    start: float = 10
    overhead: float = 0.5
    deaths: float = 0
    notice: float = 10


@dataclass(frozen=True)
class Attempt:
    """A partition on a worker, from start to end, in seconds."""

    worker: int
    partition: int
    start: float
    stop: float
    end: End


@dataclass
class Run:
    """What happened.

    Attributes:
        seconds: The time until the last partition was done.
        attempts: All attempts, in order of their ends.
        failed: The partitions that were given up.
        lost: The seconds of work that each death lost.
    """

    seconds: float = 0
    attempts: list[Attempt] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)


def file_sizes(documents: int, files: int, sigma: float, seed: int) -> list[int]:
    """Return the documents in each of some files: log-normal, so that most are small and a few are large."""
    chance = random.Random(seed)  # noqa: S311 (not a secret)
    weights = [chance.lognormvariate(0, sigma) for _ in range(files)]
    scale = documents / sum(weights)
    sizes = [max(1, round(weight * scale)) for weight in weights]
    sizes[sizes.index(max(sizes))] += documents - sum(sizes)
    return sizes


def divided(sizes: Sequence[int], most: int) -> list[int]:
    """Return the documents in each partition if files are divided into partitions of at most `most` documents."""
    partitions: list[int] = []
    for size in sizes:
        parts = ceil(size / most)
        partitions += [size * (part + 1) // parts - size * part // parts for part in range(parts)]
    return partitions


class Simulation:
    """A run of partitions, in their order, on a cluster. Whatever happens next is in a heap."""

    def __init__(self, partitions: Sequence[int], cluster: Cluster, seed: int) -> None:
        self._partitions, self._cluster = partitions, cluster
        self._chance = random.Random(seed)  # noqa: S311 (as above)
        self._waiting = deque(range(len(partitions)))
        self._attempts = [0] * len(partitions)
        self._idle: list[int] = []
        self._events: list[tuple[float, int, int, Attempt | None]] = []  # time, number, worker, the attempt that ended
        self._number = 0
        self._unfinished = len(partitions)
        self._run = Run()

    def run(self) -> Run:
        """Return what happened until all partitions are done or given up."""
        for worker in range(self._cluster.workers):
            self._start(worker, 0)
        while self._unfinished:
            now, _, worker, ended = heapq.heappop(self._events)
            if ended is None:
                self._take(worker, now)
            elif ended.end == "done":
                self._finish(ended.partition, now)
                self._take(worker, now)
            else:
                self._repeat(ended.partition, now)
                self._start(worker, now)
        return self._run

    def _event(self, time: float, worker: int, ended: Attempt | None) -> None:
        self._number += 1
        heapq.heappush(self._events, (time, self._number, worker, ended))

    def _start(self, worker: int, now: float) -> None:
        self._event(now + self._cluster.start * self._chance.uniform(0.5, 1.5), worker, None)

    def _take(self, worker: int, now: float) -> None:
        """Give the next partition to a worker that is ready; its death may come before the end."""
        if not self._waiting:
            self._idle.append(worker)
            return
        partition = self._waiting.popleft()
        self._attempts[partition] += 1
        cluster = self._cluster
        stop = now + cluster.overhead + self._partitions[partition] / cluster.rate
        death = now + self._chance.expovariate(cluster.deaths / HOUR) if cluster.deaths else stop
        if death < stop:
            self._run.lost.append(death - now)
            attempt = Attempt(worker, partition, now, death, "died")
            self._event(death + cluster.notice, worker, attempt)
        else:
            attempt = Attempt(worker, partition, now, stop, "done")
            self._event(stop, worker, attempt)
        self._run.attempts.append(attempt)

    def _finish(self, partition: int, now: float, *, failed: bool = False) -> None:
        self._unfinished -= 1
        self._run.seconds = now
        if failed:
            self._run.failed.append(partition)

    def _repeat(self, partition: int, now: float) -> None:
        if self._attempts[partition] == MOST_ATTEMPTS:
            self._finish(partition, now, failed=True)
            return
        self._waiting.appendleft(partition)
        if self._idle:
            self._take(self._idle.pop(0), now)


def simulate(partitions: Sequence[int], cluster: Cluster, seed: int = 1) -> Run:
    """Return what happens if a cluster validates partitions of so many documents each."""
    return Simulation(partitions, cluster, seed).run()


def ideal(documents: int, cluster: Cluster) -> float:
    """Return the seconds that documents would take if they could be divided among all workers at once."""
    return documents / (cluster.rate * cluster.workers)
