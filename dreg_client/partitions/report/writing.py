"""Write the report files of partitions. This module and those that it imports need pyarrow."""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from dreg_client.arrow import validate_columns

# isort: split
# The import above names the extra if pyarrow is missing.
import pyarrow as pa

from dreg_client.errors import DregError, MissingLibraryError
from dreg_client.partitions.input.parquet import document_columns
from dreg_client.partitions.input.read import batches_in, reports_in
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.report.file import PlacedRows, ReportWriter, read_stated
from dreg_client.partitions.report.folder import ReportFolder, folder_at
from dreg_client.partitions.report.stated import ReportContent
from dreg_client.partitions.report_columns import PLACE_NAMES, report_columns
from dreg_client.partitions.row import RowReport
from dreg_client.partitions.run.failures import unexpected
from dreg_client.partitions.run.run import Run, check_token
from dreg_client.partitions.run.validate import PartitionResult
from dreg_client.partitions.summary import Summary
from dreg_client.partitions.summary_batches import add_batch
from dreg_client.values.source_url import without_passwords

T = TypeVar("T")


def write_partition(partition: Partition, location: str, rules: PartitionRules, token: str) -> PartitionResult:
    """Validate a partition and write its report file, as `validate_partition` describes."""
    folder = folder_at(location)
    if token:
        check_token(folder, token)
    if (found := _finished(folder, partition, rules, token)) is not None:
        return found
    reading = _Reading()
    writing = _Writing(folder, partition, rules, token)
    return writing.written(_batches(partition, rules, reading), reading)


def write_reports(run: Run, partition: Partition, reports: Iterator[RowReport]) -> PartitionResult:
    """Write the report file of documents that were validated already, such as those of an image layout."""
    reading = _Reading()
    writing = _Writing(run.folder, partition, run.rules, run.token)
    result = writing.written(_of_rows(reading.until_failure(reports), run.rules), reading)
    run.add(result)
    return result


class _Writing(NamedTuple):
    """The report file of a partition that is being written."""

    folder: ReportFolder
    partition: Partition
    rules: PartitionRules
    token: str

    def written(self, batches: Iterator[pa.RecordBatch], reading: "_Reading") -> PartitionResult:
        """Write the batches; return their sums, and what ended them. If they cannot be written, write no rows."""
        try:
            return self._written(batches, reading)
        except (DregError, OSError):
            raise
        except Exception as failure:  # noqa: BLE001 (such as MemoryError: other partitions are not affected)
            reading.failure = unexpected(failure)
            return self._written(iter(()), reading)

    def _written(self, batches: Iterator[pa.RecordBatch], reading: "_Reading") -> PartitionResult:
        summary = Summary()
        with self.folder.new_file(self.partition.report_name) as stream:
            writer = ReportWriter(stream, report_columns(self.rules))
            for batch in batches:
                add_batch(summary, batch)
                writer.write(batch)
            writer.finish(ReportContent(self.partition, self.rules, self.token, summary, reading.failure))
            if self.token:
                check_token(self.folder, self.token)
        return PartitionResult(self.partition, summary, reading.failure, run_token=self.token)


def _finished(folder: ReportFolder, partition: Partition, rules: PartitionRules, token: str) -> PartitionResult | None:
    """Return the result for a partition if its report file need not be written again.

    A worker of the same run may have written it, and was killed before the driver had its result.
    """
    if (stream := folder.open(partition.report_name)) is None:
        return None
    with stream:
        stated = read_stated(stream)
    if stated is None or (summary := stated.finished(partition, rules)) is None:
        return None
    was_done = not token or stated.run_token != token
    return PartitionResult(partition, summary, was_done=was_done, run_token=stated.run_token)


class _Reading:
    """The input of a partition, until it ends or breaks off."""

    def __init__(self) -> None:
        self.failure: str | None = None

    def until_failure(self, items: Iterator[T]) -> Iterator[T]:
        """Yield the items; note the error that ends them."""
        try:
            yield from items
        except MissingLibraryError:
            raise
        except DregError as failure:
            self.failure = without_passwords(str(failure))
        except OSError as failure:
            self.failure = f"{failure.filename or 'the file'}: {failure.strerror or failure}"
        except Exception as failure:  # noqa: BLE001 (a bug that one document shows must not end the run)
            self.failure = unexpected(failure)


def _batches(partition: Partition, rules: PartitionRules, reading: _Reading) -> Iterator[pa.RecordBatch]:
    """Yield the reports of the documents before the end, or before the first failure."""
    if partition.format == "parquet":
        yield from reading.until_failure(_of_columns(partition, rules, reading))
    else:
        yield from _of_rows(reading.until_failure(reports_in(partition, rules)), rules)


def _of_columns(partition: Partition, rules: PartitionRules, reading: _Reading) -> Iterator[pa.RecordBatch]:
    columns = document_columns(rules, PLACE_NAMES)
    # The batches before an error of reading are validated; `_batches` notes the errors of validate_columns itself.
    return validate_columns(reading.until_failure(batches_in(partition, rules)), columns)


def _of_rows(reports: Iterator[RowReport], rules: PartitionRules) -> Iterator[pa.RecordBatch]:
    rows = PlacedRows(report_columns(rules))
    for found in reports:
        rows.add(found)
        if rows.is_full:
            yield rows.batch()
    if len(rows):
        yield rows.batch()
