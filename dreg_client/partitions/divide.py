"""Divide a file into partitions of about the same size."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from dreg_client.errors import DregError
from dreg_client.files.compressed import MAGIC, BrokenStreamError, compression_of
from dreg_client.files.forward import plain_stream
from dreg_client.files.places import StoredFile, open_source
from dreg_client.files.tar_headers import BLOCK, is_tar
from dreg_client.partitions.formats import format_of
from dreg_client.partitions.partition import Compression, Format, Partition, PartitionRules

PARQUET: Final = b"PAR1"
"""The first bytes of a Parquet file."""


def divided(file: StoredFile, rules: PartitionRules, size: int) -> Iterator[Partition]:
    """Yield the partitions of a file."""
    form, compression = format_of(file.source) or _format_by_content(file, rules)
    if rules.lines.field and form == "json":
        form = "json-lines"
    whole = Partition(file.source, form, compression, size=file.size, version=file.version)
    if file.size <= size or compression:
        yield whole
    elif form == "json-lines":
        yield from _stretches(whole, size)
    elif form == "parquet":
        yield from _row_groups(whole, rules, size)
    else:
        yield whole


def _format_by_content(file: StoredFile, rules: PartitionRules) -> tuple[Format, Compression]:
    """Return the format of a file that was named itself, by its first bytes."""
    if rules.lines.field:
        return "json-lines", ""
    with open_source(file.source) as opened:
        try:
            start = plain_stream(opened).read(BLOCK)
        except BrokenStreamError:
            start = b""
    if start.startswith(PARQUET):
        return "parquet", ""
    return ("tar" if is_tar(start) else "json"), ""


def _stretches(whole: Partition, size: int) -> Iterator[Partition]:
    """Divide a file of JSON Lines, unless its first bytes show that it is compressed all the same."""
    with open_source(whole.source) as opened:
        if compression_of(opened.read(MAGIC)) is not None:
            yield whole
            return
    for start in range(0, whole.size, size):
        stop = min(start + size, whole.size)
        yield replace(whole, start=start, stop=stop, size=stop - start)


def _row_groups(whole: Partition, rules: PartitionRules, size: int) -> Iterator[Partition]:
    """Divide a Parquet file between its row groups, by the sizes of the columns that are read.

    If its footer is damaged, reading the only partition shows why.
    """
    from dreg_client.partitions.parquet import row_group_sizes  # noqa: PLC0415 (imports pyarrow)

    try:
        sizes = row_group_sizes(whole, rules)
    except DregError:
        yield whole
        return
    start = octets = 0
    for number, more in enumerate(sizes):
        if octets and octets + more > size:
            yield replace(whole, start=start, stop=number, size=octets)
            start, octets = number, 0
        octets += more
    yield replace(whole, start=start, stop=len(sizes), size=octets) if start else whole
