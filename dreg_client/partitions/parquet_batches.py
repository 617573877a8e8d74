"""Read Parquet files in record batches of bounded size. Any error of pyarrow becomes a `FileError`.

The descriptions of columns (`RowGroupMetaData.column`) are not used: pyarrow ends the process if one is damaged.
"""

# The stubs of pyarrow leave out type arguments, which mypy reads as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

from dreg_client.arrow_columns import (
    check_dictionaries,
    dictionaries,
    index_of,
    is_list_view,
    members_of,
)

# isort: split
# The import above names the extra if pyarrow is missing.
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from dreg_client.errors import DregError, FileError
from dreg_client.values.sizes import MAX_DOCUMENT, MEBIBYTE
from dreg_client.values.source_url import shown_source, without_secrets

_pa: Final[Any] = pa  # the stubs lack some functions
_BUFFER: Final = MEBIBYTE
_BATCH: Final = 4 * MEBIBYTE
"""The size from which a batch is not made larger."""
_STEP: Final = 32
"""The number of rows that are read at a time: few enough that even the largest values fit into the memory."""
_MOST_ROWS: Final = 1024
_MOST_INDICES: Final = 16_384
"""The maximum number of rows if all columns are dictionaries, which are copied for each batch."""
_LONGEST: Final = MAX_DOCUMENT
"""Values with more bytes than this stay in a dictionary instead of being copied for each row."""
_LONGEST_NESTED: Final = 4096
"""As above, in lists, since one row may have many of them."""
_WRITE_AGAIN: Final = "the file is damaged: write it again"


@contextmanager
def arrow_errors(source: str, what: str = "cannot be read as Parquet") -> Generator[None]:
    """Raise `FileError` for all errors of pyarrow that a damaged or hostile file causes; there are many kinds.

    Those of the operating system and of this package are raised as they are.
    """
    try:
        yield
    except (DregError, GeneratorExit):
        raise
    except Exception as failure:
        if isinstance(failure, OSError) and failure.errno is not None and not isinstance(failure, pa.ArrowException):
            raise
        reason = without_secrets(_first_line(failure), source)
        raise FileError(shown_source(source), f"{what}: {reason}") from None


def _first_line(failure: Exception) -> str:
    return (str(failure).splitlines() or [type(failure).__name__])[0].rstrip(".")


