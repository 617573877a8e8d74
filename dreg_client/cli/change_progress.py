"""The progress of planning and applying changes of tags, if standard error is a terminal."""

import os
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from dreg_client.protocol.events import Answered, Changed, Event

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE: Final = 0.5
"""The seconds after which it is drawn."""
_PAUSE: Final = 0.1


class ChangeProgress:
    """Counts requests, then changes, and draws how many there are. A context manager.

    Args:
        continuing: How to continue after an interruption.
    """

    def __init__(self, continuing: str) -> None:
        self._continuing = continuing
        self._requests, self._total = 0, 0
        self._outcomes = Counter[str]()
        self._lock = Lock()  # several threads send requests
        self._painted = monotonic() + _PATIENCE - _PAUSE
        self._draws = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._drawn: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        """Stop drawing: everything was done, and the result will be printed."""
        self._stop()
        self._draws = False

    def listen(self, event: Event) -> None:
        """Count an event."""
        with self._lock:
            match event:
                case Answered():
                    self._requests += 1
                case Changed(outcome="already"):
                    return  # a plan that is continued has those that were made before
                case Changed(outcome=outcome):
                    self._outcomes[outcome] += 1
                case _:
                    return
            if self._draws and monotonic() - self._painted >= _PAUSE:
                self._paint()

    @contextmanager
    def changing(self, total: int) -> Generator[None, None, None]:
        """Count changes; `total` is how many there are. An error says what was done before it."""
        from dreg_client.errors import DregError

        self._stop()
        self._total = total
        try:
            yield
        except DregError as failure:
            if self._outcomes["done"]:
                failure.add_outcome(self.outcome())
            raise
        self._end()

    def outcome(self) -> str:
        """Return what was done before an interruption; it may have come in the middle of a change."""
        if not self._total:
            return "nothing was changed"
        made, rest = self._outcomes["done"], self._outcomes.total() - self._outcomes["done"]
        others = f", {rest} others were not made" if rest else ""
        return f"{made} of {self._total} changes were made{others}; {self._continuing}"

    def _paint(self) -> None:
        self._painted = monotonic()
        try:
            bar, task = self._drawn = self._drawn or self._new_bar()
        except ImportError:  # without rich there is no bar
            self._draws = False
            return
        tried = self._outcomes.total()
        label = f"{tried}/{self._total} changes" if self._total else f"reading tags: {self._requests} requests"
        bar.update(task, description=label, completed=tried, total=self._total or None, refresh=True)

    def _new_bar(self) -> "tuple[Progress, TaskID]":
        # rich is imported only here: importing it takes longer than a short run.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        bar.start()
        return bar, bar.add_task("")

    def _stop(self) -> None:
        with self._lock:
            if self._drawn is not None:
                self._drawn[0].stop()
                self._drawn = None
