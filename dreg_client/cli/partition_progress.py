"""The progress of partitions, if standard error is a terminal: how many are done, documents, and bytes."""

from typing import TYPE_CHECKING, Any, Self

from dreg_client.cli.drawn_line import DrawnLine
from dreg_client.cli.output import counted
from dreg_client.values.sizes import byte_size

if TYPE_CHECKING:
    from dreg_client.partitions.run.validate import PartitionResult
    from dreg_client.partitions.summary import Summary


class PartitionProgress:
    """Draws what is done. A context manager.

    The number of all partitions is not known in advance, so that the first ones need not wait for a long list.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._line = DrawnLine(_columns, is_wanted=not quiet)
        self._done = self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.end()

    def advance(self, found: "PartitionResult", total: "Summary") -> None:
        """Count a partition, and draw the sums so far."""
        self._done += 1
        self._read += found.partition.size
        if self._line.is_due:
            counts = (
                f"{counted(self._done, 'partition')}, {counted(total.documents, 'document')}, {byte_size(self._read)}"
            )
            self._line.draw(f"{counts}, {total.invalid:,} invalid")


def _columns() -> tuple[Any, ...]:
    from rich.progress import SpinnerColumn, TimeElapsedColumn

    return SpinnerColumn(), TimeElapsedColumn()
