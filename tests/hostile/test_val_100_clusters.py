"""Workers of a Dask cluster that are killed with results of theirs, or with other partitions, and worker programs."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dreg_client import errors
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.run import cluster as cluster_run
from dreg_client.partitions.run.cluster import run_on_cluster
from dreg_client.partitions.run.validate import PartitionResult
from tests.partitions import runs
from tests.partitions.clusters import Cluster, cluster
from tests.partitions.runs import wait_for, workers


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as running:
        yield running


def finished_partitions(dask: Cluster, folder: Path) -> tuple[list[Partition], Iterator[Any]]:
    """Begin a run; return its partitions once all are done, and its results, of which one was taken."""
    partitions = [Partition(str(folder / name), "json-lines") for name in "abc"]
    found = run_on_cluster(iter(partitions), runs.note, scheduler=dask.address, jobs=1)
    next(found)
    wait_for(lambda: all(Path(f"{each.source}.attempts").exists() for each in partitions))
    wait_for(lambda: _held(dask) >= 2)
    return partitions, found


def _held(dask: Cluster) -> int:
    """The number of results that workers have."""
    from distributed import Client

    with Client(dask.address, set_as_default=False) as client:
        return sum(len(keys) for keys in client.has_what().values())


def test_val_100_a_worker_that_is_killed_with_its_results_loses_none(dask: Cluster, tmp_path: Path) -> None:
    nanny = dask.start_worker()
    partitions, found = finished_partitions(dask, tmp_path)
    [worker] = workers(nanny.pid)
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: worker not in workers(nanny.pid))
    wait_for(lambda: not _held(dask))
    rest = [each for each in found if isinstance(each, PartitionResult)]

    assert len(rest) == 2
    assert {each.partition for each in rest} < {*partitions}


def test_val_101_a_run_whose_last_worker_was_killed_with_its_results_ends(
    dask: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nanny = dask.start_worker()
    _, found = finished_partitions(dask, tmp_path)
    monkeypatch.setattr(cluster_run, "_WITHOUT_WORKERS", 0.5)
    os.killpg(nanny.pid, signal.SIGKILL)
    raised: list[BaseException] = []

    def rest() -> None:
        try:
            list(found)
        except errors.DregError as failure:
            raised.append(failure)

    thread = threading.Thread(target=rest, daemon=True)
    thread.start()
    thread.join(runs.PATIENCE)

    assert not thread.is_alive()
    assert "has no workers" in str(raised[0])


def test_val_102_a_partition_that_kills_its_worker_takes_no_other_with_it(dask: Cluster, tmp_path: Path) -> None:
    dask.start_worker(threads=2)
    partitions = [Partition(str(tmp_path / name), "json-lines") for name in ("good", "bad")]
    found = list(run_on_cluster(iter(partitions), runs.kill_both, scheduler=dask.address, jobs=1))

    [(bad, reason)] = [each for each in found if isinstance(each, tuple)]
    [good] = [each.partition for each in found if isinstance(each, PartitionResult)]
    assert (good, bad) == (partitions[0], partitions[1])
    assert "4 workers were killed or ended" in reason
