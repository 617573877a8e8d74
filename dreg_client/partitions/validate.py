"""Validate one partition, and write its report file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa

from dreg_client.arrow import validate_batches
from dreg_client.errors import DregError, MissingLibraryError
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.read import batches_in, reports_in
from dreg_client.partitions.report_file import (
    PLACE,
    PlacedRows,
    ReportWriter,
    finished_summary,
    metadata_of,
    read_metadata,
)
from dreg_client.partitions.report_folder import ReportFolder, folder_at
from dreg_client.partitions.row import RowReport
from dreg_client.partitions.run_folder import Run, check_token
from dreg_client.partitions.summary import Summary
from dreg_client.partitions.summary_batches import add_batch

T = TypeVar("T")
_PLAIN = PartitionRules()


@dataclass(frozen=True, slots=True)
class PartitionReport:
    """The result for a partition. The reports of its documents are in its report file.

    Attributes:
        partition: The partition.
        summary: The sums of its reports.
        failure: Why the partition could be read only in part, or not at all; None if it was read completely.
        was_done: Whether an earlier run has written the report file, and nothing was changed since.
    """

    partition: Partition
    summary: Summary
    failure: str | None = None
    was_done: bool = False


def validate_partition(
    partition: Partition, folder: str, rules: PartitionRules = _PLAIN, *, token: str = ""
) -> PartitionReport:
    """Validate the documents of a partition; write their reports to a Parquet file.

    The file is `FOLDER/REPORT_NAME`, see `Partition.report_name`. It gets its name when it is complete, so a process
    that is killed leaves no part of it. If it is there already, for the same version of the partition, the same rules
    and the same version of dreg-client, nothing is read. The columns are `source`, `line` (null if the file is the
    document), those of `rules.keep`, and those of `dreg_client.arrow.REPORT_SCHEMA`.

    If the partition breaks off, such as a compressed file that was cut, the documents before that are reported, and the
    result and the file name the reason.

    Args:
        partition: The partition, one of `find_partitions`.
        folder: The path or URL of an existing folder.
        rules: How to find and validate the documents.
        token: The token of a run (`_dreg-run.json` in the folder). If given, it is checked before and after the work.

    Returns:
        The sums of the reports, and why the partition was not read completely, if so.

    Raises:
        FileError: The report file cannot be written.
        ClusterError: The folder is not that of the run with this token.
        MissingLibraryError: A library for this kind of partition is not installed.
    """
    place = folder_at(folder)
    if token:
        check_token(place, token)
    if (summary := _finished(place, partition, rules)) is not None:
        return PartitionReport(partition, summary, was_done=True)
    reading = _Reading()
    return _written(place, partition, rules, _batches(partition, rules, reading), reading, token)


def write_reports(run: Run, partition: Partition, reports: Iterator[RowReport]) -> PartitionReport:
    """Write the report file of documents that were validated already, such as those of an image layout."""
    reading = _Reading()
    return _written(run.folder, partition, run.rules, _of_rows(reading.until_failure(reports)), reading, run.token)


def _written(
    folder: ReportFolder,
    partition: Partition,
    rules: PartitionRules,
    batches: Iterator[pa.RecordBatch],
    reading: "_Reading",
    token: str,
) -> PartitionReport:
    summary = Summary()
    with folder.new_file(partition.report_name) as stream:
        writer = ReportWriter(stream)
        for batch in batches:
            add_batch(summary, batch)
            writer.write(batch)
        writer.finish(metadata_of(partition, rules, summary, reading.failure))
        if token:
            check_token(folder, token)
    return PartitionReport(partition, summary, reading.failure)


def _finished(folder: ReportFolder, partition: Partition, rules: PartitionRules) -> Summary | None:
    """Return the sums of the report file of a partition if it need not be written again."""
    if (stream := folder.open(partition.report_name)) is None:
        return None
    with stream:
        stated = read_metadata(stream)
    return finished_summary(stated, partition, rules) if stated else None


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
            self.failure = str(failure)
        except OSError as failure:
            self.failure = f"{failure.filename or 'the file'}: {failure.strerror or failure}"


def _batches(partition: Partition, rules: PartitionRules, reading: _Reading) -> Iterator[pa.RecordBatch]:
    """Yield the reports of the documents before the end, or before the first failure."""
    if partition.format == "parquet":
        yield from reading.until_failure(_of_columns(partition, rules, reading))
    else:
        yield from _of_rows(reading.until_failure(reports_in(partition, rules)))


def _of_columns(partition: Partition, rules: PartitionRules, reading: _Reading) -> Iterator[pa.RecordBatch]:
    return validate_batches(
        reading.until_failure(batches_in(partition, rules)),
        rules.column,
        media_type_column=rules.media_type_column or None,
        kind=rules.lines.kind,  # type: ignore[arg-type]
        kind_column=rules.kind_column or None,
        keep=(*(field.name for field in PLACE), *rules.keep),
        pedantic=rules.lines.pedantic,
    )


def _of_rows(reports: Iterator[RowReport]) -> Iterator[pa.RecordBatch]:
    rows = PlacedRows()
    for found in reports:
        rows.add(found)
        if rows.is_full:
            yield rows.batch()
    if len(rows):
        yield rows.batch()
