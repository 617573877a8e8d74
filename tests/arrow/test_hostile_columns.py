"""Columns of a stranger: whatever is in them, each row has its report, and memory stays small."""

import sys

import pyarrow as pa
import pytest

from dreg_client.arrow import validate_batches
from tests.arrow.columns import INDEX, expected, reports
from tests.commands import MEBIBYTE, run_limited

_PEAK = """
import sys
from pathlib import Path
import pyarrow as pa
from dreg_client.arrow import validate_batches

{code}
for batch in validate_batches(batches):
    pass
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""
_MANY = """
document = b'{"schemaVersion": 2, "manifests": {}}'
batches = (pa.record_batch({"manifest": pa.array([document] * 500)}) for _ in range(%d))
"""
_SAME = """
document = pa.array([b" " * 4_000_000], pa.%s())
column = pa.DictionaryArray.from_arrays(pa.array([0] * 100), document)
batches = [pa.record_batch({"manifest": column})]
"""
_VIEWS = """
document = pa.array([b" " * 4_000_000], pa.binary_view())
_, view, octets = document.buffers()
views = pa.py_buffer(view.to_pybytes()[:16] * 100)
column = pa.Array.from_buffers(pa.binary_view(), 100, [None, views, octets])
batches = [pa.record_batch({"manifest": column})]
"""


def _peak(code: str) -> int:
    """Return the most memory that it took to validate the batches, in bytes."""
    done = run_limited(
        [sys.executable, "-c", _PEAK.replace("{code}", code)], capture_output=True, text=True, check=True
    )
    return int(done.stdout) * 1024


def test_val_01_nulls_large_documents_and_broken_text_are_rows() -> None:
    documents = [None, b"\xff\xfe", b"\xed\xa0\x80", b"{" * 5_000_000, b'{"\\ud800": 1}', b"\x00", INDEX]

    assert reports(documents) == [expected(raw) for raw in documents]


def test_val_01_a_string_column_that_is_not_utf_8_is_read_as_bytes() -> None:
    documents = pa.array([b"\xff", INDEX])
    column = pa.StringArray.from_buffers(2, documents.buffers()[1], documents.buffers()[2])  # type: ignore[arg-type]

    assert reports(column) == [expected(b"\xff"), expected(INDEX)]


def test_val_01_unknown_kinds_and_broken_media_types_are_rows() -> None:
    kinds = pa.array([b"no-such-kind", b"\xff\x1b[31m", b"x" * 100_000, None]).buffers()
    broken = pa.StringArray.from_buffers(4, kinds[1], kinds[2], kinds[0])  # type: ignore[arg-type]
    batch = pa.record_batch({"manifest": [INDEX] * 4, "stored": broken})

    (by_kind,) = validate_batches([batch], kind_column="stored")
    (by_type,) = validate_batches([batch], media_type_column="stored")

    assert by_kind["ok"].to_pylist() == [False, False, False, True]
    assert by_kind["problems"][0][0]["rule"].as_py() == "GEN-12"
    assert by_kind["problems"][0][0]["found"].as_py() == 'the kind "no-such-kind"'
    for made in (by_kind, by_type):
        made.validate(full=True)
        texts = [problem["found"] for row in made["problems"].to_pylist() for problem in row]
        assert all(text.isprintable() and len(text) < 500 for text in texts)


def test_val_02_a_batch_of_100_000_invalid_documents_becomes_small_batches() -> None:
    batch = pa.record_batch({"id": range(100_000), "manifest": pa.array([b"[]"] * 100_000)})

    made = list(validate_batches([batch], keep=["id"]))

    assert sum(part.num_rows for part in made) == 100_000
    assert max(part.num_rows for part in made) <= 10_000


def test_val_02_documents_with_thousands_of_problems_become_small_batches() -> None:
    document = b'{"schemaVersion": 2, "manifests": [' + b",".join([b"{}"] * 900) + b"]}"

    made = list(validate_batches([pa.record_batch({"manifest": pa.array([document] * 100)})]))

    assert sum(part.num_rows for part in made) == 100
    assert len(made) > 1
    assert max(part.nbytes for part in made) < 16 * MEBIBYTE


def test_val_02_ten_times_as_many_rows_need_the_same_memory() -> None:
    few, many = _peak(_MANY % 20), _peak(_MANY % 200)

    assert many < 1.1 * few


@pytest.mark.parametrize("code", [_SAME % "binary", _SAME % "binary_view", _VIEWS], ids=["dictionary", "both", "views"])
def test_val_04_many_rows_that_share_one_document_need_the_memory_of_one(code: str) -> None:
    assert _peak(code) < 256 * MEBIBYTE
