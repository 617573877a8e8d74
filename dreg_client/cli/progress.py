"""A progress bar, if standard error is a terminal."""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final

from dreg_client.cli.output import visible

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Advance = Callable[[int], None]
_PATIENCE: Final = 0.5
_PAUSE: Final = 0.1


@contextmanager
def progress(label: str, total: Callable[[], int], *, quiet: bool = False) -> Generator[Advance, None, None]:
    """Yield a function that counts bytes. On a terminal it draws a bar once the work has taken half a second."""
    if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _: None
        return
    bar = _Bar(label, total)
    try:
        yield bar.advance
    finally:
        bar.stop()


class _Bar:
    """A bar that is drawn when it advances. It has no thread, since a thread would not survive a fork."""

    def __init__(self, label: str, total: Callable[[], int]) -> None:
        self._label, self._total = visible(label)[-30:], total
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
        bar, task = self._drawn
        bar.update(task, completed=self._done, refresh=True)

    def _draw(self) -> "tuple[Progress, TaskID]":
        # rich is imported only here: importing it takes longer than a short run.
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),  # otherwise data in a file or pipe would be mixed with the bar
            redirect_stderr=False,
        )
        bar.start()
        return bar, bar.add_task(self._label, total=self._total() or None)

    def stop(self) -> None:
        if self._drawn:
            self._drawn[0].stop()
