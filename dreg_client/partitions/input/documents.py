"""Read the rows of JSON files: a single one, or a group of them."""

from collections.abc import Iterator
from typing import Final

from dreg_client.errors import DregError
from dreg_client.files.compressed import compression_of
from dreg_client.files.forward import plain_stream
from dreg_client.files.places import joined, open_source
from dreg_client.files.remote import read_starts
from dreg_client.files.unchanged import unchanged
from dreg_client.partitions.input.failures import naming_file
from dreg_client.partitions.part import Files
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.row import Row
from dreg_client.values.sizes import KIBIBYTE, MAX_DOCUMENT
from dreg_client.values.source_url import is_remote, shown_source

_AT_ONCE: Final = 16
"""The number of files at URLs that are read at a time; each may have the maximum size."""
_SMALL: Final = 128 * KIBIBYTE
"""The average size of files of which four times as many are read at a time."""


def rows_of_documents(partition: Partition) -> Iterator[Row]:
    """Yield the document in each file. If some files cannot be read, the error of the first is raised at the end."""
    first: DregError | None = None
    others = 0
    for source, raw in _starts(partition):
        try:
            row = _row(source, partition.compression, raw)
        except DregError as failure:
            others += first is not None
            first = first or failure
        else:
            yield row
    if first is not None:
        if others:
            first.add_outcome(f"{others} other file{'s' if others > 1 else ''} in the same group cannot be read either")
        raise first


def _starts(partition: Partition) -> Iterator[tuple[str, bytes | None]]:
    """Yield each file, with its first bytes if they were read together with those of others."""
    if not isinstance(partition.part, Files):
        yield partition.source, None
        return
    sources = [joined(partition.source, name) for name in partition.part.names]
    if not is_remote(partition.source):
        yield from ((source, None) for source in sources)
        return
    at_once = 4 * _AT_ONCE if partition.size < _SMALL * len(sources) else _AT_ONCE
    for start in range(0, len(sources), at_once):
        urls = sources[start : start + at_once]
        yield from zip(urls, read_starts(urls, MAX_DOCUMENT + 1), strict=True)


def _row(source: str, compression: str, raw: bytes | None) -> Row:
    if raw is None or compression_of(raw) is not None:
        with naming_file(source), unchanged(source), open_source(source) as file:
            raw = plain_stream(file, compression).read(MAX_DOCUMENT + 1)
    return Row(shown_source(source), 0, raw)
