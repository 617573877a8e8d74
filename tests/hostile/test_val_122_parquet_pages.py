"""Parquet files whose pages need much more memory than the file is large, and files that end the process."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dreg_client.cli.report_sums import ReportFiles, outcomes
from dreg_client.errors import DregError, FileError
from dreg_client.partitions.input.read import batches_in
from dreg_client.partitions.parquet_batches import ParquetInput, arrow_errors
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.report.sums import FileSums
from dreg_client.partitions.run.reading import ReadingProcess
from dreg_client.values.thrift import IncompleteError, Struct, member, read_struct
from tests.commands import MEBIBYTE
from tests.hostile.test_val_115_parquet import MOST, VALID, measured, repeated, write

DICTIONARY, DATA = 2, 0
PLAIN, DELTA_BYTE_ARRAY, RLE_DICTIONARY = 0, 7, 8


def varint(value: int) -> bytes:
    zigzag, found = value << 1 ^ value >> 31, bytearray()
    while zigzag > 127:
        found.append(zigzag & 127 | 128)
        zigzag >>= 7
    return bytes([*found, zigzag])


def struct(members: Struct) -> bytes:
    """Return a struct in the compact protocol of Thrift; its members have the numbers from 1 to 15."""
    found, last = b"", 0
    for number, value in members.items():
        kind, octets = (12, struct(value)) if isinstance(value, dict) else (5, varint(value))
        found += bytes([(number - last) << 4 | kind]) + octets
        last = number
    return found + b"\0"


def page(kind: int, size: int, values: int, encoding: int) -> bytes:
    """Return the header of a page without content, which states another size."""
    return struct({1: kind, 2: size, 3: 0, 7 if kind == DICTIONARY else 5: {1: values, 2: encoding}})


def with_pages(path: Path, *headers: bytes, nested: bool = False) -> Path:
    """Write a file whose only column begins with these headers, in place of its own."""
    column = pa.array([[VALID]] * 100 if nested else [VALID] * 100)
    pq.write_table(pa.table({"text": column}), path, compression="none", use_dictionary=False)
    raw, pages = bytearray(path.read_bytes()), b"".join(headers)
    raw[4 : 4 + len(pages)] = pages
    path.write_bytes(raw)
    return path


def failure_of(path: Path, column: str = "text") -> str:
    with pytest.raises(FileError) as raised:
        [*batches_in(Partition(str(path), "parquet"), PartitionRules(column=column))]
    return str(raised.value)


# --- VAL-122 to VAL-125: pages


@pytest.mark.parametrize("kind", [DATA, DICTIONARY])
def test_val_122_a_page_that_is_too_large_is_not_decompressed(tmp_path: Path, kind: int) -> None:
    failure = failure_of(with_pages(tmp_path / "a.parquet", page(kind, 512 * MEBIBYTE + 1, 1, PLAIN)))

    assert "the column 'text' has a page of 536,870,913 bytes, more than 536,870,912" in failure
    assert "write the file with smaller row groups" in failure


def test_val_122_a_page_without_compression_is_as_large_as_it_is_stored(tmp_path: Path) -> None:
    header = struct({1: DATA, 2: 1, 3: 512 * MEBIBYTE + 1, 5: {1: 1, 2: PLAIN}})

    assert "a page of 536,870,913 bytes" in failure_of(with_pages(tmp_path / "a.parquet", header))


@pytest.mark.parametrize("sizes", [{2: -1, 3: 0}, {2: 1, 3: -1}, {2: 1}])
def test_val_122_a_page_without_a_valid_size_is_damage(tmp_path: Path, sizes: Struct) -> None:
    header = struct({1: DATA, **sizes, 5: {1: 1, 2: PLAIN}})

    assert "has a page without a valid size" in failure_of(with_pages(tmp_path / "a.parquet", header))


def test_val_122_a_dictionary_after_other_pages_is_damage(tmp_path: Path) -> None:
    pages = page(DATA, 0, 0, PLAIN), page(DICTIONARY, 9, 1, PLAIN)

    assert "has a dictionary after other pages" in failure_of(with_pages(tmp_path / "a.parquet", *pages))


def test_val_122_large_values_that_pages_hold_are_read(tmp_path: Path) -> None:
    documents = [b'"%d%s"' % (at, b"x" * (4 * MEBIBYTE - 10)) for at in range(40)]
    path = write(tmp_path / "a.parquet", manifest=pa.array(documents))
    found = [*batches_in(Partition(str(path), "parquet"))]

    assert [raw.as_py() for batch in found for raw in batch["manifest"].cast(pa.binary())] == documents


def test_val_123_lists_with_very_many_values_are_not_read_into_one_row(tmp_path: Path) -> None:
    count = 9 * MEBIBYTE
    lists = pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), pa.repeat(7, count))
    file = write(tmp_path / "a.parquet", manifest=pa.array([VALID]), number=lists)
    rows, peak, [failure] = measured(file, tmp_path / "out", keep=["number"])

    assert (rows, peak < MOST) == (0, True)
    assert "has more than 8,388,608 values in a row group; write the file with smaller row groups" in failure


def test_val_123_lists_that_repeat_a_text_are_not_expanded(tmp_path: Path) -> None:
    count = MEBIBYTE
    texts = pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), repeated("x" * 4000, count))
    file = write(tmp_path / "a.parquet", manifest=pa.array([VALID]), text=texts)
    rows, peak, [failure] = measured(file, tmp_path / "out", keep=["text"])

    assert (rows, peak < MOST) == (0, True)
    assert "column 'text' has values of 4,194,304,000 bytes in one row, which is too large to be kept" in failure


def test_val_123_lists_of_texts_that_share_prefixes_are_an_error(tmp_path: Path) -> None:
    pages = page(DATA, MEBIBYTE, 1000, DELTA_BYTE_ARRAY)
    path = with_pages(tmp_path / "a.parquet", pages, nested=True)
    with path.open("rb") as file, pytest.raises(FileError, match="encoded as DELTA_BYTE_ARRAY"), arrow_errors("a"):
        [*ParquetInput.of(file).batches(0, ["text"])]


def test_val_124_large_documents_that_share_a_prefix_are_read_one_by_one(tmp_path: Path) -> None:
    encoding = {"use_dictionary": False, "column_encoding": {"manifest": "DELTA_BYTE_ARRAY"}}
    documents = pa.array([VALID] * 40 + [b"x" * 20 * MEBIBYTE] * 30)
    count, peak, failed = measured(write(tmp_path / "a.parquet", manifest=documents, **encoding), tmp_path / "out")

    assert (count, failed, peak < 2 * MOST) == (70, [], True)  # all of them are 600 MiB


def test_val_125_values_after_those_of_a_dictionary_need_little_memory(tmp_path: Path) -> None:
    documents = [b"x" * (5 * MEBIBYTE)] + [b"%d%s" % (at, b" " * 100_000) for at in range(6000)]
    pq.write_table(pa.table({"manifest": documents}), tmp_path / "a.parquet", compression="zstd")
    count, peak, failed = measured(tmp_path / "a.parquet", tmp_path / "out")

    assert (count, failed, peak < 2 * MOST) == (6001, [], True)


@pytest.mark.parametrize("nested", [False, True])
def test_val_125_values_of_a_large_dictionary_after_others_are_damage(tmp_path: Path, nested: bool) -> None:
    pages = page(DICTIONARY, 5 * MEBIBYTE, 1, PLAIN), page(DATA, 9, 1, PLAIN), page(DATA, 9, 99, RLE_DICTIONARY)
    path = with_pages(tmp_path / "a.parquet", *pages, nested=nested)

    with path.open("rb") as file, pytest.raises(FileError, match="of its dictionary after others"), arrow_errors("a"):
        [*ParquetInput.of(file).batches(0, ["text"])]


# --- VAL-126: Thrift


def test_val_126_members_that_parquet_does_not_have_are_skipped() -> None:
    members: Struct = {1: 5, 5: {1: -7, 2: 2**31 - 1}}
    unknown = bytes.fromhex("16 02 18 03 616263 19 2c 00 00 1b 01 88 01 61 01 62 17") + bytes(8)

    assert read_struct(struct(members)) == (members, len(struct(members)))
    assert read_struct(unknown + struct({9: 3})[:0] + b"\0")[0] == {}
    assert member(members, 5, 1) == -7
    assert (member(members, 5), member(members, 1, 1), member(members, 3)) == (None, None, None)


@pytest.mark.parametrize("end", range(len(struct({1: 5, 5: {1: 70_000}}))))
def test_val_126_a_header_that_is_cut_is_incomplete(end: int) -> None:
    with pytest.raises(IncompleteError):
        read_struct(struct({1: 5, 5: {1: 70_000}})[:end])


@pytest.mark.parametrize("raw", [b"\x1c" * 100, b"\x19\x19" * 100, b"\x15" + b"\xff" * 20, b"\x1f", b"\x1d\x00"])
def test_val_126_a_header_that_is_not_thrift_is_damage(tmp_path: Path, raw: bytes) -> None:
    assert "cannot be read as Parquet" in failure_of(with_pages(tmp_path / "a.parquet", raw))


# --- VAL-127: `dreg report`


def _end_at_bad(files: ReportFiles) -> Iterator[tuple[FileSums | DregError, ...]]:
    if "bad" in files.names:
        sys.exit(3)
    yield tuple(DregError(name) for name in files.names)


@pytest.mark.parametrize("at_once", [1, 16])
def test_val_127_a_report_that_ends_the_process_that_reads_it_loses_no_other(at_once: int) -> None:
    reading = ReadingProcess(_end_at_bad)
    try:
        found = [str(each) for each in outcomes(reading, ("a", "bad", "b"), at_once)]
    finally:
        reading.close()

    assert found[::2] == ["a", "b"]
    assert "bad: ended the process that read it: the file is damaged, or memory ran out" in found[1]
