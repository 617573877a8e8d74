"""Validate the documents in a column of Arrow record batches: in Spark, Ray, Dask, DuckDB, Polars, or alone.

The extra `arrow` of dreg-client installs pyarrow.
"""

# The stubs of pyarrow leave out type arguments, which mypy reads as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from dreg_client.errors import ColumnError, MissingLibraryError
from dreg_client.errors.problems import Problem, Severity
from dreg_client.models import rules
from dreg_client.models.kinds import KIND_NAMES, Kind
from dreg_client.models.parse import model_of
from dreg_client.models.paths import show
from dreg_client.validation.report import Report, validate
from dreg_client.values.arguments import check_flag
from dreg_client.values.digest import Digest
from dreg_client.values.sizes import MEBIBYTE

try:
    import pyarrow as pa
except ImportError:
    raise MissingLibraryError("pyarrow", "arrow") from None

if TYPE_CHECKING:
    Column: TypeAlias = pa.Array[pa.Scalar[Any]]
else:
    Column = pa.Array

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

_MOST_ROWS: Final = 8192
_MOST_TEXT: Final = 8 * MEBIBYTE
"""The number of characters of problems after which a batch is full."""
_EACH: Final = 64
"""What a problem without any text counts as."""
_BYTES: Final = "binary or string"
_TEXT: Final = "string"


def report_schema(input_schema: pa.Schema, keep: Sequence[str] = ()) -> pa.Schema:
    """Return the schema of the batches that `validate_batches` yields: the kept columns, then `REPORT_SCHEMA`.

    Args:
        input_schema: The schema of the batches with the documents.
        keep: The columns that are copied to the report.

    Raises:
        ColumnError: There is no such column, or more than one, or a report has a column of the same name.

    Examples:
        >>> import pyarrow as pa
        >>> report_schema(pa.schema({"id": pa.int64(), "manifest": pa.string()}), keep=["id"]).names
        ['id', 'digest', 'size', 'kind', 'ok', 'errors', 'warnings', 'problems']
    """
    _check_keep(keep)
    kept = [input_schema.field(_index_of(input_schema, name)) for name in keep]
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
        media_type_column: The column with the media types with which the documents were stored; nulls are unknown.
        kind: The expected kind of all documents; if None, it is determined for each document.
        kind_column: The column with their kinds. It takes precedence over `kind`, except for nulls.
        keep: The columns that are copied to the report.
        pedantic: Whether to also report notes.

    Raises:
        ColumnError: A column is missing or has another type. The call raises it if `batches` has a schema, otherwise
            the first step of the iterator.
        ValueError: `kind` is unknown.
        TypeError: `batches` are not record batches, or another argument has the wrong type.

    Examples:
        >>> import pyarrow as pa
        >>> batch = pa.record_batch({"id": [7], "manifest": ['{"schemaVersion": 2, "manifests": {}}']})
        >>> [report] = validate_batches([batch], keep=["id"])
        >>> report["id"][0].as_py(), report["ok"][0].as_py(), report["problems"][0][0]["path"].as_py()
        (7, False, '$.manifests')
    """
    if kind is not None:
        model_of(kind)
    check_flag("pedantic", pedantic)
    _check_keep(keep)
    places = _Places(column, media_type_column, kind_column, kind, tuple(keep), pedantic)
    if isinstance(schema := getattr(batches, "schema", None), pa.Schema):
        places.check(schema)
    if isinstance(batches, pa.RecordBatch | pa.Table) or not isinstance(batches, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _not_batches(batches)
    return _validated(batches, places)


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

    def add(self, report: Report) -> None:
        """Add a row with the report of a document."""
        self._digests.append(report.digest)
        self._sizes.append(report.size)
        self._kinds.append(report.kind)
        self._add(report.problems)

    def add_null(self) -> None:
        """Add a row for a null: neither digest nor size, and GEN-01."""
        self._digests.append(None)
        self._sizes.append(None)
        self._kinds.append(None)
        self._add((rules.error("GEN-01", "$", "null", "a JSON document"),))

    def _add(self, problems: tuple[Problem, ...]) -> None:
        errors = warnings = 0
        for problem in problems:
            errors += problem.severity is Severity.ERROR
            warnings += problem.severity is Severity.WARNING
            self._text += len(problem.path) + len(problem.found) + len(problem.expected) + _EACH
        self._errors.append(errors)
        self._warnings.append(warnings)
        self._problems += problems
        self._stops.append(len(self._problems))

    def __len__(self) -> int:
        return len(self._digests)

    @property
    def is_full(self) -> bool:
        """Whether there are so many rows or problems that a batch should be made of them."""
        return len(self._digests) >= _MOST_ROWS or self._text >= _MOST_TEXT

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
class _Places:
    """Where the documents are in a batch, and how to validate them."""

    document: str
    media_type: str | None
    kind: str | None
    default_kind: str | None
    keep: tuple[str, ...]
    pedantic: bool

    def check(self, schema: pa.Schema) -> pa.Schema:
        """Return the schema of the reports; raise ColumnError if a column is missing or has another type."""
        _check_type(schema, self.document, _BYTES)
        for name in (self.media_type, self.kind):
            if name is not None:
                _check_type(schema, name, _TEXT)
        return report_schema(schema, self.keep)

    def cells(self, batch: pa.RecordBatch) -> Iterator[tuple[bytes | None, str | None, str | None]]:
        """Yield the document, the media type and the kind of each row."""
        return zip(
            _octets(batch.column(_index_of(batch.schema, self.document))),
            self._texts(batch, self.media_type),
            self._texts(batch, self.kind),
            strict=False,  # a column that is not there never ends
        )

    @staticmethod
    def _texts(batch: pa.RecordBatch, name: str | None) -> Iterator[str | None]:
        if name is None:
            return repeat(None)
        cells = _octets(batch.column(_index_of(batch.schema, name)))
        return (None if cell is None else cell.decode(errors="replace") for cell in cells)

    def report(self, raw: bytes, media_type: str | None, kind: str | None) -> Report:
        """Validate a document. A kind that is unknown is a problem (GEN-12)."""
        kind = kind or self.default_kind
        if kind is not None and kind not in KIND_NAMES:
            unknown = rules.error("GEN-12", "$", f"the kind {show(kind)}", f"a known kind: {', '.join(KIND_NAMES)}")
            return Report(None, Digest.of(raw), len(raw), (unknown,))
        return validate(raw, media_type=media_type or None, kind=kind, pedantic=self.pedantic)


def _validated(batches: Iterable[pa.RecordBatch], places: _Places) -> Iterator[pa.RecordBatch]:
    first = before = None
    for batch in batches:
        if not isinstance(batch, pa.RecordBatch):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise _not_batches(batch)
        if before is None or not batch.schema.equals(before):
            before, schema = batch.schema, places.check(batch.schema)
            first = first or schema
            _check_same(first, schema)
        yield from _reports(batch, places, cast("pa.Schema", first))


def _reports(batch: pa.RecordBatch, places: _Places, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the reports of a batch. The kept columns are slices, which copy nothing."""
    kept = [batch.column(_index_of(batch.schema, name)) for name in places.keep]
    rows, start = ReportRows(), 0
    for number, (raw, media_type, kind) in enumerate(places.cells(batch), 1):
        if raw is None:
            rows.add_null()
        else:
            rows.add(places.report(raw, media_type, kind))
        if rows.is_full or number == batch.num_rows:
            slices = [column.slice(start, len(rows)) for column in kept]
            start = number
            yield pa.RecordBatch.from_arrays([*slices, *rows.columns()], schema=schema)


