"""Read the sums of report files: of `dreg validate`, and of other engines that write the same columns."""

# The stubs of pyarrow leave out type arguments, which mypy reads as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from typing import BinaryIO, Final

from dreg_client.arrow import REPORT_SCHEMA
from dreg_client.partitions.parquet_batches import ParquetInput, arrow_errors
from dreg_client.partitions.report.stated import stated_in
from dreg_client.partitions.report.sums import FileSums, NotAReportError
from dreg_client.partitions.summary import Summary
from dreg_client.partitions.summary_batches import add_batch, columns_to_read

_ROWS: Final = 16_384
_NOT_COMPLETE: Final = "is not a complete Parquet file of reports"


def read_parquet(file: BinaryIO, name: str) -> FileSums:
    """Return the sums of a Parquet file of reports: those that it states, otherwise those of its rows.

    Raises:
        NotAReportError: It does not have the columns of reports.
        FileError: It is damaged, or cannot be read.
    """
    with arrow_errors(name, _NOT_COMPLETE):
        parquet = ParquetInput.of(file)
        stated = stated_in(parquet.reader.metadata)
    if stated is None or stated.place is None:
        return FileSums(_sums_of_rows(parquet, name), position=(name, 0))
    partition, position = stated.place
    failed = ((partition, stated.failure),) if stated.failure else ()
    summary = stated.summary or _sums_of_rows(parquet, name)
    return FileSums(summary, failed, position=position, run_token=stated.run_token)


def _sums_of_rows(parquet: ParquetInput, name: str) -> Summary:
    with arrow_errors(name, _NOT_COMPLETE):
        schema = parquet.schema
        missing = [field for field in REPORT_SCHEMA.names if schema.get_field_index(field) < 0]
    if missing:
        raise NotAReportError(f"is not a report: it has no column {missing[0]}; expected the columns of REPORT_SCHEMA")
    summary = Summary()
    with arrow_errors(name, _NOT_COMPLETE):
        columns = columns_to_read(schema)
        for number in range(len(parquet.row_groups())):
            for batch in parquet.batches(number, columns, _ROWS):
                add_batch(summary, batch, name)
    return summary
