"""Read the rows of JSON Lines: a whole file, which may be compressed, or the lines that start in a part of it."""

from collections.abc import Iterator
from typing import BinaryIO

from dreg_client.files.forward import buffered, plain_stream
from dreg_client.files.places import open_source
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.row import Row
from dreg_client.validation.dumps import bounded_lines, lines_between, whole_document
from dreg_client.values.source_url import shown_source


def rows_of_lines(partition: Partition) -> Iterator[Row]:
    """Yield the rows of a partition of JSON Lines.

    The lines of a part that is not the first of its file are counted from its start, which `source` then names:
    counting them from the beginning would mean reading all that is before.
    """
    name = shown_source(partition.source)
    with open_source(partition.source) as file:
        if not partition.start and partition.stop is None:
            yield from rows_of_stream(file, name, partition.compression)
            return
        source = f"{name} (from byte {partition.start})" if partition.start else name
        stop = partition.size + partition.start if partition.stop is None else partition.stop
        yield from _rows(lines_between(file, partition.start, stop), source)


def rows_of_stream(file: BinaryIO, name: str, compression: str = "") -> Iterator[Row]:
    """Yield the rows of an open file, which may be a pipe. An indented document is one row, as in `validate_file`."""
    document, lines = whole_document(bounded_lines(buffered(plain_stream(file, compression))))
    yield from _rows(lines if document is None else iter([document]), name)


def _rows(lines: Iterator[bytes], source: str) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if stripped := line.strip():
            yield Row(source, number, stripped, is_line=True)
