"""Validate one partition, and write its report file."""

from dataclasses import dataclass
from typing import Final

from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.summary import Summary
from dreg_client.values.arguments import check_instance

_PLAIN: Final = PartitionRules()


@dataclass(frozen=True, slots=True)
class PartitionResult:
    """The result for a partition. The reports of its documents are in its report file.

    Attributes:
        partition: The partition.
        summary: The sums of its reports.
        failure: Why the partition could be read only in part, or not at all; None if it was read completely.
        was_done: Whether an earlier run has written the report file, and nothing was changed since.
        run_token: The token of the run that has written it, as in its metadata; empty if it was written without one.
    """

    partition: Partition
    summary: Summary
    failure: str | None = None
    was_done: bool = False
    run_token: str = ""


def validate_partition(
    partition: Partition, folder: str, rules: PartitionRules = _PLAIN, *, token: str = ""
) -> PartitionResult:
    """Validate the documents of a partition; write their reports to a Parquet file.

    The file is `FOLDER/REPORT_NAME`, see `Partition.report_name`. It gets its name when it is complete, so a process
    that is killed leaves no part of it. If it is there already, for the same version of the partition, the same rules
    and the same version of dreg-client, nothing is read.

    The columns are those of `rules.keep` (without `rules.kept_schema`, only for Parquet files), those of
    `dreg_client.arrow.REPORT_SCHEMA`, and before them:

    - `source` (string): the file that contains the document
    - `line` (int64): the number of the line or row, from 1; null if the file is the document, and for lines in
      the parts of a divided file after the first
    - `offset` (int64): the byte of the file where the line starts, from 0; null unless it is a line of an uncompressed
      file

    If the partition breaks off, such as a compressed file that was cut, the documents before that are reported, and the
    result and the file name the reason. A missing file or column raises no exception either; see `failure`.

    A Parquet file is read in this process, and pyarrow ends the process on some damaged files. Call this function in a
    process of its own for files that are not trusted, as `dreg validate` does.

    Args:
        partition: The partition, one of `find_partitions`.
        folder: The path or URL of an existing folder.
        rules: How to find and validate the documents.
        token: The token of a run (`_dreg-run.json` in the folder). If given, it is checked before and after the work.

    Returns:
        The sums, and the reason if the partition could not be read completely.

    Raises:
        FileError: The report file cannot be written, or there is no such folder.
        ClusterError: The folder is not that of the run with this token.
        MissingLibraryError: A library for this kind of partition is not installed.
    """
    check_instance("partition", partition, Partition)
    check_instance("folder", folder, str)
    check_instance("rules", rules, PartitionRules)
    check_instance("token", token, str)
    # The public names of dreg-client can be imported without pyarrow.
    from dreg_client.partitions.report.writing import write_partition  # noqa: PLC0415

    return write_partition(partition, folder, rules, token)
