"""Read Parquet files in record batches of bounded size. Any error of pyarrow becomes a `FileError`.

The descriptions of columns (`RowGroupMetaData.column`) are not used: pyarrow ends the process if one is damaged.
"""

# The stubs of pyarrow leave out type arguments, which mypy reads as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

from dreg_client.arrow_columns import check_dictionaries, dictionaries

# isort: split
# The import above names the extra if pyarrow is missing.
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from dreg_client.errors import DregError, FileError
from dreg_client.partitions.parquet_pages import (
    MOST_OF_PAGE,
    MOST_WIDTH,
    SMALL_STEP,
    DecidedError,
    Leaf,
    PagesFile,
    PlainValuesError,
    SmallerStepsError,
)
from dreg_client.partitions.report.sums import NotAReportError
from dreg_client.values.sizes import MAX_DOCUMENT, MEBIBYTE
from dreg_client.values.source_url import shown_source, without_secrets

_pa: Final[Any] = pa  # the stubs lack some functions
_BUFFER: Final = MEBIBYTE
_BATCH: Final = 4 * MEBIBYTE
"""The size from which a batch is not made larger."""
_MOST_ROWS: Final = 1024
_MOST_INDICES: Final = 16_384
"""The maximum number of rows if all columns are dictionaries, which are copied for each batch."""
_LONGEST_NESTED: Final = 64
"""The same in lists, since one row may have many of them."""
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

    file: PagesFile
    opened: parquet.ParquetFile

    @classmethod
    def of(cls, file: BinaryIO) -> "ParquetInput":
        """Read the end of a file."""
        pages = PagesFile(file)
        return cls(pages, _opened(pages))

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
        leaves = [*_leaves(self.opened.schema, columns)]
        self.file.begin()
        for leaf in leaves:
            leaf.is_dictionary = self._is_repeated(number, leaf)
        step, done = self._first_step(leaves, most_rows), 0
        while step:
            batches = _after(self._in_steps(number, columns, leaves, step, most_rows), done)
            step = 0
            try:
                for batch in batches:
                    yield batch
                    done += batch.num_rows
            except SmallerStepsError as failure:
                step = failure.rows
            except PlainValuesError as failure:
                failure.leaf.is_dictionary = False
                step = self._first_step(leaves, most_rows)

    def _first_step(self, leaves: Sequence[Leaf], most_rows: int) -> int:
        """Return how many rows are read at a time, unless pages show that these are too many."""
        if not any(leaf.is_dictionary for leaf in leaves):
            return SMALL_STEP
        return _MOST_INDICES if all(leaf.is_dictionary or not leaf.is_bytes for leaf in leaves) else most_rows

    def _in_steps(
        self, number: int, columns: Sequence[str], leaves: Sequence[Leaf], step: int, most_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Yield the batches of a row group, which reads `step` rows at a time."""
        repeated = [leaf.path for leaf in leaves if leaf.is_dictionary]
        opened = self._opened_again(repeated) if repeated else self.opened
        self.file.read_rows(step)
        options: dict[str, Any] = {"row_groups": [number], "columns": [*columns], "use_threads": False}
        batches = opened.iter_batches(batch_size=step, **options)
        if not repeated:
            yield from _joined(batches, most_rows)
        else:
            for batch in batches:
                check_dictionaries(batch, batch.schema.names)
                yield batch

    def _is_repeated(self, number: int, leaf: Leaf) -> bool:
        """Return whether a column is to be read as a dictionary, since it repeats large values, or any in lists.

        A dictionary comes before the values that refer to it, so the first rows show its values. Most columns are
        decided by the headers of their first pages.
        """
        opened = self._opened_again([leaf.path]) if leaf.is_bytes else self.opened
        self.file.look_at(leaf)
        options: dict[str, Any] = {"row_groups": [number], "columns": [leaf.path], "use_threads": False}
        try:
            batch = next(opened.iter_batches(batch_size=SMALL_STEP, **options), None)
        except (DecidedError, NotImplementedError, OSError):
            # The last ones: an encoding that never has a dictionary, or damage that reading shows.
            return False
        leaf.width = _longest(batch.column(0)) if batch is not None else 0
        return leaf.width > (_LONGEST_NESTED if leaf.is_nested else MAX_DOCUMENT)

    def _opened_again(self, repeated: Sequence[str]) -> parquet.ParquetFile:
        return _opened(self.file, metadata=self.opened.metadata, read_dictionary=[*repeated])


def _opened(file: PagesFile, **options: Any) -> parquet.ParquetFile:  # noqa: ANN401 (those of pyarrow)
    # Without `pre_buffer`, a row group is not held in memory as a whole.
    return parquet.ParquetFile(
        cast("BinaryIO", file), pre_buffer=False, buffer_size=_BUFFER, page_checksum_verification=True, **options
    )


def _leaves(schema: Any, columns: Sequence[str]) -> Iterator[Leaf]:  # noqa: ANN401 (pyarrow's stubs do not name it)
    """Yield the columns of Parquet that are in columns of Arrow."""
    for at in range(len(schema)):
        found = schema.column(at)
        if any(found.path == name or found.path.startswith(f"{name}.") for name in columns):
            width = found.length if found.physical_type == "FIXED_LEN_BYTE_ARRAY" else 0
            if width > MOST_WIDTH:
                raise ValueError(
                    f"the column {found.path!r:.200} has values of {width:,} bytes, more than {MOST_WIDTH:,}"
                )
            is_bytes = found.physical_type == "BYTE_ARRAY"
            yield Leaf(found.path, is_nested=found.max_repetition_level > 0, is_bytes=is_bytes, width=width)


def _after(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of batches after a number of rows."""
    for batch in batches:
        if rows < batch.num_rows:
            yield batch.slice(rows)
        rows = max(rows - batch.num_rows, 0)


def _joined(batches: Iterator[pa.RecordBatch], most_rows: int) -> Iterator[pa.RecordBatch]:
    """Join batches of a few rows, until they have a useful size."""
    waiting: list[pa.RecordBatch] = []
    rows = octets = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        octets += batch.nbytes
        if rows >= most_rows or octets >= _BATCH:
            yield _concatenated(waiting)
            waiting, rows, octets = [], 0, 0
    if waiting:
        yield _concatenated(waiting)


def _concatenated(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Return one batch; a single one is not copied, since it may be large."""
    return batches[0] if len(batches) == 1 else cast("pa.RecordBatch", _pa.concat_batches(batches))


def _longest(column: Any) -> int:  # noqa: ANN401 (pyarrow's arrays are generic)
    """Return the number of bytes of the longest value of dictionaries; that of the largest page if it is not known."""
    lengths = (
        pc.max(pc.binary_length(found.dictionary)).as_py() if len(found.dictionary) else MOST_OF_PAGE
        for found in dictionaries(column)
    )
    return max((length or 0 for length in lengths), default=0)


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
