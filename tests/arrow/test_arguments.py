"""Wrong columns and arguments raise one clear error, before any document is validated."""

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from dreg_client import DregError
from dreg_client.arrow import report_schema, validate_batches, validate_table
from dreg_client.errors import ColumnError
from tests.arrow.columns import FIXTURES, INDEX
from tests.commands import run_limited

GOOD = pa.record_batch({"id": [1], "manifest": [INDEX]})
NESTED = pa.record_batch({"manifest": [INDEX], "stored": [{"doc": INDEX}]})


def endless(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    while True:
        yield batch


@pytest.mark.parametrize(
    ("batch", "options", "says"),
    [
        (GOOD, {"column": "doc"}, "column 'doc': there is no such column; the columns are: id, manifest"),
        (GOOD, {"media_type_column": "type"}, "column 'type': there is no such column; the columns are: id, manifest"),
        (GOOD, {"kind_column": "id"}, "column 'id': its type is int64, expected string; the columns are: id, manifest"),
        (GOOD, {"keep": ["x"]}, "column 'x': there is no such column; the columns are: id, manifest"),
        (GOOD, {"column": "id"}, "column 'id': its type is int64, expected binary or string; the columns are"),
        (GOOD, {"keep": ["id", "id"]}, "column 'id': it is kept twice; name it once"),
        (GOOD, {"keep": ["digest"]}, "column 'digest': a report has a column of this name; rename the column before"),
        (
            pa.RecordBatch.from_arrays([pa.array([INDEX])] * 2, ["manifest", "manifest"]),
            {},
            "column 'manifest': there are 2 columns of this name",
        ),
        (pa.record_batch({"manifest": [{"schemaVersion": 2}]}), {}, "its exact bytes and its digest are lost"),
        (
            NESTED,
            {"column": "stored.doc"},
            "no such column, but a member of a struct; make that member a column of its",
        ),
        (NESTED, {"column": "stored.x"}, "there is no such column; the columns are: manifest, stored"),
        (NESTED, {"keep": ["stored.doc"]}, "column 'stored.doc': there is no such column, but a member of a struct"),
        (NESTED, {"column": "stored"}, "if one of its members is the document, make that a column of its own; if the"),
        (pa.record_batch({"manifest": [["{}"]]}), {}, "its type is list<item: string>, expected binary or string"),
    ],
)
@pytest.mark.parametrize("has_schema", [True, False])
def test_val_03_a_wrong_column_is_an_error_before_any_document(
    batch: pa.RecordBatch, options: dict[str, Any], says: str, *, has_schema: bool
) -> None:
    with pytest.raises(ColumnError) as caught:  # noqa: PT012 (with a schema, the call itself raises it)
        if has_schema:
            validate_batches(pa.RecordBatchReader.from_batches(batch.schema, endless(batch)), **options)
        else:
            next(validate_batches(endless(batch), **options))

    assert says in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert isinstance(caught.value, DregError)


def test_val_03_columns_that_change_between_batches_are_an_error() -> None:
    other = pa.record_batch({"id": ["one"], "manifest": [INDEX]})
    batches = validate_batches([GOOD, other], keep=["id"])

    assert next(batches).num_rows == 1
    with pytest.raises(ColumnError, match="'id': its type is string in a later batch, and was int64 before"):
        next(batches)


def test_documents_may_change_their_type_between_batches() -> None:
    other = pa.record_batch({"id": [2], "other": [1.0], "manifest": pa.array([INDEX.decode()], pa.large_string())})

    made = pa.Table.from_batches(validate_batches([GOOD, other], keep=["id"]))

    assert made["ok"].to_pylist() == [True, True]


@pytest.mark.parametrize(
    ("batches", "says"),
    [
        (pa.table({"manifest": [INDEX]}), "not of Table; for a table, use validate_table"),
        (pa.table({"content": [INDEX]}), "not of Table; for a table, use validate_table"),
        (GOOD, "not of RecordBatch; pass a list or an iterator"),
        (None, "not of NoneType"),
        ([pa.table({"manifest": [INDEX]})], "not of Table; for a table, use validate_table"),
        ([INDEX], "not of bytes"),
    ],
)
def test_other_things_than_batches_are_a_type_error(batches: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        next(validate_batches(batches))


def test_wrong_options_are_errors_of_the_call() -> None:
    with pytest.raises(ValueError, match="'manifest' is not a known kind of document"):
        validate_batches([], kind=cast("Any", "manifest"))
    with pytest.raises(TypeError, match="pedantic= takes True or False"):
        validate_batches([], pedantic=cast("Any", "no"))
    with pytest.raises(TypeError, match=r"keep= takes a list of column names; pass \['id'\]"):
        report_schema(GOOD.schema, "id")
    with pytest.raises(TypeError, match="input_schema= takes a Schema, not list"):
        report_schema(cast("Any", ["id"]), ["id"])
    with pytest.raises(ColumnError):
        validate_table(pa.table({"id": [1]}))


def test_without_pyarrow_the_package_can_be_imported_and_what_needs_it_names_the_extra() -> None:
    code = """
import sys
sys.modules["pyarrow"] = None  # to Python this says: not to be found
from dreg_client import *
from dreg_client.errors import MissingLibraryError
try:
    validate_partition(Partition("dump.jsonl", "json-lines"), "reports")
except MissingLibraryError as failure:
    print(failure)
try:
    import dreg_client.arrow
except MissingLibraryError as failure:
    print(failure)
"""
    done = run_limited([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "pyarrow (the extra arrow) is not installed; install it with: pip install pyarrow\n" * 2


def test_the_command_line_without_pyarrow_names_the_extra(tmp_path: Path) -> None:
    code = """
import sys
sys.modules["pyarrow"] = None
from dreg_client.cli import main
main()
"""
    arguments = ["validate", "--format", "parquet", "-o", tmp_path / "reports", FIXTURES / "dumps/manifests.jsonl"]
    done = run_limited([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == "dreg: pyarrow (the extra arrow) is not installed; install it with: pip install pyarrow\n"
    assert not (tmp_path / "reports").exists()
