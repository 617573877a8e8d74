"""The events of several copies, as if they were one."""

from collections.abc import Callable
from threading import Lock

from dreg_client.protocol.events import Event, Planned


class Totals:
    """Passes on the events of copies, several of which may run at a time, with the blobs of all of them in `Planned`.

    Args:
        emit: The listener to call.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self.emit = emit
        self._blobs = self._size = 0
        self._lock = Lock()

    def of_next(self) -> "CopyTotals":
        """Return the listener of another copy."""
        return CopyTotals(self)

    def add(self, blobs: int, size: int) -> None:
        """Add the blobs that a copy has found."""
        with self._lock:
            self._blobs += blobs
            self._size += size
            self.emit(Planned(self._blobs, self._size))


class CopyTotals:
    """The listener of a copy, which may have several parts."""

    def __init__(self, of_all: Totals) -> None:
        self._of_all = of_all
        self._now = Planned(0, 0)
        self._lock = Lock()

    def __call__(self, event: Event) -> None:
        """Pass on an event."""
        if not isinstance(event, Planned):
            self._of_all.emit(event)
            return
        with self._lock:
            before, self._now = self._now, event
            self._of_all.add(event.blobs - before.blobs, event.size - before.size)

    def start_next(self) -> None:
        """Count the events that follow as those of another part."""
        self._now = Planned(0, 0)
