"""Read the rows of JSON files: a single one, or a group of them."""

from collections.abc import Iterator

from dreg_client.errors import DregError
from dreg_client.files.forward import plain_stream
from dreg_client.files.places import joined, open_source
from dreg_client.partitions.failures import typed_errors
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.row import Row
from dreg_client.values.sizes import MAX_DOCUMENT
from dreg_client.values.source_url import shown_source


def rows_of_documents(partition: Partition) -> Iterator[Row]:
    """Yield the document in each file. If some files cannot be read, the error of the first is raised at the end."""
    first: DregError | None = None
    others = 0
    for name in partition.names or ("",):
        try:
            row = _row(joined(partition.source, name) if name else partition.source, partition.compression)
        except DregError as failure:
            others += first is not None
            first = first or failure
        else:
            yield row
    if first is not None:
        if others:
            first.add_outcome(f"{others} other file{'s' if others > 1 else ''} in the same group cannot be read either")
        raise first


def _row(source: str, compression: str) -> Row:
    with typed_errors(source), open_source(source) as file:
        raw = plain_stream(file, compression).read(MAX_DOCUMENT + 1)
    return Row(shown_source(source), 0, raw)
