"""The progress of partitions, if standard error is a terminal: how many are done, documents, and bytes."""

import os
import sys
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from dreg_client.values.sizes import byte_size

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from dreg_client.partitions.run.validate import PartitionReport
    from dreg_client.partitions.summary import Summary

_PATIENCE: Final = 0.5
_PAUSE: Final = 0.1


class PartitionProgress:
    """Draws what is done once the work has taken half a second. A context manager.

    The number of all partitions is not known in advance, so that the first ones need not wait for a long list.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._draws = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._painted = monotonic() + _PATIENCE - _PAUSE
        self._done = self._read = 0
        self._drawn: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn is not None:
            self._drawn[0].stop()

    def advance(self, found: "PartitionReport", total: "Summary") -> None:
        """Count a partition, and draw the sums so far."""
        self._done += 1
        self._read += found.partition.size
        if not self._draws or monotonic() - self._painted < _PAUSE:
            return
        self._painted = monotonic()
        try:
            self._drawn = self._drawn or self._draw()
        except ImportError:  # without rich nothing is drawn
            self._draws = False
            return
        counts = f"{self._done:,} partitions, {total.documents:,} documents, {byte_size(self._read)}"
        self._drawn[0].update(self._drawn[1], description=f"{counts}, {total.invalid:,} invalid", refresh=True)

    def _draw(self) -> "tuple[Progress, TaskID]":
        # rich is imported only here: importing it takes longer than a short run.
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        bar.start()
        return bar, bar.add_task("", total=None)
