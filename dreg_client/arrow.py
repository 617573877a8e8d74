"""Validate the documents in a column of Arrow record batches: in Spark, Ray, Dask, DuckDB, Polars, or alone.

The extra `arrow` of dreg-client installs pyarrow.
"""

# The stubs of pyarrow leave out type arguments, which mypy reads as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from dreg_client.arrow_columns import (
    BYTES,
    TEXT,
    Column,
    check_dictionaries,
    check_type,
    index_of,
    map_documents,
)

# isort: split
# The import above names the extra if pyarrow is missing.
import pyarrow as pa

from dreg_client.errors import ColumnError
from dreg_client.errors.problems import Problem, Severity
from dreg_client.models.kinds import Kind
from dreg_client.models.parse import model_of
from dreg_client.validation.dumps import LineRules
from dreg_client.validation.report import Report, known_size
from dreg_client.validation.stated import NULL_REPORT, validate_as
from dreg_client.values.arguments import check_flag, check_instance
from dreg_client.values.sizes import MEBIBYTE

PROBLEM: Final = pa.struct(
    [pa.field(name, pa.string(), nullable=False) for name in ("rule", "severity", "path", "found", "expected")]
)
"""The type of a problem; the members are those of `dreg_client.errors.Problem`, as strings."""
REPORT_SCHEMA: Final = pa.schema(
    cast(
        "list[pa.Field[Any]]",
        [
            pa.field("digest", pa.string()),
            pa.field("size", pa.int64()),
            pa.field("kind", pa.string()),
            pa.field("ok", pa.bool_(), nullable=False),
            pa.field("errors", pa.int32(), nullable=False),
            pa.field("warnings", pa.int32(), nullable=False),
            pa.field("problems", pa.list_(PROBLEM), nullable=False),
        ],
    )
)
"""The columns of a report, see `validate_batches`; a `pyarrow.Schema`. Later versions may add columns at the end."""

_ROWS_OF_BATCH: Final = 8192
_MOST_TEXT: Final = 8 * MEBIBYTE
"""The number of characters of problems after which a batch is full."""
_REPORT_WEIGHT: Final = 1024
"""The estimated memory of a report, or of a problem in it, in bytes: it limits what is kept for repeated documents."""
_PROBLEM_OVERHEAD: Final = 64
"""The number of characters that each problem counts as, besides those of its text."""


def report_schema(input_schema: pa.Schema, keep: Sequence[str] = ()) -> pa.Schema:
    """Return the schema of the batches that `validate_batches` yields: the kept columns, then `REPORT_SCHEMA`.

    Args:
        input_schema: The schema of the batches with the documents.
        keep: The columns that are copied to the report.

    Raises:
        ColumnError: There is no such column, or more than one, or a report has a column of the same name.
        TypeError: `input_schema` is not a schema, or `keep` is not a list of names.

    Examples:
        >>> import pyarrow as pa
        >>> report_schema(pa.schema({"id": pa.int64(), "manifest": pa.string()}), keep=["id"]).names
        ['id', 'digest', 'size', 'kind', 'ok', 'errors', 'warnings', 'problems']
    """
    check_instance("input_schema", input_schema, pa.Schema)
    _check_keep(keep)
    kept = [input_schema.field(index_of(input_schema, name)) for name in keep]
    return pa.schema([*kept, *REPORT_SCHEMA])


