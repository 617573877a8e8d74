"""The progress of a copy: a bar for each blob and one for all, if standard error is a terminal."""

import os
import sys
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from dreg_client.protocol.events import Copied, Copying, Event, Planned, Tagged

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE: Final = 0.5
"""The seconds after which bars are drawn."""
_PAUSE: Final = 0.1
_WIDE: Final = 70
"""The columns of a terminal from which speed and remaining time are shown."""


class CopyProgress:
    """Counts what is copied, and draws it. A context manager.

    Args:
        is_atomic: Whether nothing stays in the destination if the copy is interrupted, because it is an archive.
    """

    def __init__(self, *, is_atomic: bool) -> None:
        self._is_atomic = is_atomic
        self._tagged: list[str] = []
        self._lock = Lock()  # blobs are copied by several threads
        self._blobs, self._size = 0, 0  # found so far
        self._ended, self._done, self._copied = 0, 0, 0
        self._running: dict[str, tuple[int, int]] = {}
        self._painted = monotonic() + _PATIENCE - _PAUSE
        self._draws = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._drawn: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn is not None:
            self._drawn.stop()
            self._drawn = None
        self._draws = False

    def listen(self, event: Event) -> None:
        """Count an event."""
        match event:
            case Planned(blobs, size):
                self._blobs, self._size = blobs, size
            case Copying(digest, _, total, so_far):
                self._running[digest] = so_far, total
            case Copied(digest, size, outcome, is_manifest=False):
                with self._lock:
                    self._running.pop(digest, None)
                    self._ended, self._done = self._ended + 1, self._done + size
                    self._copied += outcome == "copied"
            case Tagged(tag):
                self._tagged.append(tag)
            case _:
                return
        if self._draws and monotonic() - self._painted >= _PAUSE:
            self._paint()

    def outcome(self) -> str:
        """Return what an interrupted copy has done, and what the next one will not transfer again."""
        from dreg_client.copying.outcome import outcome_of

        return f"the copy is incomplete; {outcome_of(self._tagged, self._copied, is_atomic=self._is_atomic)}"

    def _paint(self) -> None:
        with self._lock:
            self._painted = monotonic()
            try:
                bars = self._drawn = self._drawn or self._new_bars()
            except ImportError:  # without rich there are no bars
                self._draws = False
                return
            running = self._running.copy()
            for digest in self._tasks.keys() - running.keys() - {""}:
                bars.remove_task(self._tasks.pop(digest))
            for digest, (so_far, total) in running.items():
                self._update(bars, digest, digest.partition(":")[2][:12], so_far, total)
            label = f"{self._ended}/{self._blobs} blobs"
            self._update(bars, "", label, self._done + sum(so_far for so_far, _ in running.values()), self._size)
            bars.refresh()

    def _update(self, bars: "Progress", key: str, label: str, so_far: int, total: int) -> None:
        if key not in self._tasks:
            self._tasks[key] = bars.add_task(label, total=total or None)
        bars.update(self._tasks[key], description=label, completed=so_far, total=total or None)

    def _new_bars(self) -> "Progress":
        # rich is imported only here: importing it takes longer than a short run.
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        console = Console(stderr=True)
        wide = [TransferSpeedColumn(), TimeRemainingColumn()] if console.width >= _WIDE else []
        bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=max(min(console.width - 60, 40), 4)),
            DownloadColumn(binary_units=True),
            *wide,
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        bars.start()
        return bars
