"""Read the rows of JSON Lines: a whole file, which may be compressed, or the lines that start in a part of it."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from dreg_client.files.forward import buffered, plain_stream
from dreg_client.files.lines import (
    PARQUET_MAGIC,
    bounded_lines,
    check_has_lines,
    placed_lines,
    text_of_line,
    whole_document,
)
from dreg_client.files.places import open_source
from dreg_client.files.unchanged import unchanged_file
from dreg_client.partitions.part import Bytes
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.row import Row
from dreg_client.values.sizes import FAR
from dreg_client.values.source_url import shown_source


def rows_of_lines(partition: Partition, on_read: Callable[[int], None]) -> Iterator[Row]:
    """Yield the rows of a partition of JSON Lines.

    The lines of a part that is not the first of its file have no numbers, but offsets: counting them would mean
    reading all that is before.
    """
    name = shown_source(partition.source)
    with open_source(partition.source) as file:
        if isinstance(partition.part, Bytes):
            yield from _rows_between(file, name, partition.part)
            return
        stream = plain_stream(file, partition.compression, on_read)
        if stream is not file:
            yield from _rows_of_plain(buffered(stream), name)
            return
        check_has_lines(file.read(len(PARQUET_MAGIC)), name)
        file.seek(0)
        document = whole_document(bounded_lines(file))[0]
        if document is not None:
            yield Row(name, 1, text_of_line(document), is_line=True, offset=0)
            return
        file.seek(0)
        yield from _rows_between(file, name, Bytes(0, FAR))


def _rows_between(file: BinaryIO, name: str, part: Bytes) -> Iterator[Row]:
    for number, (offset, line) in enumerate(placed_lines(file, part.start, part.stop), 1):
        if text := text_of_line(line):
            yield Row(name, 0 if part.start else number, text, is_line=True, offset=offset)


def rows_of_stream(file: BinaryIO, name: str, compression: str = "") -> Iterator[Row]:
    """Yield the rows of an open file, which may be a pipe. An indented document is one row, as in `validate_file`."""
    with unchanged_file(file, name):
        yield from _rows_of_plain(buffered(plain_stream(file, compression)), name)


def _rows_of_plain(stream: BinaryIO, name: str) -> Iterator[Row]:
    document, lines = whole_document(bounded_lines(stream))
    for number, line in enumerate(lines if document is None else [document], 1):
        if text := text_of_line(line):
            yield Row(name, number, text, is_line=True)
