"""A progress bar on long work, where standard error is a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_SHORT_WORK = 16 << 20


class Bar(Protocol):
    """Something that is told how far the work has come."""

    def reached(self, position: int) -> None:
        """The work is done up to this byte."""


class _NoBar:
    def reached(self, position: int) -> None:
        """Nobody watches."""


@contextmanager
def progress(label: str, total: int) -> Iterator[Bar]:
    """A bar for `total` bytes; none for short work, nor away from a terminal."""
    if total < _SHORT_WORK or not sys.stderr.isatty():
        yield _NoBar()
        return
    # rich is imported only here: it costs more than all of a short run.
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    columns = ("{task.description}", BarColumn(), DownloadColumn(binary_units=True), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(escape(label), total=total)

        class _RichBar:
            def reached(self, position: int) -> None:
                shown.update(task, completed=position)

        yield _RichBar()
