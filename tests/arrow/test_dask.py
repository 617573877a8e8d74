"""Validation on Dask, as the pages show it, and when a worker is killed."""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet

from tests.arrow.columns import FIXTURES
from tests.commands import ROOT, run_limited
from tests.docs.pages import SCRIPTS

_LINES = (FIXTURES / "dumps/manifests.jsonl").read_bytes().splitlines()
_FILES = 6
_ROWS = 5000
"""The number of documents in a file: enough that a worker is in the middle of one when it is killed."""


def _run(script: Path, *arguments: Path) -> str:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, script, *arguments]
    done = run_limited(command, cwd=script.parent, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_script_of_the_pages_prints_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    example = SCRIPTS["validate_dask.py"]
    (tmp_path / "validate_dask.py").write_text(example.text)

    assert _run(tmp_path / "validate_dask.py").splitlines() == example.says


def test_val_05_each_document_has_one_report_after_a_worker_of_dask_was_killed(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    table = pa.table({"manifest": [_LINES[number % len(_LINES)] for number in range(_ROWS)]})
    for part in range(_FILES):
        pyarrow.parquet.write_table(table, source / f"{part}.parquet")

    partitions, done, lives = _run(Path(__file__).with_name("killed_in_dask.py"), source, target).split()

    assert partitions == done == str(_FILES)
    assert lives == "False", "no worker was killed"
    reports = pyarrow.dataset.dataset(target).to_table(columns=["source", "line", "ok"])
    places = list(zip(reports["source"].to_pylist(), reports["line"].to_pylist(), strict=True))
    assert len(places) == len(set(places)) == _FILES * _ROWS
    assert all(reports["ok"].to_pylist())
