"""Check the columns of Parquet files before a run of `dreg validate --format parquet` writes anything."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from typing import Final

import click

from dreg_client.errors import ColumnError, DregError, MissingLibraryError
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.values.registry_name import STORAGE
from dreg_client.values.source_url import shown_source

_MOST_LOOKED_AT: Final = 1000
"""The number of partitions of a source among which a Parquet file is searched for, unless columns are to be kept."""


def checked_rules(sources: Iterable[str], rules: PartitionRules) -> PartitionRules:
    """Check the columns of the first Parquet file that can be read; return the rules with the types of kept columns.

    Files with other columns that come later are partitions that fail, and so are files that cannot be read.

    Raises:
        click.UsageError: A column is missing, or cannot be used.
        MissingLibraryError: A library that a URL requires is not installed.
    """
    from dreg_client.partitions.input.kept import KeptTypes

    kept = KeptTypes(rules)
    for partition in chain.from_iterable(map(partial(_partitions, rules), sources)):
        try:
            kept.add(partition)
        except ColumnError as failure:
            raise click.UsageError(f"{shown_source(partition.source)}: {failure}; nothing was written") from None
        if kept.is_known:
            break
    return kept.rules


def _partitions(rules: PartitionRules, source: str) -> Iterator[Partition]:
    if source.startswith(STORAGE):  # which has no Parquet files
        return
    most = None if rules.keep else _MOST_LOOKED_AT
    try:
        yield from islice(find_partitions([source], rules), most)
    except MissingLibraryError:
        raise
    except (DregError, OSError):  # reported when the source is validated
        pass
