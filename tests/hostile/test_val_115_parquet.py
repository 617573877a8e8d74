"""Parquet files and record batches that are damaged, or that need much more memory than they are large."""

import json
import random
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dreg_client.arrow import validate_batches, validate_table
from dreg_client.errors import ColumnError, FileError
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.report.read import read_report
from dreg_client.partitions.run.chunks import PartitionEnd, RowChunk
from dreg_client.partitions.run.reading import ProcessKilledError, ReadingProcess
from tests.commands import MEBIBYTE, run_limited
from tests.partitions.written import ERROR, PLACED, row, write_table

VALID = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
MOST = 300 * MEBIBYTE
"""Above that of a process that has imported what it needs."""
_PEAK = """
import json, sys
from pathlib import Path
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.report.writing import write_partition
from dreg_client.partitions.report.read import read_report
import dreg_client.partitions.report.parquet

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024

before = peak()
source, folder, rules = sys.argv[1], sys.argv[2], PartitionRules(**json.loads(sys.argv[3]))
if folder:
    done = [write_partition(it, folder, rules, "") for it in find_partitions([source], rules)]
    rows, failed = sum(it.summary.documents for it in done), [it.failure for it in done if it.failure]
else:
    rows, failed = read_report(source).summary.documents, []
print(json.dumps([rows, peak() - before, failed]))
"""


def measured(source: Path, folder: Path | None, **rules: object) -> tuple[int, int, list[str]]:
    """Return the number of documents, the most memory that they took, and why partitions broke off."""
    if folder:
        folder.mkdir()
    command = [sys.executable, "-c", _PEAK, str(source), str(folder or ""), json.dumps(rules)]
    done = run_limited(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    count, peak, failed = json.loads(done.stdout)
    return count, peak, failed


def repeated(value: object, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([value]))


def write(path: Path, **options: Any) -> Path:
    columns = {name: options.pop(name) for name in ("manifest", "text", "number") if name in options}
    pq.write_table(
        pa.table(columns), path, compression="zstd", dictionary_pagesize_limit=1 << 30, store_schema=False, **options
    )
    return path


# --- VAL-115, VAL-116: damage


def _flipped(raw: bytes, dice: random.Random) -> bytes:
    """Return a file with a flipped bit, mostly at its end."""
    footer = int.from_bytes(raw[-8:-4], "little")
    at = dice.randrange(len(raw)) if dice.random() < 0.3 else len(raw) - 8 - dice.randrange(footer)
    return raw[:at] + bytes([raw[at] ^ 1 << dice.randrange(8)]) + raw[at + 1 :]


_FLIPS = """
import random, sys
from pathlib import Path
from dreg_client.errors import DregError
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.run.validate import validate_partition
from tests.hostile.test_val_115_parquet import _flipped

path, folder = Path(sys.argv[1]), sys.argv[2]
raw, dice, rules = path.read_bytes(), random.Random(1), PartitionRules(kind_column="text", keep=("number",))
for _ in range(int(sys.argv[3])):
    path.write_bytes(_flipped(raw, dice))
    try:
        for partition in find_partitions([str(path)], rules, size=20_000):
            validate_partition(partition, folder, rules)
    except DregError:
        pass
"""


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_val_115_a_flipped_bit_ends_no_process(tmp_path: Path, compression: str) -> None:
    columns = {"manifest": [VALID, b"{"] * 500, "text": ["oci-index"] * 1000, "number": [[1, None]] * 1000}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", compression=compression, row_group_size=300)
    command = [sys.executable, "-c", _FLIPS, str(tmp_path / "a.parquet"), str(tmp_path), "60"]
    done = run_limited(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])

    assert (done.returncode, done.stderr) == (0, "")


def _end_process(partition: Partition) -> Any:
    yield RowChunk((), PartitionEnd(partition))
    if partition.source == "bad":
        sys.exit(3)
        yield


def test_val_116_a_file_that_ends_the_process_that_reads_it_loses_no_other() -> None:
    reading = ReadingProcess(_end_process)
    try:
        assert [*reading.results(Partition("good", "parquet"))]
        with pytest.raises(ProcessKilledError):
            [*reading.results(Partition("bad", "parquet"))]
        assert [*reading.results(Partition("good", "parquet"))]
    finally:
        reading.close()


# --- VAL-117: sizes


def test_val_117_documents_that_differ_little_need_little_memory(tmp_path: Path) -> None:
    documents = pa.array([VALID] * 600 + [b"x" * MEBIBYTE] * 600)
    encoding = {"use_dictionary": False, "column_encoding": {"manifest": "DELTA_BYTE_ARRAY"}}
    count, peak, failed = measured(write(tmp_path / "a.parquet", manifest=documents, **encoding), tmp_path / "out")

    assert (count, failed, peak < MOST) == (1200, [], True)


@pytest.mark.parametrize("rules", [{"media_type_column": "text"}, {"kind_column": "text"}, {"keep": ["text"]}])
def test_val_117_large_texts_that_are_repeated_need_little_memory(tmp_path: Path, rules: dict[str, Any]) -> None:
    text = repeated("x" * MEBIBYTE, 1000)
    file = write(tmp_path / "a.parquet", manifest=pa.array([VALID] * 1000), text=text)
    count, peak, failed = measured(file, tmp_path / "out", **rules)

    assert (count, failed, peak < MOST) == (1000, [], True)


