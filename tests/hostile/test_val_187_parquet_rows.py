"""Parquet files with other numbers of rows than they state, and with kept columns that pyarrow can hardly convert."""

import base64
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dreg_client.errors import FileError
from dreg_client.partitions.input.kept import with_types
from dreg_client.partitions.input.read import batches_in, rows_in
from dreg_client.partitions.part import WHOLE_FILE, Part, Rows
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.report.read import read_report
from dreg_client.partitions.run.validate import validate_partition
from tests.commands import MEBIBYTE
from tests.hostile.test_val_115_parquet import MOST, VALID, measured, repeated, write
from tests.partitions.written import PLACED, row

ROWS = 1000
LONG = "x" * 5000
VERY_LONG = "x" * (5 * MEBIBYTE)


def varint(value: int) -> bytes:
    zigzag, octets = value << 1, bytearray()
    while zigzag > 127:
        octets.append(zigzag & 127 | 128)
        zigzag >>= 7
    return bytes([*octets, zigzag])


def with_rows(path: Path, stated: int, *places: int, table: pa.Table | None = None) -> Path:
    """Write a file of 1,000 rows whose footer states another number at some of its places, or at all of them."""
    columns = table or pa.table({"manifest": [VALID] * ROWS})
    pq.write_table(columns, path, compression="none", use_dictionary=False, store_schema=False)
    raw = path.read_bytes()
    start = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    parts = raw[start:].split(varint(ROWS))
    found = parts[0]
    for at, part in enumerate(parts[1:]):
        found += varint(stated if not places or at in places else ROWS) + part
    path.write_bytes(raw[:start] + found)
    return path


def read(path: Path, part: Part = WHOLE_FILE) -> tuple[int, str]:
    """Return how many rows are read, and the failure that ends them."""
    count, rows = 0, rows_in(Partition(str(path), "parquet", part=part))
    try:
        for _ in rows:
            count += 1
    except FileError as failure:
        return count, str(failure)
    return count, ""


def kept(path: Path, out: Path, *names: str, rules: PartitionRules | None = None) -> pa.Table:
    """Return the columns of the report of a file, which must be complete."""
    out.mkdir()
    found = validate_partition(Partition(str(path), "parquet"), str(out), rules or PartitionRules(keep=names))
    assert found.failure is None
    return pq.read_table(next(out.glob("*.parquet")))


# --- VAL-187: rows


@pytest.mark.parametrize("places", [(), (3,)], ids=["everywhere", "row group"])
def test_val_187_a_row_group_with_fewer_rows_than_stated_is_the_failure_of_its_file(
    tmp_path: Path, places: tuple[int, ...]
) -> None:
    path = with_rows(tmp_path / "a.parquet", 2000, *places)

    count, failure = read(path)

    assert count == 1000
    assert "row group 1 of 1 has 1,000 rows, but the footer of the file states 2,000" in failure
    assert failure.endswith("the file is damaged: write it again")
    assert read(path, Rows(500, 2000))[0] == 500
    assert read(path, Rows(1500, 2000))[0] == 0


def test_val_187_the_report_has_the_rows_before_the_failure(tmp_path: Path) -> None:
    path = with_rows(tmp_path / "a.parquet", 2000)
    found = validate_partition(Partition(str(path), "parquet"), str(tmp_path))

    assert found.summary.documents == 1000
    assert found.failure is not None
    assert "row group 1 of 1 has 1,000 rows" in found.failure


def test_val_187_row_groups_with_another_sum_than_that_of_the_file_are_a_failure(tmp_path: Path) -> None:
    count, failure = read(with_rows(tmp_path / "a.parquet", 3000, 0))

    assert count == 1000
    assert "its row groups have 1,000 rows, but the footer of the file states 3,000" in failure


