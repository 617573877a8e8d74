"""The report file of a partition: Parquet with a row for each document, and what it is the report of as metadata."""

import json
from dataclasses import asdict, replace
from typing import Any, BinaryIO, Final, cast

from dreg_client import __version__
from dreg_client.arrow import REPORT_SCHEMA, ReportRows

# isort: split
# The import above names the extra if pyarrow is missing.
import pyarrow as pa
import pyarrow.parquet as pq

from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.report_columns import PLACE
from dreg_client.partitions.row import RowReport
from dreg_client.partitions.summary import Position, Summary
from dreg_client.values.sizes import MEBIBYTE
from dreg_client.values.source_url import encodable, shown_source

_pa: Final[Any] = pa  # some functions of pyarrow have no complete types
_pq: Final[Any] = pq
METADATA: Final = "dreg.partition"
"""The member of a Parquet file's metadata that states what the report is of, and its sums."""
_LONGEST: Final = 16 * MEBIBYTE
"""The maximum number of bytes of this member."""
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
        if found.is_null:
            self._rows.add_null()
        else:
            self._rows.add(found.report)

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
        self._rows = self._bytes = 0

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
        self._waiting, self._rows, self._bytes = [], 0, 0

    def finish(self, metadata: str) -> None:
        """Write the end of the file, with the metadata of `metadata_of`."""
        self._write_waiting(self._waiting[0].schema if self._waiting else self._schema)
        if self._writer is not None:
            self._writer.add_key_value_metadata({METADATA: metadata})
            self._writer.close()


def metadata_of(partition: Partition, rules: PartitionRules, summary: Summary, failure: str | None) -> str:
    """Return what a report file states about itself, as JSON."""
    return json.dumps({**_identity(partition, rules), "summary": summary.plain(), "failure": failure})


def _identity(partition: Partition, rules: PartitionRules) -> dict[str, Any]:
    """Return what two reports must have in common to be of the same documents, by the same rules.

    The name tells partitions apart whose sources are shown in the same way, such as versions of an object.
    """
    shown = replace(partition, source=shown_source(partition.source))  # without credentials
    stated = {"dreg": __version__, "rules": plain_rules(rules), "partition": asdict(shown)}
    return {**stated, "name": partition.report_name}


def plain_rules(rules: PartitionRules) -> dict[str, Any]:
    """Return rules as JSON values."""
    return asdict(rules)


def read_metadata(stream: BinaryIO) -> dict[str, Any] | None:
    """Return what a report file states about itself; None if it is not a report of a partition, or is damaged."""
    try:
        return stated_in(_pq.read_metadata(stream))
    except (pa.ArrowException, OSError, ValueError):
        return None


def stated_in(metadata: Any) -> dict[str, Any] | None:  # noqa: ANN401 (the stubs of pyarrow lack its texts)
    """Return what the metadata of a Parquet file states as `metadata_of` writes it; None if it does not."""
    members = cast("dict[bytes, bytes]", metadata.metadata or {})
    raw = members.get(METADATA.encode())
    if raw is None or len(raw) > _LONGEST:
        return None
    try:
        stated = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", stated) if isinstance(stated, dict) else None


def stated_summary(stated: dict[str, Any]) -> Summary | None:
    """Return the sums that a report file states; None if they are not valid."""
    try:
        return Summary.of_plain(stated["summary"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def stated_place(stated: dict[str, Any]) -> tuple[str, Position] | None:
    """Return the name and the place of the partition that a report file states; None if they are not valid."""
    try:
        plain: dict[str, Any] = stated["partition"]
        plain["names"] = tuple(plain["names"])
        partition = Partition(**plain)
        source, start = partition.position
        return partition.name, (source, int(start))
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def finished_summary(stated: dict[str, Any], partition: Partition, rules: PartitionRules) -> Summary | None:
    """Return the sums of a report if it is the complete report of a partition by these rules, otherwise None.

    Without a version of the partition, nothing shows that the file is still the same.
    """
    wanted = json.loads(json.dumps(_identity(partition, rules)))
    if not partition.version or stated.get("failure") is not None or {**stated, **wanted} != stated:
        return None
    return stated_summary(stated)


def stated_name(stated: dict[str, Any]) -> str | None:
    """Return the name that the file of a report must have, by the partition that it states."""
    try:
        name = stated["name"]
    except (TypeError, KeyError):
        return None
    return name if isinstance(name, str) else None
