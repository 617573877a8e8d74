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
_WIDE: Final = 60
"""The columns of a terminal from which the remaining time is shown."""
_COUNT: Final = len(" 1,023.9/1,023.9 MiB ")
_REMAINING: Final = len(" 0:00:00")


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

        console = Console(stderr=True)
        label = self._label[-(console.width // 3) :]
        is_wide = console.width >= _WIDE
        left = console.width - len(label) - _COUNT - (_REMAINING if is_wide else 0)
        columns = [
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=max(min(left, 40), 4)),
            DownloadColumn(binary_units=True),
        ]
        bar = Progress(
            *columns,
            *([TimeRemainingColumn()] if is_wide else []),
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),  # otherwise data in a file or pipe would be mixed with the bar
            redirect_stderr=False,
        )
        bar.start()
        return bar, bar.add_task(label, total=self._total() or None)

    def stop(self) -> None:
        if self._drawn:
            self._drawn[0].stop()
