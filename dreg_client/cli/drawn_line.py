"""One line of progress on standard error, if it is a terminal."""

import os
import sys
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE: Final = 0.5
"""The seconds after which it is drawn."""
_PAUSE: Final = 0.1


class DrawnLine:
    """A line that is drawn again at most ten times a second, once the work has taken half a second.

    Args:
        columns: Returns the columns of rich besides the text. It is called only if the line is drawn.
        is_wanted: Whether it is drawn at all.
    """

    def __init__(self, columns: Callable[[], tuple[Any, ...]], *, is_wanted: bool = True) -> None:
        self._columns = columns
        self._draws = is_wanted and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._painted = monotonic() + _PATIENCE - _PAUSE
        self._drawn: tuple[Progress, TaskID] | None = None

    @property
    def is_due(self) -> bool:
        """Whether it is time to draw."""
        return self._draws and monotonic() - self._painted >= _PAUSE

    def draw(self, text: str, completed: int = 0, total: int | None = None) -> None:
        """Draw the line with a text, and a part of a total. Without rich, nothing is drawn."""
        self._painted = monotonic()
        try:
            bar, task = self._drawn = self._drawn or self._started()
        except ImportError:
            self._draws = False
            return
        bar.update(task, description=text, completed=completed, total=total, refresh=True)

    def _started(self) -> "tuple[Progress, TaskID]":
        # rich is imported only here: importing it takes longer than a short run.
        from rich.console import Console
        from rich.progress import Progress, TextColumn

        bar = Progress(
            TextColumn("{task.description}", markup=False),
            *self._columns(),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        bar.start()
        return bar, bar.add_task("", total=None)

    def clear(self) -> None:
        """Delete the line. It can be drawn again."""
        if self._drawn is not None:
            self._drawn[0].stop()
            self._drawn = None

    def end(self) -> None:
        """Delete the line for good."""
        self.clear()
        self._draws = False
