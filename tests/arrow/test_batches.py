"""Documents in columns of record batches get the reports that `validate` gives."""

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreg_client.arrow import REPORT_SCHEMA, report_schema, validate_batches, validate_table
from tests.arrow.columns import BINARY, INDEX, MISTAKE, STRINGS, VECTORS, expected, reports

DOCUMENTS: list[bytes | None] = [INDEX, None, MISTAKE, b"", "{é".encode(), INDEX]


def test_each_vector_gets_the_report_of_validate() -> None:
    bodies = [case["body"].encode("utf-8", "surrogatepass") for case in VECTORS]
    columns = {
        "manifest": pa.array(bodies, pa.binary()),
        "kind": pa.array([case["kind"] for case in VECTORS]).dictionary_encode(),
        "type": [case["media_type"] or None for case in VECTORS],
    }
    batch = pa.record_batch(columns)

    found = pa.Table.from_batches(
        validate_batches([batch], kind_column="kind", media_type_column="type", pedantic=True), REPORT_SCHEMA
    )

    assert found["ok"].to_pylist() == [case["valid"] for case in VECTORS]
    assert found.to_pylist() == [
        expected(body, kind=case["kind"], media_type=case["media_type"] or None, pedantic=True)
        for body, case in zip(bodies, VECTORS, strict=True)
    ]


@pytest.mark.parametrize("stored", [*BINARY, *STRINGS], ids=str)
@pytest.mark.parametrize("start", [0, 2])
def test_the_documents_of_any_type_of_column_are_read(stored: pa.DataType, start: int) -> None:
    texts = [None if raw is None else raw.decode() for raw in DOCUMENTS]
    column = pa.array(texts if stored in STRINGS else DOCUMENTS, stored).slice(start)

    assert reports(column) == [expected(raw) for raw in DOCUMENTS[start:]]


@pytest.mark.parametrize("stored", [pa.binary(), pa.string(), pa.large_string(), pa.string_view()], ids=str)
@pytest.mark.parametrize("start", [0, 2])
def test_the_documents_of_a_dictionary_are_read(stored: pa.DataType, start: int) -> None:
    indices = pa.array([0, None, 1, 2, 3, 0], pa.int16())
    values = [INDEX.decode(), MISTAKE.decode(), "", "{é"]
    dictionary = pa.array([value.encode() for value in values] if stored == pa.binary() else values, stored)
    column = pa.DictionaryArray.from_arrays(indices, dictionary).slice(start)

    assert reports(column) == [expected(raw) for raw in DOCUMENTS[start:]]


def test_a_column_of_json_or_of_nulls_only_is_read() -> None:
    column = pa.ExtensionArray.from_storage(pa.json_(), pa.array([INDEX.decode(), None]))

    assert reports(column) == [expected(INDEX), expected(None)]
    assert reports(pa.nulls(2)) == [expected(None)] * 2


def test_kept_columns_are_slices_beside_their_reports() -> None:
    rows = 20_000
    batch = pa.record_batch({"id": range(rows), "manifest": pa.array([b"[]"] * rows)}).slice(10)

    made = list(validate_batches([batch], keep=["id"]))

    assert len(made) > 1
    assert pa.Table.from_batches(made)["id"].to_pylist() == list(range(10, rows))
    address = batch["id"].buffers()[1].address  # type: ignore[union-attr]
    assert all(part["id"].buffers()[1].address == address for part in made)
    for part in made:
        part.validate(full=True)
        assert part.schema == report_schema(batch.schema, ["id"])


def test_nothing_comes_of_empty_batches() -> None:
    empty = pa.record_batch({"manifest": pa.array([], pa.string())})

    assert list(validate_batches([])) == []
    assert [batch.num_rows for batch in validate_batches([empty, empty])] == []
    assert validate_table(pa.table(empty)).schema == REPORT_SCHEMA
    assert validate_table(pa.table({"manifest": [INDEX], "id": [1]}), keep=["id"])["id"].to_pylist() == [1]


def test_a_reader_of_batches_is_read_to_its_end() -> None:
    table = pa.table({"manifest": [INDEX] * 10})

    made = list(validate_batches(table.to_reader(max_chunksize=3)))

    assert [batch.num_rows for batch in made] == [3, 3, 3, 1]


def test_a_kind_is_expected_of_all_documents_or_of_each() -> None:
    batch = pa.record_batch({"manifest": [INDEX, INDEX, INDEX], "kind": ["oci-manifest", None, ""]})

    (each,) = validate_batches([batch], kind_column="kind")
    (all_of_them,) = validate_batches([batch], kind_column="kind", kind="image-config")

    assert each["kind"].to_pylist() == ["oci-manifest", "oci-index", "oci-index"]
    assert all_of_them["kind"].to_pylist() == ["oci-manifest", "image-config", "image-config"]


def test_notes_are_reported_on_request() -> None:
    raw = b'{"schemaVersion": 2, "manifests": [], "other": 1}'

    assert reports([raw], pedantic=True) == [expected(raw, pedantic=True)]
    assert "note" in {problem["severity"] for problem in reports([raw], pedantic=True)[0]["problems"]}
    assert reports([raw])[0]["problems"] == []


@settings(max_examples=50)
@given(
    st.lists(st.sampled_from(DOCUMENTS) | st.binary(max_size=20), max_size=30),
    st.lists(st.integers(0, 30), max_size=5),
    st.sampled_from(BINARY),
)
def test_however_documents_are_divided_into_batches_each_has_its_report_in_order(
    documents: list[bytes | None], cuts: list[int], stored: pa.DataType
) -> None:
    batch = pa.record_batch({"number": pa.array(range(len(documents))), "manifest": pa.array(documents, stored)})
    edges = sorted({0, len(documents), *(cut for cut in cuts if cut < len(documents))})
    batches = [batch.slice(start, stop - start) for start, stop in pairwise(edges)]

    rows = [row for made in validate_batches(batches, keep=["number"]) for row in made.to_pylist()]

    assert rows == [{"number": number, **expected(raw)} for number, raw in enumerate(documents)]
