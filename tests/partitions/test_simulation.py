"""The simulation of a cluster in tests/bench: its figures are on the site, so it must not cheat."""

import sys
from collections import defaultdict
from itertools import pairwise
from typing import Final

import pytest

from tests.bench.simulation import MOST_ATTEMPTS, Attempt, Cluster, Run, divided, file_sizes, ideal, simulate
from tests.commands import ROOT, run_limited

DOCUMENTS: Final = 1_000_000
MORTAL: Final = Cluster(workers=16, rate=2_000, start=5, overhead=0.5, deaths=60, notice=10)
PARTITIONS: Final = divided(file_sizes(DOCUMENTS, files=200, sigma=1.3, seed=1), most=20_000)


def done(run: Run) -> list[int]:
    return sorted(attempt.partition for attempt in run.attempts if attempt.end == "done")


@pytest.mark.parametrize("deaths", [0, 60])
def test_each_partition_is_done_exactly_once(deaths: float) -> None:
    run = simulate(PARTITIONS, Cluster(workers=16, rate=2_000, deaths=deaths))

    assert bool(run.lost) == bool(deaths)
    assert sorted(done(run) + run.failed) == [*range(len(PARTITIONS))]


def test_no_worker_does_two_things_at_once() -> None:
    by_worker: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in simulate(PARTITIONS, MORTAL).attempts:
        by_worker[attempt.worker].append(attempt)

    assert len(by_worker) == MORTAL.workers
    for attempts in by_worker.values():
        assert all(before.stop <= after.start for before, after in pairwise(attempts))


def test_after_a_death_a_worker_starts_again_when_it_was_noticed() -> None:
    attempts = simulate(PARTITIONS, MORTAL).attempts
    for worker in range(MORTAL.workers):
        for before, after in pairwise(attempt for attempt in attempts if attempt.worker == worker):
            if before.end == "died":
                assert after.start >= before.stop + MORTAL.notice + MORTAL.start / 2


def test_a_partition_is_repeated_only_after_its_worker_died() -> None:
    by_partition: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in simulate(PARTITIONS, MORTAL).attempts:
        by_partition[attempt.partition].append(attempt)

    for attempts in by_partition.values():
        assert all(attempt.end == "died" for attempt in attempts[:-1])
        assert all(before.stop + MORTAL.notice <= after.start for before, after in pairwise(attempts))
        assert len(attempts) <= MOST_ATTEMPTS


def test_a_death_loses_at_most_one_partition() -> None:
    run = simulate(PARTITIONS, MORTAL)
    longest = MORTAL.overhead + max(PARTITIONS) / MORTAL.rate

    assert len(run.lost) == sum(attempt.end == "died" for attempt in run.attempts)
    assert 0 < max(run.lost) < longest


def test_a_partition_that_no_worker_survives_is_given_up() -> None:
    run = simulate([10_000_000, 1], Cluster(workers=2, rate=1_000, deaths=3600))

    assert run.failed == [0]
    assert done(run) == [1]


def test_a_run_takes_no_less_than_the_ideal_and_no_more_than_a_partition_longer() -> None:
    cluster = Cluster(workers=16, rate=2_000, start=5, overhead=0)
    least, longest = ideal(DOCUMENTS, cluster), max(PARTITIONS) / cluster.rate

    assert least < simulate(PARTITIONS, cluster).seconds < least + longest + 1.5 * cluster.start


def test_the_same_seed_gives_the_same_run() -> None:
    assert simulate(PARTITIONS, MORTAL, seed=3) == simulate(PARTITIONS, MORTAL, seed=3)
    assert simulate(PARTITIONS, MORTAL, seed=3) != simulate(PARTITIONS, MORTAL, seed=4)


def test_divided_files_have_all_their_documents() -> None:
    sizes = file_sizes(DOCUMENTS, files=200, sigma=1.3, seed=1)

    assert sum(sizes) == sum(PARTITIONS) == DOCUMENTS
    assert max(PARTITIONS) <= 20_000 < max(sizes)


def test_the_guide_shows_the_costs_that_the_script_prints() -> None:
    script = [sys.executable, ROOT / "tests/bench/simulate.py"]
    printed = run_limited(script, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    costs = printed[printed.index("| on | documents a second and core") :].strip()

    assert costs in (ROOT / "docs/guides/validate-millions.md").read_text()
