"""Runs over partitions: report files, folders, resuming."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import dataset, parquet

from dreg_client import PartitionRules, errors, validate_partition
from dreg_client.arrow import REPORT_SCHEMA
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.run.run_partitions import run_partitions
from dreg_client.validation.dumps import LineRules
from tests.commands import run_limited
from tests.partitions.clusters import ENVIRONMENT
from tests.partitions.runs import (
    DREG,
    ROOT,
    document,
    partitions_of,
    reported,
    reports,
    stated,
    write_files,
    write_lines,
)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A folder with three files of 20 documents."""
    write_files(tmp_path / "in", 3, 20)
    return tmp_path / "in"


def test_a_report_file_has_a_row_for_each_document_and_states_what_it_is_of(stored: Path, tmp_path: Path) -> None:
    [partition, *_] = partitions_of(stored)
    (tmp_path / "out").mkdir()
    found = validate_partition(partition, str(tmp_path / "out"))

    [file] = reports(tmp_path / "out")
    table = parquet.read_table(file)
    assert file.name == partition.report_name
    assert table.schema.names == ["source", "line", "offset", *REPORT_SCHEMA.names]
    assert table["source"].unique().to_pylist() == [partition.source]
    assert table["line"].to_pylist() == list(range(1, 21))
    assert table["ok"].to_pylist() == [bool(number % 10) for number in range(20)]
    assert found.summary.documents == 20
    assert found.summary.invalid == 2
    assert (found.failure, found.was_done) == (None, False)
    assert stated(file)["partition"]["source"] == partition.source
    assert stated(file)["summary"] == found.summary.plain()
    assert stated(file)["failure"] is None


def test_a_partition_that_was_not_changed_is_not_validated_again(stored: Path, tmp_path: Path) -> None:
    [partition, *_] = partitions_of(stored)
    first = validate_partition(partition, str(tmp_path))
    [file] = reports(tmp_path)
    inode = file.stat().st_ino
    again = validate_partition(partition, str(tmp_path))

    assert again.was_done
    assert again.summary == first.summary
    assert file.stat().st_ino == inode
    other = validate_partition(partition, str(tmp_path), PartitionRules(LineRules(pedantic=True)))
    assert not other.was_done


def test_the_columns_of_parquet_are_kept_and_a_null_is_a_row(tmp_path: Path) -> None:
    table = pa.table({"id": [7, 8, 9], "manifest": [document(1), None, document(10)]})
    (tmp_path / "in").mkdir()
    parquet.write_table(table, tmp_path / "in/web.parquet")
    rules = PartitionRules(keep=("id",))
    [found] = run_partitions(partitions_of(tmp_path / "in"), str(tmp_path / "out"), rules)

    rows = dataset.dataset(tmp_path / "out").to_table()
    assert rows.schema.names == ["source", "line", "offset", "id", *REPORT_SCHEMA.names]
    assert rows["id"].to_pylist() == [7, 8, 9]
    assert rows["line"].to_pylist() == [1, 2, 3]
    assert rows["ok"].to_pylist() == [True, False, False]
    assert rows["digest"][1].as_py() is None
    assert found.summary.documents == 3


def test_without_documents_there_is_a_report_file_without_rows(tmp_path: Path) -> None:
    write_lines(tmp_path / "empty.jsonl", 0, 0)
    partition = Partition(str(tmp_path / "empty.jsonl"), "json-lines")
    [found] = run_partitions([partition], str(tmp_path / "out"))

    assert found.summary.documents == 0
    assert parquet.read_metadata(reports(tmp_path / "out")[0]).num_rows == 0


@pytest.mark.parametrize("jobs", [None, 1, 2])
def test_all_partitions_are_validated_in_any_number_of_processes(
    stored: Path, tmp_path: Path, jobs: int | None
) -> None:
    partitions = partitions_of(stored, size=1000)
    found = list(run_partitions(partitions, str(tmp_path / "out"), jobs=jobs))

    assert len(found) == len(partitions) > 6
    assert sum(each.summary.documents for each in found) == 60
    assert set(reported(tmp_path / "out").values()) == {1}
    assert len(reported(tmp_path / "out")) == 60


