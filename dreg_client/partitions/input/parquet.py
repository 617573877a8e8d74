"""Read the rows of a Parquet file, row group by row group, in batches of bounded size."""

# The stubs of pyarrow leave out type arguments, which mypy reads as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any, BinaryIO, Final, cast

from dreg_client.arrow import validate_batches

# isort: split
# The import above names the extra if pyarrow is missing.
import pyarrow as pa
from pyarrow import parquet

from dreg_client.errors import ColumnError, FileError
from dreg_client.files.places import open_source
from dreg_client.partitions.input.failures import typed_errors
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.row import Row
from dreg_client.values.sizes import MEBIBYTE
from dreg_client.values.source_url import encodable, shown_source, without_secrets

_PLACE: Final = ("source", "line", "offset")
_BUFFER: Final = MEBIBYTE
_BATCH: Final = 4 * MEBIBYTE
"""The size that a batch should have."""
_MOST_ROWS: Final = 1024
_MOST_REPEATED: Final = 64
"""The maximum number of rows if values may be repeated, so that a few large values cannot make a huge batch."""
_SMALL: Final = 256
"""The average stored size of values below which most of them are repeated; they then stay in a dictionary."""
_FAULTS: Final = (pa.ArrowException, OSError, ValueError, OverflowError, RuntimeError)


def row_groups(partition: Partition, rules: PartitionRules) -> list[tuple[int, int]]:
    """Return the rows of each row group of a file, and the uncompressed size of the columns to read.

    Raises:
        FileError: The footer of the file cannot be read.
    """
    with _opened(partition, rules) as file:
        columns = set(_columns(rules))
        groups = map(file.metadata.row_group, range(file.num_row_groups))
        return [(group.num_rows, sum(_chunk_sizes(group, columns))) for group in groups]


def _chunk_sizes(group: Any, columns: set[str]) -> Iterator[int]:  # noqa: ANN401 (pyarrow's stubs do not name it)
    for number in range(group.num_columns):
        chunk = group.column(number)
        if chunk.path_in_schema.partition(".")[0] in columns:
            yield chunk.total_uncompressed_size


def _columns(rules: PartitionRules) -> list[str]:
    named = (rules.column, rules.media_type_column, rules.kind_column, *rules.keep)
    return list(dict.fromkeys(filter(None, named)))


@contextmanager
def _opened(partition: Partition, rules: PartitionRules) -> Generator[parquet.ParquetFile]:
    source = partition.source
    with typed_errors(source), open_source(source) as file:
        with _arrow_errors(source):
            opened = _parquet_file(file)
            if _has_repeated(opened.metadata, rules.column):
                opened = _parquet_file(file, metadata=opened.metadata, read_dictionary=[rules.column])
        yield opened


def _parquet_file(file: BinaryIO, **options: Any) -> parquet.ParquetFile:  # noqa: ANN401 (those of pyarrow)
    # Without `pre_buffer`, a row group is not held in memory as a whole.
    return parquet.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER, page_checksum_verification=True, **options)


@contextmanager
def _arrow_errors(source: str) -> Generator[None]:
    """Raise `FileError` for all errors of pyarrow that a damaged or hostile file causes."""
    try:
        yield
    except _FAULTS as failure:
        reason = without_secrets(str(failure), source)
        raise FileError(shown_source(source), f"cannot be read as Parquet: {reason}") from None


def _chunks(metadata: Any, column: str) -> Iterator[Any]:  # noqa: ANN401 (as above)
    """Yield the description of a column in each row group."""
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        yield from (it for at in range(group.num_columns) if (it := group.column(at)).path_in_schema == column)


def _has_repeated(metadata: Any, column: str) -> bool:  # noqa: ANN401 (as above)
    """Return whether the values of a column are mostly repeated, so that they need much more memory than stored."""
    return any(
        chunk.has_dictionary_page and chunk.total_uncompressed_size < _SMALL * chunk.num_values
        for chunk in _chunks(metadata, column)
    )