def test_val_117_a_kept_value_that_is_too_large_to_be_repeated_is_an_error(tmp_path: Path) -> None:
    text = repeated("x" * 20 * MEBIBYTE, 1000)
    file = write(tmp_path / "a.parquet", manifest=pa.array([VALID] * 1000), text=text)
    count, peak, [failure] = measured(file, tmp_path / "out", keep=["text"])

    assert (count, "column 'text' has a value of 20,971,520 bytes" in failure, peak < MOST) == (0, True, True)


def test_val_117_a_very_large_document_that_is_repeated_is_validated_once(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", manifest=repeated(b" " * 20 * MEBIBYTE, 20_000))
    count, peak, failed = measured(file, tmp_path / "out")

    assert (count, failed, peak < MOST) == (20_000, [], True)


def test_val_117_large_texts_of_a_report_need_little_memory(tmp_path: Path) -> None:
    count = 2000
    found = repeated("x" * (MEBIBYTE // 4), count)
    members = [pa.array([text] * count) for text in ("GEN-01", "error", "$")]
    problems = pa.StructArray.from_arrays([*members, found, pa.array(["y"] * count)], [*ERROR])
    lists = pa.ListArray.from_arrays(pa.array(range(count + 1), pa.int32()), problems)
    table = pa.Table.from_pylist([row("a.json", 1)] * count, PLACED).drop_columns("problems")
    file = tmp_path / "a.parquet"
    pq.write_table(table.append_column("problems", lists), file, compression="zstd", store_schema=False)
    rows, peak, _ = measured(file, None)

    assert (rows, peak < MOST) == (count, True)


# --- VAL-118, VAL-119: indices and arguments


def test_val_118_an_index_that_is_not_in_the_dictionary_is_a_typed_error() -> None:
    broken = pa.DictionaryArray.from_arrays(pa.array([5]), pa.array([VALID]), safe=False)
    for names in ({}, {"keep": ["other"]}):
        batch = pa.record_batch({"manifest": [VALID], "other": broken} if names else {"manifest": broken})
        with pytest.raises(ColumnError, match=r"is damaged: it refers to value 5 of a dictionary of 1"):
            [*validate_batches([batch], **names)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"column": 3}, "column= takes the name of a column, not int: 3"),
        ({"keep": [1]}, "keep= takes a list of column names, not of int: 1"),
        ({"keep": None}, "keep= takes a list of column names, not NoneType"),
        ({"kind": ["a"]}, "kind= takes a str or None, not list"),
        ({"media_type_column": 5}, "media_type_column= takes a str or None, not int: 5"),
    ],
)
def test_val_119_arguments_of_other_types_are_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message.replace("[", r"\[")):
        validate_batches([pa.record_batch({"manifest": [VALID]})], **given)
    with pytest.raises(TypeError, match=r"validate_table takes a pyarrow\.Table, not NoneType"):
        validate_table(None)  # type: ignore[arg-type]


# --- VAL-120: values of reports


def report_with(path: Path, **columns: pa.Array) -> Path:
    table = pa.Table.from_pylist([row("a.json", 1, ERROR)], PLACED).drop_columns(["source", "line"])
    for name, column in columns.items():
        at = table.schema.get_field_index(name)
        table = table.append_column(name, column) if at < 0 else table.set_column(at, name, column)
    return write_table(path, table)


@pytest.mark.parametrize(
    "kept",
    [
        pa.array([2**62], pa.timestamp("us")),
        pa.array([2**62], pa.timestamp("us", "Europe/Nowhere")),
        pa.array([1_700_000_000_123_456_789], pa.timestamp("ns")),
        pa.array([1], pa.time64("ns")),
        pa.array([2**31 - 1], pa.date32()),
        pa.array([2**62], pa.duration("s")),
        pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")]),
    ],
    ids=lambda kept: str(kept.type),
)
def test_val_120_any_kept_value_can_name_an_example(tmp_path: Path, kept: pa.Array) -> None:  # type: ignore[type-arg]
    sums = read_report(str(report_with(tmp_path / "a.parquet", id=kept)))

    assert sums.summary.documents == 1
    [rule] = sums.summary.rules.values()
    assert rule.example.source.startswith("id=")


@pytest.mark.parametrize(("name", "number"), [("size", -5), ("size", 2**63 - 1), ("warnings", -1)])
def test_val_121_numbers_that_no_report_has_are_an_error(tmp_path: Path, name: str, number: int) -> None:
    file = report_with(tmp_path / "a.parquet", **{name: pa.array([number])})

    with pytest.raises(FileError, match=f"the column {name} has the number {number}"):
        read_report(str(file))
    line = {**row("a.json", 1), "size": number}
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(row('a.json', 1))}\n{json.dumps(line)}\n")
    if name == "size":
        with pytest.raises(FileError, match="line 2 is not"):
            read_report(str(tmp_path / "a.jsonl"))