def test_a_folder_must_be_empty_unless_its_run_is_continued(stored: Path, tmp_path: Path) -> None:
    partitions, out = partitions_of(stored), str(tmp_path / "out")
    list(run_partitions(partitions[:1], out))
    with pytest.raises(errors.FileError, match=r"is not empty.*resume=True"):
        list(run_partitions(partitions, out))

    found = list(run_partitions(partitions, out, resume=True))
    assert [each.was_done for each in found] == [True, False, False]
    assert len(reported(tmp_path / "out")) == 60


def test_only_the_folder_of_a_run_is_continued(stored: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.FileError, match="is not the folder of an earlier run"):
        list(run_partitions(partitions_of(stored), str(stored), resume=True))
    assert len(list(stored.iterdir())) == 3

    new = list(run_partitions(partitions_of(stored), str(tmp_path / "new"), resume=True))
    assert not any(each.was_done for each in new)


def test_a_folder_that_is_a_file_is_an_error(stored: Path) -> None:
    with pytest.raises(errors.FileError, match="is not a directory"):
        list(run_partitions(partitions_of(stored), str(stored / "0000.jsonl")))


def test_the_folder_may_be_a_url(stored: Path, tmp_path: Path) -> None:
    import fsspec

    folder = f"{tmp_path}/out"  # no other test has it in memory
    partitions, url = partitions_of(stored), f"memory:/{folder}"
    found = list(run_partitions(partitions, url))
    again = list(run_partitions(partitions, url, resume=True))

    files = fsspec.filesystem("memory")
    names = {name.rpartition("/")[2] for name in files.ls(folder, detail=False)}
    assert names == {"_dreg-run.json", *(partition.report_name for partition in partitions)}
    assert [each.was_done for each in found] == [False] * 3
    assert [each.was_done for each in again] == [True] * 3
    with files.open(f"{folder}/{partitions[0].report_name}") as file:
        assert parquet.read_table(file).num_rows == 20
    with pytest.raises(errors.FileError, match=f"memory:/{folder} is not empty"):
        list(run_partitions(partitions, url))


def test_the_folder_may_be_the_url_of_a_directory(stored: Path, tmp_path: Path) -> None:
    list(run_partitions(partitions_of(stored), f"file://{tmp_path}/out"))

    assert len(reported(tmp_path / "out")) == 60


def test_other_engines_do_not_read_the_files_of_the_run(stored: Path, tmp_path: Path) -> None:
    import duckdb
    import polars as pl

    list(run_partitions(partitions_of(stored), str(tmp_path / "out")))

    assert dataset.dataset(tmp_path / "out").count_rows() == 60
    assert pl.read_parquet(f"{tmp_path}/out/*.parquet").height == 60
    assert duckdb.read_parquet(f"{tmp_path}/out/*.parquet").aggregate("count(*)").fetchall() == [(60,)]
    state = json.loads((tmp_path / "out/_dreg-run.json").read_text())
    assert state["rules"]["column"] == "manifest"
    assert len(state["token"]) == 32


@pytest.mark.parametrize(
    ("module", "options", "extra"), [("pyarrow", [], "arrow"), ("distributed", ["--scheduler", "local"], "dask")]
)
def test_a_missing_library_is_named(stored: Path, tmp_path: Path, module: str, options: list[str], extra: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{module!r}] = None\n")
    command = [*DREG, "validate", str(stored), "--format", "parquet", "-o", str(tmp_path / "out"), *options]
    environment = {**ENVIRONMENT, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = run_limited(command, capture_output=True, env=environment, text=True, check=False)

    assert done.returncode == 2
    assert f"{module} (the extra {extra}) is not installed; install it with: pip install {module}" in done.stderr
