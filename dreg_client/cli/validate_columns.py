"""Check the columns of Parquet files before a run of `dreg validate --format parquet` writes anything."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
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
        click.UsageError: A column is missing, or cannot be used; or columns are to be kept of another kind of file.
    """
    for partitions in map(partial(_partitions, rules), sources):
        for number, partition in enumerate(partitions):
            if partition.format == "parquet":
                _check_file(partition, rules)
                return
            if rules.keep and not number:
                advice = "validate it without --keep, in a run of its own"
                raise click.UsageError(f"--keep copies columns of Parquet files; {partition.name} is none; {advice}")


def _check_file(partition: Partition, rules: PartitionRules) -> None:
    from dreg_client.partitions.input.parquet import check_columns as check_file

    try:
        with suppress(OSError):
            check_file(partition, rules)
    except ColumnError as failure:
        raise click.UsageError(f"{shown_source(partition.source)}: {failure}; nothing was written") from None
    except DregError:  # reported as the failure of its partition
        pass


def _partitions(rules: PartitionRules, source: str) -> Iterator[Partition]:
    most = 1 if source.startswith(STORAGE) else _MOST_LOOKED_AT  # a storage has no Parquet files
    with suppress(DregError, OSError):
        yield from islice(find_partitions([source], rules), most)
