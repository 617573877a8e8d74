"""Dask clusters whose processes are killed, that lack dreg-client, or do not see the folder of the run."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreg_client import __version__, errors
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.run import cluster as cluster_run
from dreg_client.partitions.run.cluster import run_on_cluster
from dreg_client.partitions.run.run_partitions import run_partitions
from dreg_client.partitions.run.validate import PartitionResult
from tests.partitions import runs
from tests.partitions.clusters import Cluster, cluster
from tests.partitions.killed_runs import DOCUMENTS, FILES, begin, check_complete, finished, words
from tests.partitions.runs import partitions_of, reports, wait_for, workers

HIDDEN = "import sys\nsys.modules['dreg_client'] = None\n"
OLDER = "import dreg_client\ndreg_client.__version__ = '0.0.1'\n"


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as running:
        yield running


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A folder with files that take some seconds."""
    runs.write_files(tmp_path / "in", FILES, DOCUMENTS)
    return tmp_path / "in"


def worker_with(dask: Cluster, folder: Path, code: str) -> None:
    """Start a worker that runs some code first."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    dask.start_worker(PYTHONPATH=f"{folder}:{runs.ROOT}")


def test_val_52_over_tcp_a_killed_worker_and_a_killed_driver_lose_and_repeat_nothing(
    dask: Cluster, stored: Path, tmp_path: Path
) -> None:
    nannies, out = [dask.start_worker(), dask.start_worker()], tmp_path / "out"
    with begin(words(stored, out, "--scheduler", dask.address)) as process:
        wait_for(lambda: reports(out))
        os.kill(workers(nannies[0].pid)[0], signal.SIGKILL)
        wait_for(lambda: len(reports(out)) >= 2)
        process.kill()
        process.communicate()
    resumed = finished(words(stored, out, "--scheduler", dask.address, "--resume"))

    assert resumed.returncode == 1, resumed.stderr
    assert "8 report files" in resumed.stdout
    assert "Traceback" not in resumed.stderr
    check_complete(out)


def test_val_52_a_partition_whose_worker_is_killed_is_done_again(dask: Cluster, tmp_path: Path) -> None:
    dask.start_worker()
    partitions = [Partition(str(tmp_path / name), "json-lines") for name in "abc"]
    found = list(run_on_cluster(iter(partitions), runs.kill_once, scheduler=dask.address, jobs=1))

    assert {each.partition for each in found if isinstance(each, PartitionResult)} == {*partitions}
    assert len(found) == 3


def test_val_53_a_partition_that_always_kills_its_worker_is_given_up(dask: Cluster, tmp_path: Path) -> None:
    dask.start_worker()
    partitions = [Partition(str(tmp_path / "bad"), "json-lines")]
    [found] = run_on_cluster(iter(partitions), runs.kill_always, scheduler=dask.address, jobs=1)

    assert isinstance(found, tuple)
    assert found[0] == partitions[0]
    assert "4 workers were killed or ended" in found[1]
    assert (tmp_path / "bad.attempts").stat().st_size == 4


@pytest.mark.parametrize("folder", ["memory://out", "/proc/self/cwd/out"])
def test_val_54_a_worker_that_does_not_see_the_folder_is_an_error(
    dask: Cluster, stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    dask.start_worker()
    with pytest.raises(errors.ClusterError, match=r"does not see the folder.*use a folder that all workers share"):
        list(run_partitions(partitions_of(stored), folder, scheduler=dask.address))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (HIDDEN, f"a worker lacks dreg-client {__version__}"),
        (OLDER, f"has dreg-client 0.0.1, but the run was started by {__version__}"),
        ("import sys\nsys.modules['pyarrow'] = None\n", "the worker lacks a library: pyarrow"),
    ],
    ids=["missing", "older", "pyarrow"],
)
def test_val_55_a_worker_with_other_software_is_an_error_and_lives_on(
    dask: Cluster, stored: Path, tmp_path: Path, code: str, said: str
) -> None:
    worker_with(dask, tmp_path / "software", code)
    failed = finished(words(stored, tmp_path / "out", "--scheduler", dask.address))

    assert failed.returncode == 6
    assert said in failed.stderr
    assert "Traceback" not in failed.stderr
    assert reports(tmp_path / "out") == []
    assert _alive(dask) == 1


def _alive(dask: Cluster) -> int:
    from distributed import Client

    with Client(dask.address, set_as_default=False) as client:
        return len(client.nthreads())


def test_val_56_a_lost_scheduler_ends_the_run_which_can_be_continued(
    dask: Cluster, stored: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    dask.start_worker()
    with begin(words(stored, out, "--scheduler", dask.address)) as process:
        wait_for(lambda: reports(out))
        dask.scheduler.kill()
        said = process.communicate()

    assert process.returncode == 6, said
    assert "the connection to the Dask scheduler was lost" in said[1]
    assert "Traceback" not in said[1]
    dask.end()
    assert finished(words(stored, out, "--resume")).returncode == 1
    check_complete(out)


@pytest.mark.parametrize(
    ("address", "said"),
    [("tcp://127.0.0.1:1", "cannot connect"), ("nonsense", "cannot connect"), ("tls://127.0.0.1:1", "cannot connect")],
)
def test_val_57_an_address_without_a_scheduler_is_an_error(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    monkeypatch.setattr(cluster_run, "_CONNECT", 0.5)
    with pytest.raises(errors.ClusterError, match=said):
        list(run_partitions(partitions_of(stored), str(tmp_path / "out"), scheduler=address))


def test_val_57_a_scheduler_without_workers_is_an_error(
    dask: Cluster, stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_run, "_WITHOUT_WORKERS", 0.5)
    with pytest.raises(errors.ClusterError, match="has no workers; start some with: dask worker tcp://"):
        list(run_partitions(partitions_of(stored), str(tmp_path / "out"), scheduler=dask.address))
