"""Sum the rows of reports in Arrow record batches. Python sees only the examples, not each row."""

# The stubs of pyarrow leave out type arguments, which mypy reads as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from typing import Any

from dreg_client.arrow import PROBLEM, REPORT_SCHEMA

# isort: split
# The import above names the extra if pyarrow is missing.
import pyarrow as pa
import pyarrow.compute as pc

from dreg_client.arrow_columns import octets_at, stored_column
from dreg_client.partitions.report_columns import PLACE_NAMES
from dreg_client.partitions.summary import (
    RuleCount,
    Summary,
    example_of,
    placed_source,
    problem_of,
)
from dreg_client.validation.report import BLOB_RULES

_MOST_KEPT = 3
_LONGEST_KEPT = 200
_HALF = 32
"""The number of bits of some dates and times."""
_LARGEST = 1 << 48
"""The largest number: 16,384 of them can be added up."""
_SUMMED = ("digest", "size", "kind", "ok", "warnings", "problems")


def add_batch(summary: Summary, batch: pa.RecordBatch, source: str = "") -> None:
    """Add the reports of a record batch with the columns of `REPORT_SCHEMA`, which may be of similar types.

    Args:
        summary: The sums to add to.
        batch: The reports. The columns `source`, `line` and `offset` name the documents of examples; without `source`,
            the other columns do.
        source: The name of examples if the batch has no such columns.

    Raises:
        ValueError: The batch has other columns, or values that no report has.
    """
    counts = _rule_counts(batch, source)
    for count in counts:
        summary.add_rule(count.example.problem.rule, count.example.problem.severity, count)
    broken = {count.example.problem.rule for count in counts}
    for rule in filter(broken.__contains__, BLOB_RULES):
        batch = _without_blobs(summary, batch, rule)
    ok = _column(batch, "ok", pa.bool_())
    summary.documents += batch.num_rows
    summary.valid += pc.sum(ok).as_py() or 0
    summary.warned += pc.sum(pc.greater(_numbers(batch, "warnings"), pa.scalar(0))).as_py() or 0
    summary.size += pc.sum(_numbers(batch, "size")).as_py() or 0
    for counted in _column(batch, "kind", pa.string()).value_counts().to_pylist():
        summary.add_kind(counted["values"] or "", counted["counts"])


def _without_blobs(summary: Summary, batch: pa.RecordBatch, rule: str) -> pa.RecordBatch:
    """Add the blobs of a batch that have one of `BLOB_RULES`; return the batch without them."""
    lists, problems = _problems(batch)
    is_blob = pc.equal(_text(problems, "rule"), pa.scalar(rule))
    rows = pc.unique(pc.filter(pc.list_parent_indices(lists), is_blob))
    summary.add_blobs(rule, len(rows), pc.sum(_numbers(batch, "size").take(rows)).as_py() or 0)
    is_other = pc.invert(pc.is_in(pa.array(range(batch.num_rows), rows.type), rows))
    return batch.filter(is_other)


def columns_to_read(schema: pa.Schema) -> list[str]:
    """Return the columns that `add_batch` needs: without a column `source`, also those that name a document."""
    place = [name for name in PLACE_NAMES if schema.get_field_index(name) >= 0]
    return [*(place if "source" in place else _kept_columns(schema)), *_SUMMED]


def _kept_columns(schema: pa.Schema) -> list[str]:
    """Return the first columns of texts or numbers that were kept: they identify a document in reports of engines."""
    others = [field for field in schema if field.name not in REPORT_SCHEMA.names and field.name not in PLACE_NAMES]
    return [it.name for it in others if _is_short(it.type) and schema.get_field_index(it.name) >= 0][:_MOST_KEPT]


def _is_short(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.DictionaryType):
        kind = kind.value_type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return is_text or pa.types.is_integer(kind) or pa.types.is_temporal(kind)


def _column(batch: pa.RecordBatch, name: str, wanted: pa.DataType) -> Any:  # noqa: ANN401 (pyarrow's arrays are generic)
    index = batch.schema.get_field_index(name)
    if index < 0:
        raise ValueError(f"there is no column {name}, or there are several")
    return _cast(batch.column(index), name, wanted)


def _numbers(batch: pa.RecordBatch, name: str) -> Any:  # noqa: ANN401 (as above)
    """Return a column of counts or sizes, whose sum is not too large either."""
    column = _column(batch, name, pa.int64())
    bounds: Any = pc.min_max(column)
    for number in (bounds["min"].as_py(), bounds["max"].as_py()):
        if number is not None and not 0 <= number <= _LARGEST:
            raise ValueError(f"the column {name} has the number {number}, expected one from 0 to {_LARGEST}")
    return column


def _cast(column: Any, name: str, wanted: pa.DataType) -> Any:  # noqa: ANN401 (as above)
    if column.type == wanted:
        return column
    try:
        return _cut(column).cast(wanted)
    except pa.ArrowException:
        raise ValueError(f"the column {name} is of type {column.type}, expected {wanted}") from None


