"""The kept columns of a run: all report files have the same ones, with the same types."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import dataset, parquet

from dreg_client import PartitionRules, errors, validate_partition
from dreg_client.arrow import REPORT_SCHEMA
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.report_columns import PLACE, stated_fields
from dreg_client.partitions.run.run_partitions import run_partitions
from dreg_client.partitions.run.validate import PartitionResult
from tests.commands import run_dreg
from tests.partitions.clusters import ENVIRONMENT
from tests.partitions.runs import ROOT, document, reports
from tests.partitions.stored import tar_of

NANOSECONDS = pa.array([1], pa.timestamp("ns"))
Column: TypeAlias = "pa.Array[Any] | Sequence[object]"


def put(folder: Path, files: Mapping[str, Column]) -> Path:
    """Write Parquet files with this column `id`, and a document for each value."""
    folder.mkdir(exist_ok=True)
    for name, column in files.items():
        table = pa.table({"manifest": [document(1)] * len(column), "id": column})
        parquet.write_table(table, folder / name)
    return folder


def run(folder: Path, out: Path, *, resume: bool = False, keep: tuple[str, ...] = ("id",)) -> list[PartitionResult]:
    rules = PartitionRules(keep=keep)
    return list(run_partitions(find_partitions([str(folder)], rules), str(out), rules, resume=resume))


def dreg(out: Path, *words: str, stdin: bytes = b"") -> CompletedProcess[bytes]:
    command = ["validate", *words, "--format", "parquet", "-o", str(out), "--keep", "id"]
    return run_dreg(command, environment=ENVIRONMENT, stdin=stdin, folder=ROOT)


def schemas(out: Path) -> list[pa.Schema]:
    """The different schemas of the reports in a folder."""
    found: list[pa.Schema] = []
    for schema in map(parquet.read_schema, reports(out)):
        if not any(schema.equals(known, check_metadata=False) for known in found):
            found.append(schema)
    return found


def kept(out: Path) -> list[object]:
    """The kept values, in the order of files and rows."""
    table = dataset.dataset(out, format="parquet").to_table().sort_by([("source", "ascending"), ("line", "ascending")])
    return table["id"].to_pylist()


def schema_with(kind: pa.DataType) -> pa.Schema:
    return pa.schema([*PLACE, pa.field("id", kind), *REPORT_SCHEMA])


def test_val_137_all_reports_of_a_run_have_the_kept_columns(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", {"c.parquet": [7, 8]})
    (folder / "a.jsonl").write_bytes(document(1) + b"\n")
    (folder / "b.parquet").write_bytes(b"PAR1")
    (folder / "d.json").write_bytes(document(2))
    (folder / "e.tar").write_bytes(tar_of({"x.json": document(3)}))
    parquet.write_table(pa.table({"other": [1]}), folder / "f.parquet")
    (folder / "g.jsonl").touch()
    done = dreg(tmp_path / "out", str(folder), "--jobs", "2")

    assert done.returncode == 5, done.stderr
    assert len(reports(tmp_path / "out")) == 7
    assert schemas(tmp_path / "out") == [schema_with(pa.int64())]
    assert kept(tmp_path / "out") == [None, 7, 8, None, None]
    files = f"{tmp_path}/out/*.parquet"
    assert duckdb.read_parquet(files).aggregate("count(id), count(*)").fetchall() == [(2, 5)]
    assert pl.scan_parquet(files).select(pl.col("id").sum()).collect().item() == 15
    assert dreg(tmp_path / "out", str(folder), "--resume").returncode == 5


def test_val_137_layouts_and_standard_input_have_the_kept_columns(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", {"a.parquet": [7]})
    done = dreg(tmp_path / "out", str(folder), "oci:fixtures/layouts/multi", "-", stdin=document(1))

    assert done.returncode == 0, done.stderr
    assert len(reports(tmp_path / "out")) == 3
    assert schemas(tmp_path / "out") == [schema_with(pa.int64())]


def test_val_137_a_run_that_is_continued_keeps_its_types(tmp_path: Path) -> None:
    folder, out = put(tmp_path / "in", {"a.parquet": [7], "b.parquet": [8]}), tmp_path / "out"
    run(folder, out)
    put(folder, {"a.parquet": pa.array([9], pa.int16())})
    (folder / "b.jsonl").write_bytes(document(1) + b"\n")
    found = run(folder, out, resume=True)

    assert [each.was_done for each in found] == [False, False, True]
    assert schemas(out) == [schema_with(pa.int64())]
    assert kept(out) == [9, None, 8]
    (folder / "a.parquet").write_bytes(b"PAR1")
    (folder / "b.parquet").unlink()
    assert [bool(each.failure) for each in run(folder, out, resume=True)] == [True, False]
    assert schemas(out) == [schema_with(pa.int64())]


@pytest.mark.parametrize("state", ["x", "AAAA", "é", stated_fields([pa.field("other", pa.int64())])])
def test_val_137_the_types_that_a_damaged_run_file_states_are_not_used(tmp_path: Path, state: str) -> None:
    folder, out = put(tmp_path / "in", {"a.parquet": [7]}), tmp_path / "out"
    run(folder, out)
    stated = json.loads((out / "_dreg-run.json").read_text())
    stated["rules"]["kept_schema"] = state
    (out / "_dreg-run.json").write_text(json.dumps(stated))

    assert [each.was_done for each in run(folder, out, resume=True)] == [True]
    with pytest.raises(ValueError, match="kept_schema must"):
        validate_partition(*find_partitions([str(folder)]), str(out), PartitionRules(keep=("id",), kept_schema=state))


@pytest.mark.parametrize("is_damaged", [True, False])
def test_val_163_columns_cannot_be_kept_without_a_parquet_file_that_can_be_read(
    tmp_path: Path, is_damaged: bool
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(document(1))
    if is_damaged:
        (folder / "b.parquet").write_bytes(b"PAR1")

    with pytest.raises(errors.ColumnError, match=r"'id': cannot be kept: no source is a Parquet file that can be read"):
        run(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("first", "later", "values"),
    [
        (pa.array([1], pa.int64()), pa.array([2], pa.int32()), [1, 2]),
        (pa.array([1], pa.int32()), pa.array([2], pa.int64()), [1, 2]),
        (pa.array([1.5]), pa.array([2], pa.int64()), [1.5, 2.0]),
        (pa.array(["x"]), pa.array(["y"], pa.large_string()), ["x", "y"]),
        (pa.array(["x"]), pa.array(["y"]).dictionary_encode(), ["x", "y"]),
        (pa.array(["x"]).dictionary_encode(), pa.array(["y"]), ["x", "y"]),
        (pa.array([1]), pa.nulls(1), [1, None]),
        (pa.nulls(1), pa.array([2]), [None, 2]),
        (pa.array([[1]]), pa.nulls(1), [[1], None]),
        (NANOSECONDS, pa.array([dt.datetime(2026, 1, 2)], pa.timestamp("us")), None),  # noqa: DTZ001 (without a zone)
    ],
    ids=lambda it: str(it.type) if isinstance(it, pa.Array) else "",
)
def test_val_138_a_kept_column_of_a_similar_type_has_the_type_of_the_run(
    tmp_path: Path, first: Column, later: Column, values: list[object] | None
) -> None:
    folder, out = put(tmp_path / "in", {"a.parquet": first, "b.parquet": later}), tmp_path / "out"

    assert [each.failure for each in run(folder, out)] == [None, None]
    assert len(schemas(out)) == 1
    assert values is None or kept(out) == values


@pytest.mark.parametrize(
    ("first", "later", "reason"),
    [
        (pa.array([1]), pa.array(["x"]), "its type is string, but int64 in the reports of this run"),
        (pa.array(["x"]), pa.array([1]), "its type is int64, but string in the reports of this run"),
        (pa.array([1.5], pa.float32()), pa.array([1.5]), "its type is double, but float in the reports of this run"),
        (pa.array([[1]]), pa.array([[1]], pa.list_(pa.int32())), "but list<element: int64> in the reports of this run"),
        (pa.array([1], pa.int8()), pa.array([1, 300]), "has a value that is not one of int8, its type in the reports"),
        (pa.array([dt.date(2026, 1, 2)]), pa.array([True]), "its type is bool, but date32[day] in the reports"),
    ],
    ids=str,
)
def test_val_138_a_kept_column_of_another_type_is_the_failure_of_its_file(
    tmp_path: Path, first: Column, later: Column, reason: str
) -> None:
    folder, out = put(tmp_path / "in", {"a.parquet": first, "b.parquet": later, "c.parquet": first}), tmp_path / "out"
    found = run(folder, out)

    assert [each.failure is None for each in found] == [True, False, True]
    assert found[1].failure is not None
    assert found[1].failure.startswith("column 'id': ")
    assert reason in found[1].failure
    assert found[1].failure.endswith("; start a new run that names this file first, or convert the column")
    assert len(schemas(out)) == 1


def test_val_138_a_file_that_is_named_first_decides_the_types(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", {"a.parquet": pa.array([1], pa.int8()), "b.parquet": [300]})
    done = dreg(tmp_path / "out", str(folder / "b.parquet"), str(folder))

    assert done.returncode == 0, done.stderr
    assert kept(tmp_path / "out") == [1, 300]


def test_a_partition_outside_of_a_run_has_the_types_of_its_file(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", {"a.parquet": pa.array([1], pa.int8())})
    (tmp_path / "out").mkdir()
    [partition] = find_partitions([str(folder)])
    validate_partition(partition, str(tmp_path / "out"), PartitionRules(keep=("id",)))

    assert schemas(tmp_path / "out") == [schema_with(pa.int8())]
