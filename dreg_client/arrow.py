"""Validate the documents in a column of Arrow record batches, in Spark, Ray, Dask, DuckDB, Polars or alone."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from dreg_client.models.kinds import Kind
from dreg_client.validation.report import Report

try:
    import pyarrow as pa
except ImportError:
    from dreg_client.errors import MissingLibraryError

    raise MissingLibraryError("pyarrow", "arrow") from None

PROBLEM: Final = pa.struct(
    [pa.field(name, pa.string(), nullable=False) for name in ("rule", "severity", "path", "found", "expected")]
)
REPORT_SCHEMA: Final = pa.schema(
    [
        pa.field("digest", pa.string()),
        pa.field("size", pa.int64()),
        pa.field("kind", pa.string()),
        pa.field("ok", pa.bool_(), nullable=False),
        pa.field("errors", pa.int32(), nullable=False),
        pa.field("warnings", pa.int32(), nullable=False),
        pa.field("problems", pa.list_(PROBLEM), nullable=False),
    ]
)
"""The columns of a report; see `validate_batches`."""


def report_schema(input_schema: pa.Schema, keep: Sequence[str] = ()) -> pa.Schema:
    """Return the schema of the batches that `validate_batches` yields: the kept columns, then `REPORT_SCHEMA`."""
    raise NotImplementedError


class ReportRows:
    """Collects reports as the columns of `REPORT_SCHEMA`."""

    def add(self, report: Report) -> None:
        """Add a row with the report of a document."""
        raise NotImplementedError

    def add_null(self) -> None:
        """Add a row for a null: neither digest nor size, and GEN-01."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    @property
    def is_full(self) -> bool:
        """Whether there are so many rows or problems that a batch should be made of them."""
        raise NotImplementedError

    def columns(self) -> list[pa.Array]:
        """Return the columns in the order of `REPORT_SCHEMA`, and start with no rows again."""
        raise NotImplementedError


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
    """Validate the documents in a column of record batches; yield batches of reports, one row for each row."""
    raise NotImplementedError


def validate_table(table: pa.Table, column: str = "manifest", **options: object) -> pa.Table:
    """Validate the documents in a column of a table (see `validate_batches`); return a table of reports."""
    raise NotImplementedError
