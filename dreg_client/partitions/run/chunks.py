"""Validate the rows of partitions in chunks, in several processes, with the reports in order."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from dreg_client.errors import DregError
from dreg_client.partitions.input.read import report_of, rows_in
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.row import Row, RowReport
from dreg_client.validation.dumps import MOST_REPORTS
from dreg_client.validation.pieces import results_in_order
from dreg_client.values.sizes import MEBIBYTE

_SIZE: Final = MEBIBYTE
_ROWS: Final = 1000


@dataclass(frozen=True, slots=True)
class PartitionEnd:
    """The end of a partition.

    Attributes:
        partition: The partition.
        failure: The error that ended it; None if it was read completely.
    """

    partition: Partition
    failure: DregError | None = None


@dataclass(frozen=True, slots=True)
class RowChunk:
    """Rows that are validated together.

    Attributes:
        rows: The rows.
        end: The end of their partition; None if it goes on.
        read: The number of bytes of the partition that were read, as stored, as far as it is known.
    """

    rows: tuple[Row, ...]
    end: PartitionEnd | None = None
    read: int = 0


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """The results for the rows of a chunk, up to the maximum number of reports.

    Attributes:
        rows: The number of rows.
        reports: The reports of documents with problems.
        size: The total size of all documents in bytes.
        kinds: The number of all documents of each kind; `""` for those of unknown kind.
    """

    rows: int
    reports: tuple[RowReport, ...]
    size: int
    kinds: dict[str, int]


def chunk_reports(
    partitions: Iterable[Partition], rules: PartitionRules, *, jobs: int, name: str
) -> Iterator[tuple[RowChunk, ChunkResult]]:
    """Validate the rows of partitions; yield the results in order. A partition that breaks off ends no other.

    Each result comes with its chunk, which ends a partition only if the result has all of its rows.

    Args:
        partitions: The partitions. They are read in this process, except for Parquet.
        rules: How to find and validate the documents.
        jobs: The number of processes that validate them.
        name: The name of all partitions, for messages.

    Raises:
        WorkerKilledError: A worker process was killed.
    """
    work = partial(validate_chunk, rules)
    for chunk, result in results_in_order(work, _chunks(partitions, rules), _rest, jobs=jobs, name=name):
        is_whole = result.rows == len(chunk.rows)
        yield chunk if is_whole else replace(chunk, end=None), result


def _chunks(partitions: Iterable[Partition], rules: PartitionRules) -> Iterator[RowChunk]:
    """Yield the rows of partitions in chunks.

    Parquet is read in a process of its own, because damaged files can end a process that reads them with pyarrow.
    """
    with ExitStack() as stack:
        read_elsewhere = None
        for partition in partitions:
            if partition.format != "parquet":
                yield from chunks_of(rules, partition)
                continue
            read_elsewhere = read_elsewhere or stack.enter_context(_reading_process(rules))
            yield from read_elsewhere(partition)


@contextmanager
def _reading_process(rules: PartitionRules) -> Generator[Callable[[Partition], Iterator[RowChunk]]]:
    # Imported here because it imports multiprocessing, which other formats do not need.
    from dreg_client.partitions.run.reading import ProcessKilledError, ReadingProcess, killed  # noqa: PLC0415

    with closing(ReadingProcess(partial(chunks_of, rules))) as reading:

        def read(partition: Partition) -> Iterator[RowChunk]:
            try:
                yield from reading.results(partition)
            except ProcessKilledError:
                yield RowChunk((), PartitionEnd(partition, killed(partition.source)))

        yield read


def chunks_of(rules: PartitionRules, partition: Partition) -> Iterator[RowChunk]:
    """Yield the rows of a partition in chunks. The last one names the partition, and why it ended."""
    rows: list[Row] = []
    octets = 0
    failure = None
    packed = _Count()
    try:
        for row in rows_in(partition, rules, on_read=packed.add):
            rows.append(row)
            octets += len(row.raw or b"")
            if octets >= _SIZE or len(rows) == _ROWS:
                yield RowChunk(tuple(rows), read=row.offset or packed.octets)
                rows, octets = [], 0
    except DregError as error:
        failure = error
    yield RowChunk(tuple(rows), PartitionEnd(partition, failure))


@dataclass(slots=True)
class _Count:
    """The number of compressed bytes that were read of a partition."""

    octets: int = 0

    def add(self, octets: int) -> None:
        """Add bytes that were read."""
        self.octets += octets


def validate_chunk(rules: PartitionRules, chunk: RowChunk) -> ChunkResult:
    """Validate the rows of a chunk, up to the maximum number of reports."""
    reports: list[RowReport] = []
    size, kinds = 0, Counter[str]()
    for row in chunk.rows:
        report = report_of(row, rules)
        size += report.size
        kinds[report.kind or ""] += 1
        if report.problems:
            reports.append(RowReport.of(row, report))
        if len(reports) == MOST_REPORTS:
            break
    return ChunkResult(kinds.total(), tuple(reports), size, dict(kinds))


def _rest(chunk: RowChunk, result: ChunkResult) -> RowChunk | None:
    """Return the rows of a chunk that are not validated yet."""
    return replace(chunk, rows=chunk.rows[result.rows :]) if result.rows < len(chunk.rows) else None
