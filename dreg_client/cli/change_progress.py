"""The progress of planning and applying changes of tags, if standard error is a terminal."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Self

from dreg_client.cli.drawn_line import DrawnLine
from dreg_client.protocol.events import Answered, Changed, Event


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
        self._line = DrawnLine(_columns)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        """Stop drawing: everything was done, and the result will be printed."""
        with self._lock:
            self._line.end()

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
            if self._line.is_due:
                self._paint()

    @contextmanager
    def changing(self, total: int) -> Generator[None, None, None]:
        """Count changes; `total` is how many there are. An error says what was done before it."""
        from dreg_client.errors import DregError

        with self._lock:
            self._line.clear()
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
        tried = self._outcomes.total()
        label = f"{tried}/{self._total} changes" if self._total else f"reading tags: {self._requests} requests"
        self._line.draw(label, tried, self._total or None)


def _columns() -> tuple[Any, ...]:
    from rich.progress import BarColumn

    return (BarColumn(bar_width=20),)
