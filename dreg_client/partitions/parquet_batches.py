"""Read Parquet files in record batches of bounded size. Any error of pyarrow becomes a `FileError`.

The descriptions of columns (`RowGroupMetaData.column`) are not used: pyarrow ends the process if one is damaged.
"""

# The stubs of pyarrow leave out type arguments, which mypy reads as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from dreg_client.arrow_columns import check_dictionaries, dictionaries

# isort: split
# The import above names the extra if pyarrow is missing.
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from dreg_client.errors import DregError, FileError
from dreg_client.partitions.report.sums import NotAReportError
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
"""The number of bytes of a value from which it is kept once, in a dictionary, although it is repeated."""
_LONGEST_NESTED: Final = 4096
"""As above, in lists, since one row may have many of them."""
_MOST_KEPT: Final = 16 * MAX_DOCUMENT
"""The maximum size in bytes of the repeated values of a batch that are copied."""


@contextmanager
def arrow_errors(source: str, what: str = "cannot be read as Parquet") -> Generator[None]:
    """Raise `FileError` for all errors of pyarrow that a damaged or hostile file causes; there are many kinds.

    Those of the operating system and of this package are raised as they are.
    """
    try:
        yield
    except (DregError, NotAReportError, GeneratorExit):
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
        opened: What pyarrow has read of its end.
    """

    file: BinaryIO
    opened: parquet.ParquetFile

    @classmethod
    def of(cls, file: BinaryIO) -> "ParquetInput":
        """Read the end of a file."""
        return cls(file, _opened(file))

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self.opened.schema_arrow

    def row_groups(self) -> list[tuple[int, int]]:
        """Return the number of rows of each row group, and the size of all its columns without compression."""
        groups = map(self.opened.metadata.row_group, range(self.opened.num_row_groups))
        found = [(group.num_rows, max(group.total_byte_size, 0)) for group in groups]
        if any(rows < 0 for rows, _ in found):
            raise ValueError("a row group has a negative number of rows")
        return found

    def batches(self, number: int, columns: Sequence[str], most_rows: int = _MOST_ROWS) -> Iterator[pa.RecordBatch]:
        """Yield the batches of a row group, with the columns in the order of the file.

        Columns with very long values that may be repeated are dictionary arrays. Their indices are checked.
        """
        leaves = self._repeated(number, columns)
        opened = _opened(self.file, metadata=self.opened.metadata, read_dictionary=leaves) if leaves else self.opened
        options: dict[str, Any] = {"row_groups": [number], "columns": [*columns], "use_threads": False}
        if leaves:
            is_plain = any(
                leaf not in leaves for leaf in _leaves(self.opened.schema) if leaf.partition(".")[0] in columns
            )
            rows = most_rows if is_plain else _MOST_INDICES
            for batch in opened.iter_batches(batch_size=rows, **options):
                check_dictionaries(batch, batch.schema.names)
                yield batch
        else:
            yield from _joined(opened.iter_batches(batch_size=_STEP, **options), most_rows)

    def _repeated(self, number: int, columns: Sequence[str]) -> list[str]:
        """Return the leaves of columns that are to be read as dictionaries.

        A dictionary comes before the values that refer to it, so the first rows show its values. If they have none,
        they show nothing, so a dictionary is used.
        """
        long = {name for name in columns if self._is_long(number, name)}
        return [leaf for leaf in _leaves(self.opened.schema) if leaf.partition(".")[0] in long]

    def _is_long(self, number: int, column: str) -> bool:
        leaves = [leaf for leaf in _leaves(self.opened.schema) if leaf.partition(".")[0] == column]
        if not leaves:
            return False
        peeking = _opened(self.file, metadata=self.opened.metadata, read_dictionary=leaves)
        batches = peeking.iter_batches(batch_size=_STEP, row_groups=[number], columns=[column], use_threads=False)
        try:
            batch = next(batches, None)
        except (NotImplementedError, OSError):  # an encoding that never has a dictionary, or damage that reading shows
            return False
        return batch is not None and any(map(_is_long, batch.columns))


def _opened(file: BinaryIO, **options: Any) -> parquet.ParquetFile:  # noqa: ANN401 (those of pyarrow)
    # Without `pre_buffer`, a row group is not held in memory as a whole.
    return parquet.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER, page_checksum_verification=True, **options)


def _leaves(schema: Any) -> Iterator[str]:  # noqa: ANN401 (pyarrow's stubs do not name it)
    """Yield the paths of the columns of bytes and texts; others have values of a few bytes."""
    for at in range(len(schema)):
        leaf = schema.column(at)
        if leaf.physical_type == "BYTE_ARRAY":
            yield leaf.path


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


def _is_long(column: Any) -> bool:  # noqa: ANN401 (pyarrow's arrays are generic)
    """Return whether a dictionary of a column has long values, or is not known."""
    longest = _LONGEST_NESTED if pa.types.is_nested(column.type) else _LONGEST
    return any(
        not len(found.dictionary) or (pc.max(pc.binary_length(found.dictionary)).as_py() or 0) > longest
        for found in dictionaries(column)
    )


def plain_column(column: Any, field: "pa.Field[Any]", source: str) -> Any:  # noqa: ANN401 (as above)
    """Return a column with the type of a field, without dictionaries that were not in the file.

    Raises:
        FileError: It has values that are too large to be repeated.
    """
    if column.type == field.type:
        return column
    for found in dictionaries(column):
        lengths = pc.binary_length(found.dictionary)
        if (pc.sum(lengths.take(found.indices)).as_py() or 0) > _MOST_KEPT:
            raise FileError(
                shown_source(source),
                f"the column {field.name!r:.200} has a value of {pc.max(lengths).as_py():,} bytes, which is too large "
                "to be kept; validate the file without --keep",
            )
    return column.cast(field.type)
