"""The events of several copies, as if they were one."""

from collections.abc import Callable

from dreg_client.protocol.events import Event, Planned


class Totals:
    """A listener that passes on events, with the blobs of all copies so far in `Planned`.

    Args:
        emit: The listener to call.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._before = self._now = Planned(0, 0)

    def __call__(self, event: Event) -> None:
        """Pass on an event."""
        if isinstance(event, Planned):
            self._now = event
            event = _sum(self._before, event)
        self._emit(event)

    def start_next(self) -> None:
        """Count the events that follow as those of another copy."""
        self._before, self._now = _sum(self._before, self._now), Planned(0, 0)


def _sum(one: Planned, other: Planned) -> Planned:
    return Planned(one.blobs + other.blobs, one.octets + other.octets)
