"""Runs whose sources overlap, move, or contain the reports of the run; and folders of runs that did not end."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from dreg_client import find_partitions
from dreg_client.partitions.run.run_partitions import run_partitions
from tests.commands import run_limited
from tests.partitions import runs
from tests.partitions.clusters import ENVIRONMENT
from tests.partitions.runs import DREG, document, reported, reports


class Undated(MemoryFileSystem):
    """A file system that states sizes, but no dates."""

    protocol = "undated"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("undated://").strip("/")

    def ls(self, path: str, **options: Any) -> Any:
        """List a directory."""
        found = super().ls(path, **options)
        return [each if isinstance(each, str) else {**each, "created": None} for each in found]

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        """Describe a file."""
        return {**super().info(path, **options), "created": None}


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A folder with two JSON files and one of JSON Lines, of five documents in all."""
    folder = tmp_path / "g"
    folder.mkdir()
    for number, name in enumerate("ab"):
        (folder / f"{name}.json").write_bytes(document(number))
    runs.write_lines(folder / "c.jsonl", 2, 5)
    return folder


def dreg(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [*DREG, *words]
    return run_limited(command, capture_output=True, env=ENVIRONMENT, cwd=folder, text=True, check=False)


def validate(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return dreg(folder, "validate", *words, "--format", "parquet", "-o", "out")


def test_val_106_documents_that_moved_to_another_partition_are_reported_once(stored: Path, tmp_path: Path) -> None:
    assert validate(tmp_path, "g").returncode == 1
    (stored / "b.json").unlink()
    assert validate(tmp_path, "g", "--resume").returncode == 1
    assert len(reported(tmp_path / "out")) == 4
    (stored / "a.json").rename(stored / "z.json")
    (stored / "c.jsonl").rename(stored / "d.jsonl")
    (stored / "y.json").write_bytes(document(7))
    validate(tmp_path, "./g/", "--resume")

    assert set(reported(tmp_path / "out").values()) == {1}
    assert len(reported(tmp_path / "out")) == 5


def test_val_106_a_group_that_grows_is_reported_once(tmp_path: Path) -> None:
    for number in range(1001):  # one more than a group has
        (tmp_path / f"{number:04}.json").write_bytes(document(number))
        if number in {0, 1, 999, 1000}:
            list(run_partitions(find_partitions([str(tmp_path)]), str(tmp_path / "out"), resume=True))
            assert set(reported(tmp_path / "out").values()) == {1}
            assert len(reported(tmp_path / "out")) == number + 1


@pytest.mark.parametrize("other", ["g/a.json", "g/*.json", "h", "file:///g"])
def test_val_107_a_run_is_not_continued_with_other_sources(stored: Path, tmp_path: Path, other: str) -> None:
    validate(tmp_path, "g")
    before = reported(tmp_path / "out")
    done = validate(tmp_path, other, "--resume")

    assert done.returncode == 5
    assert f"is the folder of a run over other sources: {stored}; name the same sources" in done.stderr
    assert reported(tmp_path / "out") == before


def test_val_107_sources_may_be_named_in_any_order_and_spelling(stored: Path, tmp_path: Path) -> None:
    validate(tmp_path, "g", "oci:layout", "memory://nothing/x")
    done = validate(tmp_path, "memory://nothing/x/", "./g/", str(stored), "oci:./layout/", "--resume")

    assert "other sources" not in done.stderr
    assert "2 of an earlier run" in done.stdout


def test_val_108_a_file_that_several_sources_name_is_reported_once(stored: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(stored)
    (stored / "_hidden").mkdir()
    (stored / "_hidden/x.json").write_bytes(document(9))
    sources = ["g", "g/a.json", "g/*.json", "link", f"file://{stored}", "g/../g/c.jsonl", "g", "g/_hidden/x.json"]
    for order in (sources, sources[::-1]):
        paths = [name if "://" in name else f"{tmp_path}/{name}" for name in order]
        found = [partition.position for partition in find_partitions(paths)]
        assert len(found) == len(set(found))
        done = validate(tmp_path, *order, "--resume")
        assert "6 checked" in done.stdout
        assert set(reported(tmp_path / "out").values()) == {1}
        assert len(reported(tmp_path / "out")) == 6


def test_val_108_a_layout_that_is_named_twice_is_reported_once(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    shutil.copytree(f"{runs.ROOT}/fixtures/layouts/multi", tmp_path / "below/web")
    done = validate(tmp_path, "oci:below/web", "oci:./below/web/", "below", "below/web")

    assert len(reports(tmp_path / "out")) == 1
    assert "1 report file" in done.stdout
    assert f"{sum(reported(tmp_path / 'out').values())} checked" in done.stdout


@pytest.mark.parametrize("names", [["", ""], ["", "/acme/web"], ["/acme/web", ""]])
def test_val_108_a_repository_that_is_named_with_its_storage_is_reported_once(tmp_path: Path, names: list[str]) -> None:
    storage = f"registry-storage:{runs.ROOT}/fixtures/storages/broken"
    one = validate(tmp_path, storage).stdout.splitlines()[-2]
    (tmp_path / "out").rename(tmp_path / "once")
    both = validate(tmp_path, *(f"{storage}{name}" for name in names)).stdout.splitlines()[-2]

    assert both == one
    assert reported(tmp_path / "out") == reported(tmp_path / "once")


def test_val_109_the_folder_of_the_reports_is_not_read(stored: Path, tmp_path: Path) -> None:
    (stored / "other").mkdir()
    for options in ([], ["--resume"]):
        done = dreg(stored, "validate", ".", "--format", "parquet", "-o", "out", *options)
        assert done.returncode == 1, done.stderr
        assert "5 checked" in done.stdout
        assert len(reported(stored / "out")) == 5
    pattern = dreg(stored, "validate", "**/*", "--format", "parquet", "-o", "other")
    assert "5 checked" in pattern.stdout
    assert "5 checked" in dreg(stored, "validate", ".").stdout


def test_val_110_a_report_says_that_its_run_did_not_end(stored: Path, tmp_path: Path) -> None:
    validate(tmp_path, "g")
    assert dreg(tmp_path, "report", "out").stderr == ""
    state = json.loads((tmp_path / "out/_dreg-run.json").read_text())
    assert (state["complete"], state["reports"]) == (True, 2)
    reports(tmp_path / "out")[0].unlink()
    assert "has written 2 reports, but there are 1" in dreg(tmp_path, "report", "out").stderr
    results = run_partitions(find_partitions([str(stored)]), str(tmp_path / "out"), resume=True)
    next(results)
    results.close()
    found = dreg(tmp_path, "report", "out", "--format", "json")

    assert "the run was not completed; continue it with" in found.stderr
    assert [each["source"] for each in json.loads(found.stdout)["incomplete"]] == ["out"]


def test_val_111_a_file_whose_date_is_unknown_is_validated_again(tmp_path: Path) -> None:
    fsspec.register_implementation("undated", Undated, clobber=True)
    documents = {f"/undated/{name}": document(len(name)) for name in ("a.json", "b.json", "c.jsonl")}
    fsspec.filesystem("memory").pipe(documents)
    found = list(find_partitions(["undated://undated"]))

    assert [partition.version for partition in found] == ["", ""]
    for _ in range(2):
        done = list(run_partitions(found, str(tmp_path / "out"), resume=True))
        assert not any(each.was_done for each in done)


def test_val_112_partitions_of_relative_paths_are_found_from_any_directory(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = list(find_partitions(["g", "./g/c.jsonl"]))
    monkeypatch.chdir("/")

    assert {Path(partition.source) for partition in found} == {stored, stored / "c.jsonl"}
    assert sum(each.summary.documents for each in run_partitions(found, str(tmp_path / "out"))) == 5