def validate_batches(
    batches: Iterable[pa.RecordBatch],
    column: str = "manifest",
    *,
    media_type_column: str | None = None,
    kind: Kind | None = None,
    kind_column: str | None = None,
    keep: Sequence[str] = (),
    pedantic: bool = False,
) -> Iterator[pa.RecordBatch]:
    """Validate the documents in a column of record batches; yield batches of reports, one row for each row.

    No document raises an error: a null, a document of more than 4 MiB or of an unknown kind is a row with a problem.
    The rows have the order of the documents. Only one batch and its reports are in memory.

    The columns of a report are the kept ones, then:

    - `digest` (string): the sha256 digest of the document; null if the document is null
    - `size` (int64): its size in bytes; null if it is null
    - `kind` (string): the kind that it was parsed as, such as `oci-manifest`; null if unknown
    - `ok` (bool): whether it is valid, that is, has no errors
    - `errors` and `warnings` (int32): the numbers of problems
    - `problems` (list of structs): `rule`, `severity`, `path`, `found`, `expected`, all strings, as in `Problem`

    Args:
        batches: Record batches with the same columns: a list, an iterator, or a `RecordBatchReader`.
        column: The column with the documents: binary or string, also large, as a view, or with a dictionary.
        media_type_column: The column with media types. Null means unknown.
        kind: The expected kind of all documents; if None, it is determined for each document.
        kind_column: The column with their kinds. It overrides `kind` unless the value is null.
        keep: The columns that are copied to the report.
        pedantic: Whether to also report notes.

    Raises:
        ColumnError: A column is missing or has another type. The call raises it if `batches` has a schema, otherwise
            the first step of the iterator. Also raised if an index of a dictionary array is out of range.
        ValueError: `kind` is unknown.
        TypeError: `batches` are not record batches, or another argument has the wrong type.

    Examples:
        >>> import pyarrow as pa
        >>> batch = pa.record_batch({"id": [7], "manifest": ['{"schemaVersion": 2, "manifests": {}}']})
        >>> [report] = validate_batches([batch], keep=["id"])
        >>> report["id"][0].as_py(), report["ok"][0].as_py(), report["problems"][0][0]["path"].as_py()
        (7, False, '$.manifests')
    """
    _check_names(column=column, media_type_column=media_type_column, kind=kind, kind_column=kind_column)
    if kind is not None:
        model_of(kind)
    check_flag("pedantic", pedantic)
    _check_keep(keep)
    how = LineRules(kind=kind, pedantic=pedantic)
    columns = DocumentColumns(column, media_type_column, kind_column, tuple(keep), how)
    if isinstance(batches, pa.RecordBatch | pa.Table) or not isinstance(batches, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _not_batches(batches)
    if isinstance(schema := getattr(batches, "schema", None), pa.Schema):
        columns.check(schema)
    return validate_columns(batches, columns)


def validate_table(
    table: pa.Table,
    column: str = "manifest",
    *,
    media_type_column: str | None = None,
    kind: Kind | None = None,
    kind_column: str | None = None,
    keep: Sequence[str] = (),
    pedantic: bool = False,
) -> pa.Table:
    """Validate the documents in a column of a table; return a table of reports. For the `map_batches` of Ray.

    The arguments and errors are those of `validate_batches`.

    Examples:
        >>> import pyarrow as pa
        >>> validate_table(pa.table({"manifest": [b"{", None]}))["errors"].to_pylist()
        [1, 1]
    """
    if not isinstance(table, pa.Table):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(
            f"validate_table takes a pyarrow.Table, not {type(table).__name__}; for others, validate_batches"
        )
    batches = validate_batches(
        table.to_reader(),
        column,
        media_type_column=media_type_column,
        kind=kind,
        kind_column=kind_column,
        keep=keep,
        pedantic=pedantic,
    )
    return pa.Table.from_batches(batches, report_schema(table.schema, keep))


class ReportRows:
    """Collects reports of documents as the columns of `REPORT_SCHEMA`."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._digests: list[str | None] = []
        self._sizes: list[int | None] = []
        self._kinds: list[str | None] = []
        self._errors: list[int] = []
        self._warnings: list[int] = []
        self._stops = [0]
        self._problems: list[Problem] = []
        self._text = 0

    def add(self, report: Report, *, is_null: bool = False) -> None:
        """Add a row with the report of a document.

        With `is_null`, the row has no digest, and no size unless `report.size` is set.
        """
        self._digests.append(None if is_null else report.digest)
        self._sizes.append(known_size(report, is_null=is_null))
        self._kinds.append(report.kind)
        errors = warnings = 0
        for problem in report.problems:
            errors += problem.severity is Severity.ERROR
            warnings += problem.severity is Severity.WARNING
            self._text += len(problem.path) + len(problem.found) + len(problem.expected) + _PROBLEM_OVERHEAD
        self._errors.append(errors)
        self._warnings.append(warnings)
        self._problems += report.problems
        self._stops.append(len(self._problems))

    def __len__(self) -> int:
        return len(self._digests)

    @property
    def is_full(self) -> bool:
        """Whether there are so many rows or problems that a batch should be made of them."""
        return len(self._digests) >= _ROWS_OF_BATCH or self._text >= _MOST_TEXT

    def columns(self) -> list[Column]:
        """Return the columns in the order of `REPORT_SCHEMA`, and start with no rows again."""
        columns = [
            pa.array(self._digests, pa.string()),
            pa.array(self._sizes, pa.int64()),
            pa.array(self._kinds, pa.string()),
            pa.array([not errors for errors in self._errors], pa.bool_()),
            pa.array(self._errors, pa.int32()),
            pa.array(self._warnings, pa.int32()),
            pa.ListArray.from_arrays(pa.array(self._stops, pa.int32()), _structs(self._problems)),
        ]
        self._start()
        return cast("list[Column]", columns)


def _structs(problems: list[Problem]) -> pa.StructArray:
    members = [pa.array([getattr(it, field.name) for it in problems], pa.string()) for field in PROBLEM]
    return pa.StructArray.from_arrays(members, fields=list(PROBLEM))


@dataclass(frozen=True, slots=True)
class DocumentColumns:
    """The columns of a batch with documents, and how to validate these.

    Attributes:
        document: The column with the documents.
        media_type: The column with their media types; None if there is none.
        kind: The column with their kinds; None if there is none.
        keep: The columns that are copied to the report.
        how: How to validate the documents, and the kind and the media type of those of which no column states them.
    """

    document: str
    media_type: str | None
    kind: str | None
    keep: tuple[str, ...]
    how: LineRules

    def check(self, schema: pa.Schema) -> pa.Schema:
        """Return the schema of the reports; raise ColumnError if a column is missing or has another type."""
        check_type(schema, self.document, BYTES)
        for name in (self.media_type, self.kind):
            if name is not None:
                check_type(schema, name, TEXT)
        return report_schema(schema, self.keep)

    def reports(self, batch: pa.RecordBatch) -> Iterator[Report | None]:
        """Yield the report of each row; None for a null. Values of a dictionary are validated once."""
        names = (self.document, self.media_type, self.kind)
        return map_documents(batch, names, self._report, weight=_weight)

    def _report(self, raw: bytes | None, media_type: str | None, kind: str | None) -> Report | None:
        return None if raw is None else validate_as(raw, kind, media_type, self.how)


def _weight(report: Report | None) -> int:
    return _REPORT_WEIGHT * (1 if report is None else 1 + len(report.problems))


def validate_columns(batches: Iterable[pa.RecordBatch], columns: DocumentColumns) -> Iterator[pa.RecordBatch]:
    """Yield batches of reports, as `validate_batches` describes. Errors are raised by the first step."""
    first = before = None
    for batch in batches:
        if not isinstance(batch, pa.RecordBatch):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise _not_batches(batch)
        if before is None or not batch.schema.equals(before):
            before, schema = batch.schema, columns.check(batch.schema)
            first = first or schema
            _check_same(first, schema)
        yield from _reports(batch, columns, cast("pa.Schema", first))


def _reports(batch: pa.RecordBatch, columns: DocumentColumns, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the reports of a batch. The kept columns are slices, which copy nothing."""
    kept = [batch.column(index_of(batch.schema, name)) for name in columns.keep]
    check_dictionaries(batch, (columns.document, columns.media_type, columns.kind, *columns.keep))
    rows, start = ReportRows(), 0
    for number, report in enumerate(columns.reports(batch), 1):
        rows.add(report or NULL_REPORT, is_null=report is None)
        if rows.is_full or number == batch.num_rows:
            slices = [column.slice(start, len(rows)) for column in kept]
            start = number
            yield pa.RecordBatch.from_arrays([*slices, *rows.columns()], schema=schema)


def _check_names(column: str, **optional: str | None) -> None:
    if not isinstance(column, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"column= takes the name of a column, not {type(column).__name__}: {column!r:.100}")
    for argument, given in optional.items():
        if given is not None and not isinstance(given, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"{argument}= takes a str or None, not {type(given).__name__}: {given!r:.100}")


def _check_keep(keep: Sequence[str]) -> None:
    if isinstance(keep, str):
        raise TypeError(f"keep= takes a list of column names; pass [{keep!r:.100}]")
    if not isinstance(keep, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"keep= takes a list of column names, not {type(keep).__name__}")
    for name in keep:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"keep= takes a list of column names, not of {type(name).__name__}: {name!r:.100}")
        if name in REPORT_SCHEMA.names:
            raise ColumnError(name, "a report has a column of this name; rename the column before it is kept")
        if list(keep).count(name) > 1:
            raise ColumnError(name, "it is kept twice; name it once")


def _check_same(first: pa.Schema, schema: pa.Schema) -> None:
    for expected, field in zip(first, schema, strict=True):
        if field.type != expected.type:
            reason = f"its type is {field.type!s:.200} in a later batch, and was {expected.type!s:.200} before"
            raise ColumnError(field.name, reason)


def _not_batches(given: object) -> TypeError:
    advice = "; for a table, use validate_table" if isinstance(given, pa.Table) else "; pass a list or an iterator"
    return TypeError(f"batches must be an iterable of pyarrow.RecordBatch, not of {type(given).__name__}{advice}")