@dataclass(frozen=True, slots=True)
class ParquetInput:
    """An open Parquet file; call its methods within `arrow_errors`.

    Attributes:
        file: The file.
        reader: What pyarrow has read of its end.
    """

    file: BinaryIO
    reader: parquet.ParquetFile

    @classmethod
    def of(cls, file: BinaryIO) -> "ParquetInput":
        """Read the end of a file."""
        return cls(file, _opened(file))

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self.reader.schema_arrow

    def row_groups(self) -> list[tuple[int, int]]:
        """Return the number of rows of each row group, and the size of all its columns without compression."""
        groups = map(self.reader.metadata.row_group, range(self.reader.num_row_groups))
        found = [(group.num_rows, max(group.total_byte_size, 0)) for group in groups]
        if any(rows < 0 for rows, _ in found):
            raise ValueError("a row group has a negative number of rows")
        return found

    def batches(self, number: int, columns: Sequence[str], most_rows: int = _MOST_ROWS) -> Iterator[pa.RecordBatch]:
        """Yield the batches of a row group, with the columns in the order of the file.

        Columns with very long values that may be repeated are dictionary arrays. Their indices are checked.

        Raises:
            ValueError: A column has long values in list views; or, after the last batch, the footer states another
                number of rows.
        """
        fields = self._leaves(columns)
        repeated = [at for name, leaves in fields.items() if self._is_long(number, name, leaves) for at in leaves]
        leaves, done = [at for each in fields.values() for at in each], 0
        if repeated:
            is_plain = any(at not in repeated for at in self._of_bytes(leaves))
            batches = self._batches(number, leaves, repeated, most_rows if is_plain else _MOST_INDICES)
        else:
            batches = _joined(self._batches(number, leaves, (), _STEP), most_rows)
        for batch in batches:
            yield batch
            done += batch.num_rows
        self._check_rows(number, done)

    def _check_rows(self, number: int, rows: int) -> None:
        """Raise ValueError if the footer does not state the rows of a row group that was read, or of the file."""
        metadata = self.reader.metadata
        stated, count = metadata.row_group(number).num_rows, metadata.num_row_groups
        if rows != stated:
            known = f"the footer of the file states {stated:,}; {_WRITE_AGAIN}"
            raise ValueError(f"row group {number + 1} of {count:,} has {rows:,} rows, but {known}")
        if number + 1 == count and (total := sum(rows for rows, _ in self.row_groups())) != metadata.num_rows:
            known = f"the footer of the file states {metadata.num_rows:,}; {_WRITE_AGAIN}"
            raise ValueError(f"its row groups have {total:,} rows, but {known}")

    def _leaves(self, columns: Sequence[str]) -> dict[str, range]:
        """Return the numbers of the columns of Parquet that hold columns of Arrow, in the order of the file.

        Their names are ambiguous if a name has a dot.
        """
        counts = [_number_of_leaves(field.type) for field in self.schema]
        if sum(counts) != (number := len(cast("Any", self.reader.schema))):
            raise ValueError(f"its schema has {number:,} columns, expected {sum(counts):,}")
        wanted = sorted({index_of(self.schema, name) for name in columns})
        return {self.schema.names[at]: range(sum(counts[:at]), sum(counts[: at + 1])) for at in wanted}

    def _of_bytes(self, leaves: Iterable[int]) -> list[int]:
        """Return the columns of bytes and texts; others have values of a few bytes."""
        described = cast("Any", self.reader.schema)
        return [at for at in leaves if described.column(at).physical_type == "BYTE_ARRAY"]

    def _is_long(self, number: int, name: str, leaves: range) -> bool:
        """Return whether a column is to be read as dictionaries.

        A dictionary comes before the values that refer to it, so the first rows show its values. If they have none,
        they show nothing, so a dictionary is used.
        """
        if not self._of_bytes(leaves):
            return False
        try:
            batch = next(self._batches(number, leaves, leaves, _STEP), None)
        except (NotImplementedError, OSError):  # an encoding that never has a dictionary, or damage that reading shows
            return False
        is_long = batch is not None and any(map(_has_long_values, batch.columns))
        if is_long and _has_list_views(self.schema.field(name).type):
            raise ValueError(
                f"the column {name!r:.200} has values of more than {_LONGEST_NESTED:,} bytes in list views, which "
                "pyarrow cannot convert; validate the file without --keep, or write the column with lists"
            )
        return is_long

    def _batches(self, number: int, leaves: Sequence[int], repeated: Sequence[int], rows: int) -> Iterator[Any]:
        """Yield the batches of a row group, some columns of which are read as dictionaries."""
        found = self._of_bytes(repeated)
        reader = _opened(self.file, metadata=self.reader.metadata, read_dictionary=found) if found else self.reader
        by_number = cast("Any", reader).reader  # the columns of which are numbers
        for batch in by_number.iter_batches(rows, [number], column_indices=[*leaves], use_threads=False):
            check_dictionaries(batch, batch.schema.names)
            yield batch


def _opened(file: BinaryIO, **options: Any) -> parquet.ParquetFile:  # noqa: ANN401 (those of pyarrow)
    # Without `pre_buffer`, a row group is not held in memory as a whole.
    return parquet.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER, page_checksum_verification=True, **options)


def _number_of_leaves(kind: pa.DataType) -> int:
    """Return the number of columns of Parquet that hold a column of Arrow."""
    return sum(map(_number_of_leaves, members_of(kind))) if members_of(kind) else 1


def _has_list_views(kind: pa.DataType) -> bool:
    return is_list_view(kind) or any(map(_has_list_views, members_of(kind)))


def _joined(batches: Iterator[pa.RecordBatch], most_rows: int) -> Iterator[pa.RecordBatch]:
    """Join batches of a few rows, until they have a useful size."""
    waiting: list[pa.RecordBatch] = []
    rows = octets = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        octets += batch.nbytes
        if rows >= most_rows or octets >= _BATCH:
            yield _pa.concat_batches(waiting)
            waiting, rows, octets = [], 0, 0
    if waiting:
        yield _pa.concat_batches(waiting)


def _has_long_values(column: Any) -> bool:  # noqa: ANN401 (pyarrow's arrays are generic)
    """Return whether a dictionary of a column has long values, or is not known."""
    longest = _LONGEST_NESTED if pa.types.is_nested(column.type) else _LONGEST
    return any(
        not len(found.dictionary) or (pc.max(pc.binary_length(found.dictionary)).as_py() or 0) > longest
        for found in dictionaries(column)
    )
