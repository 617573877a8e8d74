"""Find the types of the columns that are kept, so that all reports of a run have the same schema."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import Any, Final

from dreg_client.errors import ColumnError, DregError, MissingLibraryError
from dreg_client.partitions.input.parquet import checked_columns
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.report_columns import is_without_type, stated_fields

_MOST_FILES: Final = 100
"""The number of files in which the type of a column is searched for."""


class KeptTypes:
    """The types of the kept columns: those in the first Parquet file that can be read.

    A column that has only nulls there may have no type. Then its type is that in a later file, among the first ones.
    """

    def __init__(self, rules: PartitionRules) -> None:
        self._rules = rules
        self._fields: list[Any] | None = None
        self._last, self._files = "", 0

    @property
    def is_known(self) -> bool:
        """Whether no further files are needed."""
        if self._fields is None:
            return False
        return self._files >= _MOST_FILES or not any(map(is_without_type, self._fields))

    @property
    def rules(self) -> PartitionRules:
        """The rules with the types. If no file could be read, they are not known."""
        if not self._fields:
            return self._rules
        return replace(self._rules, kept_schema=stated_fields(self._fields))

    def add(self, partition: Partition) -> None:
        """Look at the file of a partition, unless it is not a Parquet file or cannot be read.

        Raises:
            ColumnError: It is the first file, and has no column that the rules name, or one of another type.
            MissingLibraryError: A library that the URL requires is not installed.
        """
        if partition.format != "parquet" or partition.source == self._last:
            return
        self._last = partition.source
        try:
            found: list[Any] = [*checked_columns(partition, self._rules)]  # pyright: ignore[reportUnknownArgumentType]
        except MissingLibraryError:
            raise
        except (DregError, OSError) as failure:  # the failure of its partition
            if self._fields is None and isinstance(failure, ColumnError):
                raise
            return
        known = self._fields or found
        self._fields = [new if is_without_type(old) else old for old, new in zip(known, found, strict=True)]
        self._files += 1


def with_types(partitions: Iterable[Partition], rules: PartitionRules) -> tuple[Iterable[Partition], PartitionRules]:
    """Return all partitions, and the rules with the types of the kept columns.

    The first partitions are consumed to find the types.

    Raises:
        ColumnError: The first Parquet file has no such column.
    """
    kept, first, rest = KeptTypes(rules), list[Partition](), iter(partitions)
    if rules.keep and not rules.kept_schema:
        for partition in rest:
            first.append(partition)
            kept.add(partition)
            if kept.is_known:
                break
    return chain(first, rest), kept.rules