def _octets(column: Column) -> Iterator[bytes | None]:
    """Yield the bytes of a binary or string column. A string need not be UTF-8."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if isinstance(column, pa.DictionaryArray):
        values = column.dictionary
        return (None if at is None else _of_scalar(values[at]) for at in column.indices.to_pylist())
    return map(_of_scalar, column)


def _of_scalar(scalar: object) -> bytes | None:
    cell = cast("pa.BinaryScalar", scalar)
    buffer = cell.as_buffer() if cell.is_valid else None
    return None if buffer is None else buffer.to_pybytes()


def _index_of(schema: pa.Schema, name: str) -> int:
    match schema.get_all_field_indices(name):
        case [index]:
            return index
        case []:
            raise ColumnError(name, "there is no such column", tuple(schema.names))
        case several:
            raise ColumnError(name, f"there are {len(several)} columns of this name", tuple(schema.names))


def _check_keep(keep: Sequence[str]) -> None:
    if isinstance(keep, str):
        raise TypeError(f"keep= takes a list of column names; pass [{keep!r:.100}]")
    for name in keep:
        if name in REPORT_SCHEMA.names:
            raise ColumnError(name, "a report has a column of this name; rename the column before it is kept")
        if list(keep).count(name) > 1:
            raise ColumnError(name, "it is kept twice; name it once")


def _check_type(schema: pa.Schema, name: str, expected: str) -> None:
    found = stored = schema.field(_index_of(schema, name)).type
    if isinstance(stored, pa.BaseExtensionType):
        stored = stored.storage_type
    if isinstance(stored, pa.DictionaryType):
        stored = stored.value_type
    if not _is_text(stored) and not (expected == _BYTES and _is_binary(stored)):
        raise ColumnError(
            name, f"its type is {found!s:.200}, expected {expected}{_advice(stored)}", tuple(schema.names)
        )


def _is_text(stored: pa.DataType) -> bool:
    is_one = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(check(stored) for check in is_one)


def _is_binary(stored: pa.DataType) -> bool:
    is_one = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return any(check(stored) for check in is_one)


def _advice(stored: pa.DataType) -> str:
    if pa.types.is_struct(stored) or pa.types.is_map(stored):
        return (
            "; the document was already parsed, so its exact bytes and its digest are lost: store it as a string, "
            "or convert it with to_json (digests will differ)"
        )
    return ""


def _check_same(first: pa.Schema, schema: pa.Schema) -> None:
    for expected, field in zip(first, schema, strict=True):
        if field.type != expected.type:
            reason = f"its type is {field.type!s:.200} in a later batch, and was {expected.type!s:.200} before"
            raise ColumnError(field.name, reason)


def _not_batches(given: object) -> TypeError:
    advice = "; for a table, use validate_table" if isinstance(given, pa.Table) else "; pass a list or an iterator"
    return TypeError(f"batches must be an iterable of pyarrow.RecordBatch, not of {type(given).__name__}{advice}")