def batches_of_parquet(partition: Partition, rules: PartitionRules) -> Iterator[pa.RecordBatch]:
    """Yield the columns that are needed, and `source`, `line` and `offset`: the file, the row in it, and null."""
    name = encodable(shown_source(partition.source))
    with _opened(partition, rules) as file:
        _check_columns(file.schema_arrow, rules)
        rows = partition.start
        for batch in _batches(file, partition, rules):
            lines = pa.array(range(rows + 1, rows + batch.num_rows + 1), pa.int64())
            sources = pa.array([name] * batch.num_rows, pa.string())
            rows += batch.num_rows
            placed = batch.append_column("source", sources).append_column("line", lines)
            yield placed.append_column("offset", pa.nulls(batch.num_rows, pa.int64()))


def check_columns(partition: Partition, rules: PartitionRules) -> None:
    """Check that a Parquet file has the columns that `rules` name.

    Raises:
        ColumnError: A column is missing, has another type, or is named like a column of the report.
        FileError: The file cannot be read.
    """
    with _opened(partition, rules) as file:
        _check_columns(file.schema_arrow, rules)


def _check_columns(schema: pa.Schema, rules: PartitionRules) -> None:
    """Raise ColumnError if a column is missing, has another type, or is named like a column of the report."""
    for name in _columns(rules):
        if name in _PLACE:
            raise ColumnError(name, "a report has a column of this name; rename the column in the file")
    validate_batches(
        pa.RecordBatchReader.from_batches(schema, []),
        rules.column,
        media_type_column=rules.media_type_column or None,
        kind_column=rules.kind_column or None,
        keep=rules.keep,
    )


def _batches(file: parquet.ParquetFile, partition: Partition, rules: PartitionRules) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a partition in batches; read only the row groups and columns that are needed."""
    row, stop = 0, file.metadata.num_rows if partition.stop is None else partition.stop
    for number in range(file.num_row_groups):
        after = row + file.metadata.row_group(number).num_rows
        if after > partition.start and row < stop:
            for batch in _of_group(file, number, partition.source, rules):
                first, last = max(partition.start - row, 0), min(stop - row, batch.num_rows)
                row += batch.num_rows
                if first < last:
                    yield batch.slice(first, last - first)
                if row >= stop:
                    return
        row = after


def _of_group(file: parquet.ParquetFile, number: int, source: str, rules: PartitionRules) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a row group."""
    with _arrow_errors(source):
        batches = file.iter_batches(
            batch_size=_most_rows(file.metadata.row_group(number), rules.column),
            row_groups=[number],
            columns=_columns(rules),
            use_threads=False,
        )
    while True:
        with _arrow_errors(source):
            batch = next(batches, None)
        if batch is None:
            break
        yield batch


def _most_rows(group: Any, column: str) -> int:  # noqa: ANN401 (as above)
    """Return the number of rows in a batch, by the average size of the documents in a row group."""
    chunks = [it for at in range(group.num_columns) if (it := group.column(at)).path_in_schema == column]
    average = max((it.total_uncompressed_size // max(it.num_values, 1) for it in chunks), default=0)
    may_repeat = any(it.has_dictionary_page and average >= _SMALL for it in chunks)
    return max(1, min(_BATCH // max(average, 1), _MOST_REPEATED if may_repeat else _MOST_ROWS))


def rows_of_parquet(partition: Partition, rules: PartitionRules) -> Iterator[Row]:
    """Yield the rows of a partition of a Parquet file."""
    name = shown_source(partition.source)
    for batch in batches_of_parquet(partition, rules):
        numbers = batch.column("line").to_pylist()
        raws = _cells(batch, rules.column)
        media_types, kinds = _texts(batch, rules.media_type_column), _texts(batch, rules.kind_column)
        for number, raw, media_type, kind in zip(numbers, raws, media_types, kinds, strict=False):
            yield Row(name, cast("int", number), raw, media_type, kind)


def _texts(batch: pa.RecordBatch, column: str) -> Iterator[str | None]:
    if not column:
        return repeat(None)
    return (None if cell is None else cell.decode(errors="replace") for cell in _cells(batch, column))


def _cells(batch: pa.RecordBatch, name: str) -> Iterator[bytes | None]:
    """Yield the bytes of a binary or string column."""
    column: Any = batch.column(name)
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if isinstance(column, pa.DictionaryArray):  # not decoded as a whole: its values may be large
        values = column.dictionary.cast(pa.large_binary())
        return (None if at is None else values[at].as_py() for at in column.indices.to_pylist())
    return (cell.as_py() for cell in column.cast(pa.large_binary()))
