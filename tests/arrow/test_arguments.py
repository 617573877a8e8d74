"""Wrong columns and arguments raise one clear error, before any document is validated."""

import pickle
from collections.abc import Iterator
from typing import Any, cast

import pyarrow as pa
import pytest

from dreg_client import DregError
from dreg_client.arrow import report_schema, validate_batches, validate_table
from dreg_client.errors import ColumnError
from tests.arrow.columns import INDEX

GOOD = pa.record_batch({"id": [1], "manifest": [INDEX]})


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
    with pytest.raises(ColumnError):
        validate_table(pa.table({"id": [1]}))
