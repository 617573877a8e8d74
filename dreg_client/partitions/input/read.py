"""Read the documents of a partition, and validate them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final

from dreg_client.errors import UnsupportedError
from dreg_client.files.unchanged import unchanged
from dreg_client.partitions.input.documents import rows_of_documents
from dreg_client.partitions.input.failures import naming_file
from dreg_client.partitions.input.lines import rows_of_lines
from dreg_client.partitions.input.tars import rows_of_tar
from dreg_client.partitions.part import WholeFile
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.row import Row, RowReport
from dreg_client.validation.dumps import validate_line
from dreg_client.validation.report import Report
from dreg_client.validation.stated import NULL_REPORT, validate_as

if TYPE_CHECKING:
    import pyarrow as pa

_RULES: Final = PartitionRules()


def rows_in(
    partition: Partition, rules: PartitionRules = _RULES, *, on_read: Callable[[int], None] = lambda _: None
) -> Iterator[Row]:
    """Yield the documents of a partition, in constant memory. If it breaks off, those before are yielded first.

    `on_read` is called with the number of bytes each time that some are read from a compressed file.

    Raises:
        FileError: The partition cannot be read, or breaks off; or the file has changed while it was read, or since it
            was divided.
        NotFoundError: The file is gone.
        ColumnError: A Parquet file has no such column, or the column has another type.
        UnsupportedError: A tar archive is an image layout.
        MissingLibraryError: A library that the format or the URL requires is not installed.
    """
    with naming_file(partition.source), _unchanged(partition):
        match partition.format:
            case "json":
                yield from rows_of_documents(partition)
            case "json-lines":
                yield from rows_of_lines(partition, on_read)
            case "tar":
                yield from rows_of_tar(partition, on_read)
            case "parquet":
                from dreg_client.partitions.input.parquet import rows_of_parquet  # noqa: PLC0415 (imports pyarrow)

                yield from rows_of_parquet(partition, rules)
            case "registry-storage":
                raise UnsupportedError(f"the storage {partition.name} has no rows; read it with reports_in")


def _unchanged(partition: Partition) -> AbstractContextManager[None]:
    """Return a block that checks that the file does not change. Files of JSON are checked one by one."""
    if partition.format in {"json", "registry-storage"}:
        return nullcontext()
    is_whole = isinstance(partition.part, WholeFile)
    return unchanged(partition.source, "" if is_whole else partition.version)


def batches_in(partition: Partition, rules: PartitionRules = _RULES) -> "Iterator[pa.RecordBatch]":
    """Yield the record batches of a partition of a Parquet file, with the columns that `rules` name.

    The columns of `report_columns.PLACE` are added. The file is read in this process; pyarrow ends it on some damaged
    files.

    Raises:
        FileError: The file cannot be read, or is damaged, or has changed. The batches before are yielded first.
        NotFoundError: The file is gone.
        ColumnError: A column is missing, or has another type.
        MissingLibraryError: pyarrow, or a library that the URL requires, is not installed.
    """
    from dreg_client.partitions.input.parquet import batches_of_parquet  # noqa: PLC0415 (imports pyarrow)

    with naming_file(partition.source), _unchanged(partition):
        yield from batches_of_parquet(partition, rules)


def reports_in(partition: Partition, rules: PartitionRules = _RULES) -> Iterator[RowReport]:
    """Yield the report of each document of a partition. The errors are those of `rows_in`.

    Of the storage of a registry, files with problems also have reports, such as links and blobs.
    """
    if partition.format == "registry-storage":
        from dreg_client.partitions.storage.partitions import reports_in_storage  # noqa: PLC0415 (few partitions are storages)

        yield from reports_in_storage(partition, rules)
        return
    for row in rows_in(partition, rules):
        yield RowReport.of(row, report_of(row, rules))


def report_of(row: Row, rules: PartitionRules = _RULES) -> Report:
    """Validate a document of a partition. A null, or a kind that is unknown, is a problem of the document."""
    if row.report is not None:
        return row.report
    if row.raw is None:
        return NULL_REPORT
    if row.is_line:
        return validate_line(row.raw, rules.lines)
    return validate_as(row.raw, row.kind, row.media_type, rules.lines)
