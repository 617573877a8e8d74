"""Write the report file of a partition: Parquet with a row for each document, and what it is of as metadata."""

from typing import Any, BinaryIO, Final, cast

from dreg_client.arrow import REPORT_SCHEMA, ReportRows

# isort: split
# The import above names the extra if pyarrow is missing.
import pyarrow as pa
import pyarrow.parquet as pq

from dreg_client.partitions.report.stated import METADATA, ReportContent, StatedReport, stated_in
from dreg_client.partitions.report_columns import PLACE
from dreg_client.partitions.row import RowReport
from dreg_client.values.sizes import MEBIBYTE
from dreg_client.values.source_url import encodable

_pa: Final[Any] = pa  # some functions of pyarrow have no complete types
_pq: Final[Any] = pq
_MOST_ROWS: Final = 16_384
_MOST_BYTES: Final = 32 * MEBIBYTE


class PlacedRows:
    """Collects reports of documents that have no columns to keep, with their places, as record batches.

    Args:
        schema: The columns: those of `report_columns`. The kept ones are null.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._kept_types: list[Any] = cast("list[Any]", schema.types)[len(PLACE) : -len(REPORT_SCHEMA)]
        self._sources: list[str] = []
        self._numbers: list[int | None] = []
        self._offsets: list[int | None] = []
        self._rows = ReportRows()

    def add(self, found: RowReport) -> None:
        """Add the report of a document."""
        self._sources.append(encodable(found.source))
        self._numbers.append(found.line or None)
        self._offsets.append(found.offset)
        self._rows.add(found.report, is_null=found.is_null)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def is_full(self) -> bool:
        """Whether a batch should be made of the rows."""
        return self._rows.is_full

    def batch(self) -> pa.RecordBatch:
        """Return the rows, and start with no rows again."""
        numbers = (_pa.array(each, pa.int64()) for each in (self._numbers, self._offsets))
        place = [_pa.array(self._sources, pa.string()), *numbers]
        kept = [_pa.nulls(len(self), kind) for kind in self._kept_types]
        self._sources, self._numbers, self._offsets = [], [], []
        columns = [*place, *kept, *self._rows.columns()]
        return cast("pa.RecordBatch", _pa.record_batch(columns, schema=self._schema))


class ReportWriter:
    """Writes record batches to a report file, in row groups of a useful size.

    Args:
        stream: The file, open for writing. It stays open.
        schema: The columns of the file if it has no rows, see `report_columns`.
    """

    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        self._stream, self._schema = stream, schema
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._rows = self._bytes = self._written = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Write a batch. All batches must have the schema of the first one."""
        self._waiting.append(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= _MOST_ROWS or self._bytes >= _MOST_BYTES:
            self._write_waiting(batch.schema)

    def _write_waiting(self, schema: pa.Schema) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._stream, schema, compression="zstd")
        if self._rows:
            self._writer.write_table(pa.Table.from_batches(self._waiting, schema), row_group_size=self._rows)
        self._written += self._rows
        self._waiting, self._rows, self._bytes = [], 0, 0

    def finish(self, content: ReportContent) -> None:
        """Write the end of the file, which states what is in it."""
        self._write_waiting(self._waiting[0].schema if self._waiting else self._schema)
        if self._writer is not None:
            self._writer.add_key_value_metadata({METADATA: content.metadata(self._written)})
            self._writer.close()


def read_stated(stream: BinaryIO) -> StatedReport | None:
    """Return what a report file states; None if it is not the report of a partition, or is damaged."""
    try:
        return stated_in(_pq.read_metadata(stream))
    except (pa.ArrowException, OSError, ValueError):
        return None
