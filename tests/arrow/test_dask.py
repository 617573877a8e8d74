"""Validation on Dask, as the pages show it, and when a worker is killed."""

import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest

from tests.arrow.columns import FIXTURES
from tests.commands import ROOT, run_limited
from tests.docs.pages import SCRIPTS

_LINES = (FIXTURES / "dumps/manifests.jsonl").read_bytes().splitlines()
_FILES = 6
_ROWS = 5000
"""The number of documents in a file: enough that a worker is in the middle of one when it is killed."""


_KILLED = Path(__file__).with_name("killed_in_dask.py")


def _run(script: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, script, *arguments]
    return run_limited(command, cwd=script.parent, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    table = pa.table({"manifest": [_LINES[number % len(_LINES)] for number in range(_ROWS)]})
    for part in range(_FILES):
        pyarrow.parquet.write_table(table, folder / f"{part}.parquet")
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def _check_each_document_has_one_report(target: Path) -> None:
    reports = pyarrow.dataset.dataset(target).to_table(columns=["source", "line", "ok"])
    places = list(zip(reports["source"].to_pylist(), reports["line"].to_pylist(), strict=True))
    assert len(places) == len(set(places)) == _FILES * _ROWS
    assert all(reports["ok"].to_pylist())


def test_the_script_of_the_pages_prints_what_it_says_also_when_it_is_run_again(tmp_path: Path) -> None:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    example = SCRIPTS["validate_dask.py"]
    (tmp_path / "validate_dask.py").write_text(example.text)

    for _ in range(2):
        done = _run(tmp_path / "validate_dask.py")
        assert done.stdout.splitlines() == example.says, done.stderr


def test_val_05_each_document_has_one_report_after_a_worker_of_dask_was_killed(source: Path, target: Path) -> None:
    done = _run(_KILLED, source, target, "worker")

    assert done.stdout.split() == [str(_FILES), str(_FILES), "False"], done.stderr
    _check_each_document_has_one_report(target)


def test_val_153_each_document_has_one_report_after_a_driver_of_dask_was_killed_and_run_again(
    source: Path, target: Path
) -> None:
    killed = _run(_KILLED, source, target, "driver")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = {file.name: file.stat().st_mtime_ns for file in target.iterdir()}

    done = _run(_KILLED, source, target, "nothing")

    assert done.stdout.split() == [str(_FILES), str(_FILES), "True"], done.stderr
    assert left, "nothing was done before the driver was killed"
    assert all((target / name).stat().st_mtime_ns == written for name, written in left.items())
    _check_each_document_has_one_report(target)