def _cut(column: Any) -> Any:  # noqa: ANN401 (as above)
    """Return a column whose dictionary, if any, has no long values, since each may be repeated very often."""
    if not pa.types.is_dictionary(column.type):
        return column
    values = column.dictionary
    is_binary = pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type)
    short = (
        pc.binary_slice(values, 0, _LONGEST_KEPT) if is_binary else pc.utf8_slice_codeunits(values, 0, _LONGEST_KEPT)
    )
    return pa.DictionaryArray.from_arrays(column.indices, short)


def _rule_counts(batch: pa.RecordBatch, source: str) -> list[RuleCount]:
    """Return how often each rule was broken, with the first example of each, in order of rows."""
    lists, problems = _problems(batch)
    if not len(problems):
        return []
    texts = {name: _text(problems, name) for name in PROBLEM.names}  # those of examples may be cut
    rows = pa.table(
        {
            "row": pc.list_parent_indices(lists),
            "index": pa.array(range(len(problems)), pa.int64()),
            "rule": texts["rule"],
            "severity": texts["severity"],
        }
    )
    by_row = rows.group_by(["row", "rule", "severity"]).aggregate([("index", "count"), ("index", "min")])
    counts = by_row.group_by(["rule", "severity"]).aggregate(
        [("row", "count"), ("row", "min"), ("index_count", "sum"), ("index_min", "min")]
    )
    counted = list[RuleCount]()
    for it in sorted(counts.to_pylist(), key=lambda it: it["index_min_min"]):
        problem = problem_of(*(texts[name][it["index_min_min"]].as_py() for name in PROBLEM.names))
        place = _place(batch, it["row_min"], source)
        counted.append(RuleCount(it["row_count"], it["index_count_sum"], example_of(*place, problem)))
    return counted


def _problems(batch: pa.RecordBatch) -> tuple[Any, Any]:
    """Return the lists of problems, and all their problems one after another."""
    wanted = REPORT_SCHEMA.field("problems").type
    index = batch.schema.get_field_index("problems")
    if index < 0:
        raise ValueError("there is no column problems, or there are several")
    lists: Any = batch.column(index)
    is_list = pa.types.is_list(lists.type) or pa.types.is_large_list(lists.type)
    if not is_list or not pa.types.is_struct(lists.type.value_type):
        raise ValueError(f"the column problems is of type {lists.type}, expected {wanted}")
    return lists, pc.list_flatten(lists)


def _text(problems: Any, name: str) -> Any:  # noqa: ANN401 (as above)
    if problems.type.get_field_index(name) < 0:
        raise ValueError(f"the problems have no member {name}")
    column = _cast(pc.struct_field(problems, name), f"problems.{name}", pa.string())
    if column.null_count:
        raise ValueError(f"the problems have nulls as their member {name}")
    return column


def _place(batch: pa.RecordBatch, row: int, source: str) -> tuple[str, int, str | None]:
    """Return the source, the line and the digest of the document of a row."""
    digest = _value(batch, "digest", row)
    stored_line, offset = _value(batch, "line", row), _value(batch, "offset", row)
    line = stored_line if isinstance(stored_line, int) and stored_line > 0 else 0
    stored = _value(batch, "source", row)
    if stored is None:
        stored = ", ".join(_kept(batch, row)) or source
    elif isinstance(offset, int):
        stored = placed_source(str(stored), line, offset)
    return str(stored), line, digest and str(digest)


def _kept(batch: pa.RecordBatch, row: int) -> list[str]:
    values = {name: _shown(batch, name, row) for name in _kept_columns(batch.schema)}
    return [
        f"{name}={text if len(text) <= _LONGEST_KEPT else f'{text[:_LONGEST_KEPT]}…'}" for name, text in values.items()
    ]


def _shown(batch: pa.RecordBatch, name: str, row: int) -> str:
    """Return a value as text. Not all texts are UTF-8, and not all times and dates can be those of Python."""
    column: Any = stored_column(batch, name).slice(row, 1)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_temporal(column.type):
        try:
            return str(column.cast(pa.string())[0].as_py())
        except (pa.ArrowException, ValueError):
            column = column.cast(pa.int32() if column.type.bit_width == _HALF else pa.int64())
    if column.null_count or pa.types.is_integer(column.type):
        return str(column[0].as_py())
    return (octets_at(column, 0) or b"").decode(errors="replace")


def _value(batch: pa.RecordBatch, name: str, row: int) -> Any:  # noqa: ANN401 (a text or a number)
    index = batch.schema.get_field_index(name)
    if index < 0 or not batch.column(index)[row].is_valid:
        return None
    kind = batch.schema.field(index).type
    if pa.types.is_integer(kind):
        return batch.column(index)[row].as_py()
    if not _is_short(kind) and not pa.types.is_binary(kind) and not pa.types.is_large_binary(kind):
        raise ValueError(f"the column {name} is of type {kind}, expected a text or a number")
    return _shown(batch, name, row)
