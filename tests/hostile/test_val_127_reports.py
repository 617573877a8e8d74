"""A report that ends the process of `dreg report` that reads it: VAL-127."""

import sys
from collections.abc import Iterator

import pytest

from dreg_client.cli.report_sums import ReportFiles, outcomes
from dreg_client.errors import DregError
from dreg_client.partitions.report.sums import FileSums
from dreg_client.partitions.run.reading import ReadingProcess


def _end_at_bad(files: ReportFiles) -> Iterator[tuple[FileSums | DregError, ...]]:
    if "bad" in files.names:
        sys.exit(3)
    yield tuple(DregError(name) for name in files.names)


@pytest.mark.parametrize("at_once", [1, 16])
def test_val_127_a_report_that_ends_the_process_that_reads_it_loses_no_other(at_once: int) -> None:
    reading = ReadingProcess(_end_at_bad)
    try:
        found = [str(each) for each in outcomes(reading, ("a", "bad", "b"), at_once)]
    finally:
        reading.close()

    assert found[::2] == ["a", "b"]
    assert "bad: ended the process that read it: the file is damaged, or memory ran out" in found[1]
