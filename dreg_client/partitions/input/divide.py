"""Divide a file into partitions of about the same size."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

from dreg_client.errors import DregError
from dreg_client.files.compressed import MAGIC, BrokenStreamError, compression_of
from dreg_client.files.forward import plain_stream
from dreg_client.files.lines import PARQUET_MAGIC
from dreg_client.files.places import StoredFile, open_source
from dreg_client.files.tar_headers import BLOCK, is_tar
from dreg_client.partitions.input.formats import format_of
from dreg_client.partitions.part import Bytes, Rows
from dreg_client.partitions.partition import Compression, Format, Partition, PartitionRules

_COMPRESSED: Final = 8
"""How many times as large the columns of a Parquet file are without compression, at most, as a rule."""
_MOST_PARTS: Final = 8
"""The maximum number of parts of a row group. All rows before a part are decompressed, though not validated."""


def divided(file: StoredFile, rules: PartitionRules, size: int) -> Iterator[Partition]:
    """Yield the partitions of a file."""
    form, compression = format_of(file.source) or _format_by_content(file, rules)
    if rules.reads_lines and form == "json":
        form = "json-lines"
    whole = Partition(file.source, form, compression, size=file.size, version=file.version)
    if form == "parquet" and file.size > size // _COMPRESSED:
        yield from _rows(whole, size)
    elif form == "json-lines" and file.size > size and not compression:
        yield from _stretches(whole, size)
    else:
        yield whole


def _format_by_content(file: StoredFile, rules: PartitionRules) -> tuple[Format, Compression]:
    """Return the format of a file that was named itself, by its first bytes."""
    if rules.reads_lines:
        return "json-lines", ""
    with open_source(file.source) as opened:
        try:
            start = plain_stream(opened).read(BLOCK)
        except BrokenStreamError:
            start = b""
    if start.startswith(PARQUET_MAGIC):
        return "parquet", ""
    return ("tar" if is_tar(start) else "json"), ""


def _stretches(whole: Partition, size: int) -> Iterator[Partition]:
    """Divide a file of JSON Lines, unless its first bytes show that it is compressed or Parquet all the same."""
    with open_source(whole.source) as opened:
        start_of_file = opened.read(MAGIC)
        if compression_of(start_of_file) is not None or start_of_file.startswith(PARQUET_MAGIC):
            yield whole
            return
    for start in range(0, whole.size, size):
        stop = min(start + size, whole.size)
        yield replace(whole, part=Bytes(start, stop), size=stop - start)


def _rows(whole: Partition, size: int) -> Iterator[Partition]:
    """Divide the rows of a Parquet file by the sizes of its row groups without compression.

    Row groups that are larger are divided, because many programs write only one. If the footer is damaged, reading the
    only partition shows why.
    """
    from dreg_client.partitions.input.parquet import row_groups  # noqa: PLC0415 (imports pyarrow)

    try:
        groups = row_groups(whole)
    except DregError:
        yield whole
        return
    ends = list(_ends(groups, size))
    if len(ends) <= 1:
        yield whole
        return
    for start, stop in pairwise([0, *ends]):
        yield replace(whole, part=Rows(start, stop), size=whole.size // len(ends))


def _ends(groups: list[tuple[int, int]], size: int) -> Iterator[int]:
    """Yield the last row of each partition, from the rows and sizes of row groups."""
    row = octets = 0
    for rows, more in groups:
        if octets and octets + more > size:
            yield row
            octets = 0
        parts = max(1, min(_MOST_PARTS, -(-more // size), rows))
        yield from (row + rows * part // parts for part in range(1, parts))
        row += rows
        octets += more // parts
    if row:
        yield row