def test_val_187_reports_with_another_number_of_rows_are_an_error(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([row("a.json", 1)] * ROWS, PLACED)

    with pytest.raises(FileError, match=r"row group 1 of 1 has 1,000 rows, but .* states 2,000"):
        read_report(str(with_rows(tmp_path / "a.parquet", 2000, table=table)))


# --- VAL-188: names with dots


def test_val_188_columns_whose_names_have_dots_are_told_apart(tmp_path: Path) -> None:
    columns = {"manifest": [VALID] * 2, "a.b": [VERY_LONG, "y"], "a": [{"b": 1}, {"b": 2}]}
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    found = kept(tmp_path / "in.parquet", tmp_path / "out", "a", "a.b")

    assert {name: found[name].to_pylist() for name in ("a", "a.b")} == {name: columns[name] for name in ("a", "a.b")}


def test_val_188_repeated_documents_in_a_column_with_a_dot_are_read_as_a_dictionary(tmp_path: Path) -> None:
    documents = pa.table({"docs.manifest": repeated(VERY_LONG, 400)})
    pq.write_table(documents, tmp_path / "a.parquet", dictionary_pagesize_limit=1 << 30, store_schema=False)
    rules = PartitionRules(column="docs.manifest")
    [batch] = batches_in(Partition(str(tmp_path / "a.parquet"), "parquet"), rules)

    assert pa.types.is_dictionary(batch["docs.manifest"].type)


# --- VAL-189: kept values


def test_val_189_a_list_that_repeats_a_large_text_in_one_row_is_an_error(tmp_path: Path) -> None:
    texts = pa.ListArray.from_arrays(pa.array([0, 3000], pa.int32()), repeated("y" * 200_000, 3000))
    file = write(tmp_path / "a.parquet", manifest=pa.array([VALID]), text=texts)
    rows, peak, [failure] = measured(file, tmp_path / "out", keep=["text"])

    assert (rows, peak < MOST) == (0, True)
    assert "the column 'text' has values of 600,000,000 bytes in one row, which is too large to be kept" in failure


def test_val_189_lists_that_are_large_together_are_kept_in_pieces(tmp_path: Path) -> None:
    texts = pa.ListArray.from_arrays(pa.array(range(0, 401, 20), pa.int32()), repeated("y" * 500_000, 400))
    file = write(tmp_path / "a.parquet", manifest=pa.array([VALID] * 20), text=texts)
    rows, peak, failed = measured(file, tmp_path / "out", keep=["text"])

    assert (rows, failed, peak < MOST) == (20, [], True)


def test_val_189_list_views_are_limited_as_well(tmp_path: Path) -> None:
    path, stated = tmp_path / "a.parquet", pa.schema({"manifest": pa.binary(), "text": pa.list_view(pa.string())})
    texts = pa.ListArray.from_arrays(pa.array([0, 3000], pa.int32()), repeated("y" * 200_000, 3000))
    table = pa.table({"manifest": [VALID], "text": texts})
    with pq.ParquetWriter(path, table.schema, store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"ARROW:schema": base64.b64encode(stated.serialize()).decode()})
    rows, peak, [failure] = measured(path, tmp_path / "out", keep=["text"])

    assert (rows, peak < MOST) == (0, True)
    assert "the column 'text' has values of more than 4,096 bytes in list views" in failure


def test_val_189_a_dictionary_that_the_run_keeps_as_strings_is_limited(tmp_path: Path) -> None:
    pq.write_table(pa.table({"manifest": [VALID], "text": ["x"]}), tmp_path / "first.parquet")
    _, rules = with_types([Partition(str(tmp_path / "first.parquet"), "parquet")], PartitionRules(keep=("text",)))
    table = pa.table({"manifest": [VALID] * ROWS, "text": repeated(VERY_LONG, ROWS)})
    pq.write_table(table, tmp_path / "a.parquet", dictionary_pagesize_limit=1 << 30)
    found = validate_partition(Partition(str(tmp_path / "a.parquet"), "parquet"), str(tmp_path), rules)

    assert found.failure is not None
    assert "column 'text' has a value of 5,242,880 bytes, which is too large to be kept" in found.failure


TEXT, OCTETS = pa.string_view(), pa.binary_view()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (TEXT, [VERY_LONG, None]),
        (OCTETS, [VERY_LONG.encode(), None]),
        (pa.list_(TEXT), [[LONG, LONG], None]),
        (pa.list_(OCTETS, 2), [[LONG.encode(), None], None]),
        (pa.list_view(TEXT), [["x", "y"], None]),
        (pa.struct({"x": TEXT, "y": OCTETS, "z": pa.list_(TEXT)}), [{"x": VERY_LONG, "y": b"y", "z": [LONG]}, None]),
        (pa.map_(TEXT, TEXT), [[("k", LONG)], None]),
    ],
    ids=lambda it: str(it) if isinstance(it, pa.DataType) else "",
)
def test_val_189_columns_of_views_are_kept(tmp_path: Path, kind: pa.DataType, values: list[Any]) -> None:
    pq.write_table(pa.table({"manifest": [VALID] * 2, "id": pa.array(values, kind)}), tmp_path / "in.parquet")

    assert kept(tmp_path / "in.parquet", tmp_path / "out", "id")["id"].to_pylist() == values
