"""A progress bar on long work, where standard error is a terminal."""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final

from dreg_client.cli.text import visible

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Advance = Callable[[int], None]
_PATIENCE: Final = 0.5
_PAUSE: Final = 0.1
_LONGEST_LABEL: Final = 30


@contextmanager
def progress(label: str, total: Callable[[], int], *, quiet: bool = False) -> Generator[Advance, None, None]:
    """A bar for bytes of work, drawn once the work has lasted for half a second; none away from a terminal.

    Args:
        label: What is worked on.
        total: Asked for the number of bytes, only where a bar is drawn.
        quiet: Whether no bar is wanted.

    Yields:
        What to call after each piece of work, with its number of bytes.
    """
    if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield _nobody_watches
        return
    bar = _Bar(label, total)
    try:
        yield bar.advance
    finally:
        bar.stop()


def _nobody_watches(octets: int) -> None:
    pass


class _Bar:
    """A bar that draws itself when it is told of progress: no thread of its own, which forks could not bear."""

    def __init__(self, label: str, total: Callable[[], int]) -> None:
        self._label, self._total = visible(label)[-_LONGEST_LABEL:], total
        self._done, self._painted = 0, monotonic() + _PATIENCE - _PAUSE
        self._drawn: tuple[Progress, TaskID] | None = None

    def advance(self, octets: int) -> None:
        self._done += octets
        if monotonic() - self._painted < _PAUSE:
            return
        self._painted = monotonic()
        try:
            self._drawn = self._drawn or self._draw()
        except ImportError:  # without rich there is no bar
            return
        shown, task = self._drawn
        shown.update(task, completed=self._done, refresh=True)

    def _draw(self) -> "tuple[Progress, TaskID]":
        # rich is imported only here: it costs more than all of a short run.
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        shown = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),  # otherwise data would go where the bar is
            redirect_stderr=False,
        )
        shown.start()
        return shown, shown.add_task(self._label, total=self._total() or None)

    def stop(self) -> None:
        if self._drawn:
            self._drawn[0].stop()
