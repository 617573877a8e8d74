"""Check the columns of Parquet files before a run of `dreg validate --format parquet` writes anything."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

import click

from dreg_client.errors import ColumnError, DregError
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.values.registry_name import STORAGE
from dreg_client.values.source_url import shown_source

_MOST_LOOKED_AT: Final = 1000
"""The number of partitions of a source among which a Parquet file is searched for."""


def check_columns(sources: Iterable[str], rules: PartitionRules) -> None:
    """Check the columns of the first Parquet file that can be read.

    Files with other columns that come later are partitions that fail, and so are files that cannot be read.

    Raises:
        click.UsageError: A column is missing, or cannot be used.
    """
    if (first := next(_parquet_files(sources, rules), None)) is None:
        return
    from dreg_client.partitions.input.parquet import check_columns as check_file

    try:
        with suppress(OSError):
            check_file(first, rules)
    except ColumnError as failure:
        raise click.UsageError(f"{shown_source(first.source)}: {failure}; nothing was written") from None
    except DregError:  # reported as the failure of its partition
        pass


def _parquet_files(sources: Iterable[str], rules: PartitionRules) -> Iterator[Partition]:
    for source in sources:
        if not source.startswith(STORAGE):
            with suppress(DregError, OSError):
                some = islice(find_partitions([source], rules), _MOST_LOOKED_AT)
                yield from (part for part in some if part.format == "parquet")
