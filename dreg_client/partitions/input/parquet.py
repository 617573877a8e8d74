"""Read the rows of a Parquet file, row group by row group, in batches of bounded size."""

# The stubs of pyarrow leave out type arguments, which mypy reads as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, TypeAlias

from dreg_client.arrow import DocumentColumns

# isort: split
# The import above names the extra if pyarrow is missing.
import pyarrow as pa

from dreg_client.arrow_columns import map_documents
from dreg_client.errors import ColumnError, FileError
from dreg_client.files.compressed import MAGIC, compression_of
from dreg_client.files.places import open_source
from dreg_client.partitions.input.failures import naming_file
from dreg_client.partitions.input.plain_columns import in_pieces, plain_field, plain_type
from dreg_client.partitions.parquet_batches import ParquetInput, arrow_errors
from dreg_client.partitions.part import Rows
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.report_columns import (
    PLACE,
    PLACE_NAMES,
    check_convertible,
    converted,
    kept_fields,
)
from dreg_client.partitions.row import Row
from dreg_client.validation.report import Report
from dreg_client.validation.stated import validate_as
from dreg_client.values.sizes import FAR, MAX_DOCUMENT
from dreg_client.values.source_url import encodable, shown_source

_Document: TypeAlias = tuple[bytes | None, str | None, str | None, bool, None, Report | None]
"""The members of a `Row` after its number."""
_REPORT: Final = 1024
"""What a report counts as, in bytes."""
_COMPRESSED: Final = "is compressed as a whole, but Parquet is read from its end; decompress it"


def document_columns(rules: PartitionRules, places: tuple[str, ...] = ()) -> DocumentColumns:
    """Return where the documents are in batches, which columns are kept after `places`, and how to validate them."""
    stated = (rules.media_type_column or None, rules.kind_column or None)
    return DocumentColumns(rules.column, *stated, (*places, *rules.keep), rules.lines)


def row_groups(partition: Partition) -> list[tuple[int, int]]:
    """Return the rows of each row group of a file, and the size of all its columns without compression.

    Raises:
        FileError: The footer of the file cannot be read.
    """
    with _opened(partition) as file, arrow_errors(partition.source):
        return file.row_groups()


def _columns(rules: PartitionRules) -> list[str]:
    named = (rules.column, rules.media_type_column, rules.kind_column, *rules.keep)
    return list(dict.fromkeys(filter(None, named)))


@contextmanager
def _opened(partition: Partition) -> Generator[ParquetInput]:
    source = partition.source
    with naming_file(source), open_source(source) as file:
        try:
            with arrow_errors(source):
                opened = ParquetInput.of(file)
        except FileError:
            file.seek(0)
            if compression_of(file.read(MAGIC)) is None:
                raise
            raise FileError(shown_source(source), _COMPRESSED) from None
        yield opened


def batches_of_parquet(partition: Partition, rules: PartitionRules) -> Iterator[pa.RecordBatch]:
    """Yield the columns that are needed, and those of `PLACE`."""
    name = encodable(shown_source(partition.source))
    with _opened(partition) as file:
        schema = file.schema
        _check_columns(schema, rules)
        rows = _rows(partition).start
        for batch in _with_kept(_batches(file, partition, rules), schema, rules, partition.source):
            lines = pa.array(range(rows + 1, rows + batch.num_rows + 1), pa.int64())
            sources = pa.array([name] * batch.num_rows, pa.string())
            rows += batch.num_rows
            placed = batch.append_column(PLACE[0], sources).append_column(PLACE[1], lines)
            yield placed.append_column(PLACE[2], pa.nulls(batch.num_rows, pa.int64()))


def checked_columns(partition: Partition, rules: PartitionRules) -> pa.Schema:
    """Return the columns of a Parquet file that are to be kept. Check all those that `rules` name.

    Raises:
        ColumnError: A column is missing, has another type, or is named like a column of the report.
        FileError: The file cannot be read.
    """
    with _opened(partition) as file:
        _check_columns(file.schema, rules)
        return pa.schema([plain_field(file.schema.field(name)) for name in rules.keep])


