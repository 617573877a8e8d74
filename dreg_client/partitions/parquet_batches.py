"""Read Parquet files in record batches of bounded size. Any error of pyarrow becomes a `FileError`.

The descriptions of columns (`RowGroupMetaData.column`) are not used: pyarrow ends the process if one is damaged.
"""

# The stubs of pyarrow leave out type arguments, which mypy reads as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Generator, Iterator, Sequence
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
_WRITE_AGAIN: Final = "the file is damaged: write it again"


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

        Raises:
            ValueError: After the last batch: the footer states another number of rows.
        """
        leaves = [*self._leaves(columns)]
        self.file.begin()
        for leaf in leaves:
            leaf.is_dictionary = self._is_repeated(number, leaf)
        step, done = self._first_step(leaves, most_rows), 0
        while step:
            batches = _after(self._in_steps(number, leaves, step, most_rows), done)
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
        self._check_rows(number, done)

    def _check_rows(self, number: int, rows: int) -> None:
        """Raise ValueError if the footer does not state the rows of a row group that was read, or of the file."""
        metadata = self.opened.metadata
        stated, count = metadata.row_group(number).num_rows, metadata.num_row_groups
        found = rows if rows != stated else self.file.most_values()
        if rows != stated or found > stated:
            name = f"row group {number + 1} of {count:,}"
            raise ValueError(f"{name} has {found:,} rows, but the footer of the file states {stated:,}; {_WRITE_AGAIN}")
        if number + 1 == count and (total := sum(rows for rows, _ in self.row_groups())) != metadata.num_rows:
            known = f"{metadata.num_rows:,}; {_WRITE_AGAIN}"
            raise ValueError(f"its row groups have {total:,} rows, but the footer of the file states {known}")

    def _leaves(self, columns: Sequence[str]) -> Iterator[Leaf]:
        """Yield the columns of Parquet that are in columns of Arrow.

        They are found by their numbers, since their names are ambiguous if a name has a dot.
        """
        schema, described = self.schema, cast("Any", self.opened.schema)
        numbers = {index_of(schema, name) for name in columns}
        counts = [_number_of_leaves(field.type) for field in schema]
        if sum(counts) != len(described):
            raise ValueError(f"its schema has {len(described):,} columns, expected {sum(counts):,}")
        for number in sorted(numbers):
            first = sum(counts[:number])
            for at in range(first, first + counts[number]):
                yield _leaf(at, described.column(at), has_views=_has_list_views(schema.field(number).type))

    def _first_step(self, leaves: Sequence[Leaf], most_rows: int) -> int:
        """Return how many rows are read at a time, unless pages show that these are too many."""
        if not any(leaf.is_dictionary for leaf in leaves):
            return SMALL_STEP
        return _MOST_INDICES if all(leaf.is_dictionary or not leaf.is_bytes for leaf in leaves) else most_rows

    def _in_steps(self, number: int, leaves: Sequence[Leaf], step: int, most_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the batches of a row group, which reads `step` rows at a time."""
        repeated = [leaf for leaf in leaves if leaf.is_dictionary]
        self.file.read_rows(step)
        batches = _checked(_batches_of(self._opened_again(repeated), number, leaves, step))
        yield from batches if repeated else _joined(batches, most_rows)

    def _is_repeated(self, number: int, leaf: Leaf) -> bool:
        """Return whether a column is to be read as a dictionary, since it repeats large values, or any in lists.

        A dictionary comes before the values that refer to it, so the first rows show its values. Most columns are
        decided by the headers of their first pages.
        """
        opened = self._opened_again([leaf] if leaf.is_bytes else [])
        self.file.look_at(leaf)
        try:
            batch = next(_batches_of(opened, number, [leaf], SMALL_STEP), None)
        except (DecidedError, NotImplementedError, OSError):
            # The last ones: an encoding that never has a dictionary, or damage that reading shows.
            return False
        leaf.width = _longest(batch.column(0)) if batch is not None else 0
        return not leaf.has_views and leaf.width > (_LONGEST_NESTED if leaf.is_nested else MAX_DOCUMENT)

    def _opened_again(self, repeated: Sequence[Leaf]) -> parquet.ParquetFile:
        """Return the file, some columns of which are read as dictionaries."""
        if not repeated:
            return self.opened
        return _opened(self.file, metadata=self.opened.metadata, read_dictionary=[leaf.number for leaf in repeated])


def _opened(file: PagesFile, **options: Any) -> parquet.ParquetFile:  # noqa: ANN401 (those of pyarrow)
    # Without `pre_buffer`, a row group is not held in memory as a whole.
    return parquet.ParquetFile(
        cast("BinaryIO", file), pre_buffer=False, buffer_size=_BUFFER, page_checksum_verification=True, **options
    )


def _batches_of(
    opened: parquet.ParquetFile, number: int, leaves: Sequence[Leaf], rows: int
) -> Iterator[pa.RecordBatch]:
    """Return the batches of a row group, which have a number of rows."""
    reader = cast("Any", opened).reader  # whose columns are numbers
    indices = [leaf.number for leaf in leaves]
    return cast(
        "Iterator[pa.RecordBatch]", reader.iter_batches(rows, [number], column_indices=indices, use_threads=False)
    )


def _checked(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield batches whose dictionaries have all values that are referred to."""
    for batch in batches:
        check_dictionaries(batch, batch.schema.names)
        yield batch


def _leaf(number: int, described: Any, *, has_views: bool) -> Leaf:  # noqa: ANN401 (pyarrow's stubs do not name it)
    width = described.length if described.physical_type == "FIXED_LEN_BYTE_ARRAY" else 0
    if width > MOST_WIDTH:
        raise ValueError(f"the column {described.path!r:.200} has values of {width:,} bytes, more than {MOST_WIDTH:,}")
    is_bytes = described.physical_type == "BYTE_ARRAY"
    is_nested = described.max_repetition_level > 0
    return Leaf(number, described.path, is_nested=is_nested, is_bytes=is_bytes, has_views=has_views, width=width)


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


def _number_of_leaves(kind: pa.DataType) -> int:
    """Return the number of columns of Parquet that hold a column of Arrow."""
    return sum(map(_number_of_leaves, members_of(kind))) if members_of(kind) else 1


def _has_list_views(kind: pa.DataType) -> bool:
    return is_list_view(kind) or any(map(_has_list_views, members_of(kind)))


def _longest(column: Any) -> int:  # noqa: ANN401 (pyarrow's arrays are generic)
    """Return the number of bytes of the longest value of dictionaries; that of the largest page if it is not known."""
    lengths = (
        pc.max(pc.binary_length(found.dictionary)).as_py() if len(found.dictionary) else MOST_OF_PAGE
        for found in dictionaries(column)
    )
    return max((length or 0 for length in lengths), default=0)
