"""Validation on Spark and Ray, as the pages show it, and when a worker is killed: `.ci/run engines`."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest

from tests.commands import ROOT, run_limited
from tests.docs.pages import SCRIPTS

_LINES = (ROOT / "fixtures/dumps/manifests.jsonl").read_bytes().splitlines()
_FILES = 4
_ROWS = 4000
"""The number of documents in a file."""


def _run(script: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    command = [sys.executable, script, *arguments]
    return run_limited(command, cwd=script.parent, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for part in range(_FILES):
        numbers = range(part * _ROWS, (part + 1) * _ROWS)
        columns = {
            "number": numbers,
            "pushed": pa.array(numbers, pa.timestamp("s", "UTC")),
            "manifest": [_LINES[number % len(_LINES)] for number in numbers],
        }
        pyarrow.parquet.write_table(pa.table(columns), folder / f"{part}.parquet")
    return folder


def _check_each_document_has_one_report(target: Path) -> None:
    reports = pyarrow.dataset.dataset(target).to_table()
    assert sorted(reports["number"].to_pylist()) == list(range(_FILES * _ROWS))
    pushed = [round(time.timestamp()) for time in reports["pushed"].cast(pa.timestamp("us", "UTC")).to_pylist()]
    assert pushed == reports["number"].to_pylist(), "a kept time was changed"
    assert all(reports["ok"].to_pylist())
    command = [sys.executable, "-m", "dreg_client.cli", "report", target, "--format", "json"]
    sums = run_limited(command, cwd=ROOT, capture_output=True, check=True).stdout
    assert json.loads(sums)["documents"] == json.loads(sums)["valid"] == _FILES * _ROWS


@pytest.mark.parametrize("name", ["validate_spark.py", "validate_ray.py"])
def test_a_script_of_the_pages_prints_what_it_says(name: str, tmp_path: Path) -> None:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    (tmp_path / name).write_text(SCRIPTS[name].text)

    done = _run(tmp_path / name)

    said = [line for line in done.stdout.splitlines() if line in SCRIPTS[name].says]
    assert said == SCRIPTS[name].says, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["killed_in_spark.py", "killed_in_ray.py"])
def test_val_05_each_document_has_one_report_after_a_worker_was_killed(name: str, source: Path, tmp_path: Path) -> None:
    target, marker = tmp_path / "target", tmp_path / "marker"

    done = _run(Path(__file__).with_name(name), source, target, marker, "worker")

    assert done.returncode == 0, done.stdout + done.stderr
    assert marker.exists(), "no worker was killed"
    _check_each_document_has_one_report(target)


@pytest.mark.parametrize("name", ["killed_in_spark.py", "killed_in_ray.py"])
def test_val_153_each_document_has_one_report_after_a_driver_was_killed_and_run_again(
    name: str, source: Path, tmp_path: Path
) -> None:
    target, marker = tmp_path / "target", tmp_path / "marker"

    killed = _run(Path(__file__).with_name(name), source, target, marker, "driver")
    again = _run(Path(__file__).with_name(name), source, target, marker, "driver")

    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    assert again.returncode == 0, again.stdout + again.stderr
    _check_each_document_has_one_report(target)