def _with_kept(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, rules: PartitionRules, source: str
) -> Iterator[pa.RecordBatch]:
    """Yield batches whose kept columns have their types in the run or, outside of runs, in the file."""
    fields = {name: plain_field(schema.field(name)) for name in rules.keep}
    fields |= {field.name: field for field in kept_fields(rules)}
    for batch in batches:
        names = batch.schema.names
        others = [at for at, name in enumerate(names) if name in fields and not _is_same(batch, at, fields[name])]
        pieces = in_pieces(batch, others, source)
        while (piece := _next(pieces, source)) is not None:
            for at in others:
                with arrow_errors(source):
                    plain = piece.column(at).cast(plain_type(schema.field(names[at]).type))
                    piece = piece.set_column(at, fields[names[at]], converted(plain, fields[names[at]]))
            yield piece


def _is_same(batch: pa.RecordBatch, at: int, field: "pa.Field[Any]") -> bool:
    return batch.schema.field(at).equals(field, check_metadata=True)


def _next(batches: Iterator[pa.RecordBatch], source: str) -> pa.RecordBatch | None:
    """Return the next batch, unless there is none."""
    with arrow_errors(source):
        return next(batches, None)


def _check_columns(schema: pa.Schema, rules: PartitionRules) -> None:
    """Raise ColumnError if a column is missing, has another type, or is named like a column of the report."""
    for name in _columns(rules):
        if name in PLACE_NAMES:
            raise ColumnError(name, "a report has a column of this name; rename the column in the file")
    document_columns(rules).check(schema)
    for field in kept_fields(rules):
        check_convertible(plain_type(schema.field(field.name).type), field)


def _batches(file: ParquetInput, partition: Partition, rules: PartitionRules) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a partition in batches; read only the row groups and columns that are needed."""
    row = 0
    with arrow_errors(partition.source):
        groups = file.row_groups()
    part = _rows(partition)
    stop = min(part.stop, sum(rows for rows, _ in groups))
    for number, (rows, _) in enumerate(groups):
        after = row + rows
        if row + max(rows, 1) > part.start and row < max(stop, 1):  # also one that seems to be empty
            for batch in _of_group(file, number, partition.source, rules):
                first, last = max(part.start - row, 0), min(stop - row, batch.num_rows)
                row += batch.num_rows
                if first < last:
                    yield batch.slice(first, last - first)
                if stop <= row < after:
                    return
        row = after


def _rows(partition: Partition) -> Rows:
    """Return the rows of a partition, which may be more than its file has."""
    return partition.part if isinstance(partition.part, Rows) else Rows(0, FAR)


def _of_group(file: ParquetInput, number: int, source: str, rules: PartitionRules) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a row group."""
    batches = file.batches(number, _columns(rules))
    while (batch := _next(batches, source)) is not None:
        yield batch


def rows_of_parquet(partition: Partition, rules: PartitionRules) -> Iterator[Row]:
    """Yield the rows of a partition of a Parquet file.

    Documents of more than the maximum size are validated here, once for each value, as there may be very many of them
    in a small file.
    """
    name, last = shown_source(partition.source), _rows(partition).start
    for batch in batches_of_parquet(partition, rules):
        documents = _documents(batch, rules)
        yield from (Row(name, number, *document) for number, document in enumerate(documents, last + 1))
        last += batch.num_rows


def _documents(batch: pa.RecordBatch, rules: PartitionRules) -> Iterator[_Document]:
    names = (rules.column, rules.media_type_column, rules.kind_column)
    return map_documents(batch, names, partial(_document, rules), weight=lambda it: len(it[0] or b"") + _REPORT)


def _document(rules: PartitionRules, raw: bytes | None, media_type: str | None, kind: str | None) -> _Document:
    """Return the document, or its report if it is too large."""
    if raw is None or len(raw) <= MAX_DOCUMENT:
        return raw, media_type, kind, False, None, None
    return None, media_type, kind, False, None, validate_as(raw, kind, media_type, rules.lines)
