"""Processes of a run that end in other ways than by SIGKILL, and exceptions that nothing expects."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.report import writing
from dreg_client.partitions.row import RowReport
from dreg_client.partitions.run.local import run_in_processes
from dreg_client.partitions.run.run_partitions import run_partitions
from tests.commands import run_limited
from tests.partitions import runs
from tests.partitions.clusters import ENVIRONMENT
from tests.partitions.runs import DREG, ROOT, partitions_of, reported, reports, stated

BROKEN = """
import importlib.abc, importlib.util, sys

class Broken(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "dreg_client.partitions.input.read":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (execute(module), break_it(module))
        return spec

def break_it(module):
    report_of = module.report_of
    def broken(row, rules):
        if row.line == 11 and row.source.endswith("0001.jsonl"):
            raise RecursionError("maximum recursion depth exceeded")
        return report_of(row, rules)
    module.report_of = broken

sys.meta_path.insert(0, Broken())
"""
UNGUARDED = """
from dreg_client import find_partitions
from dreg_client.partitions.run.run_partitions import run_partitions
for found in run_partitions(find_partitions(["in"]), "out", jobs=2):
    print(found.failure)
"""


@pytest.mark.parametrize(
    ("code", "said"),
    [("-9", "was killed 4 times, perhaps because memory"), ("-11", "4 times by SIGSEGV"), ("3", "with exit code 3")],
)
def test_val_103_the_end_of_a_process_is_named(tmp_path: Path, code: str, said: str) -> None:
    partitions = [Partition(str(tmp_path / code), "json-lines")]
    [(_, reason)] = list(run_in_processes(iter(partitions), runs.end, jobs=2))  # type: ignore[misc]

    assert said in reason
    assert ("memory" in reason) == (code == "-9")


def test_val_104_a_script_that_starts_processes_when_it_is_imported_is_told_so(tmp_path: Path) -> None:
    runs.write_files(tmp_path / "in", 2, 2)
    (tmp_path / "script.py").write_text(UNGUARDED)
    command = [sys.executable, "script.py"]
    done = run_limited(command, capture_output=True, env=ENVIRONMENT, cwd=tmp_path, text=True, check=False)

    assert done.returncode == 1
    assert 'a script must start the work under `if __name__ == "__main__":`' in done.stderr.splitlines()[-1]
    assert "killed" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "options", [[], ["--jobs", "2"], ["--jobs", "2", "--scheduler", "local"]], ids=["one", "jobs", "dask"]
)
def test_val_105_an_exception_that_nothing_expects_is_the_failure_of_its_partition(
    tmp_path: Path, options: list[str]
) -> None:
    runs.write_files(tmp_path / "in", 3, 20)
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    out = tmp_path / "out"
    done = _validate(tmp_path, options)

    assert done.returncode == 5, done.stderr
    assert "0001.jsonl: this is a bug in dreg: RecursionError: maximum recursion depth exceeded" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(reports(out)) == 3
    assert len(reported(out)) == 50  # those before it, and all others
    assert sum(stated(report)["failure"] is not None for report in reports(out)) == 1


def _validate(folder: Path, options: list[str]) -> "subprocess.CompletedProcess[str]":
    command = [*DREG, "validate", str(folder / "in"), "--format", "parquet", "-o", str(folder / "out"), *options]
    environment = {**ENVIRONMENT, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    return run_limited(command, capture_output=True, env=environment, text=True, check=False)


def test_val_105_a_lack_of_memory_is_not_called_a_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.write_files(tmp_path / "in", 1, 20)
    monkeypatch.setattr(writing, "reports_in", _without_memory)
    [found] = run_partitions(partitions_of(tmp_path / "in"), str(tmp_path / "out"))

    assert found.failure is not None
    assert found.failure.startswith("not enough memory (MemoryError)")


def _without_memory(partition: Partition, rules: PartitionRules) -> Iterator[RowReport]:
    raise MemoryError
    yield
