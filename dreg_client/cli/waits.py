"""Report long attempts and long waits before retries, during which the command would otherwise seem to hang."""

import sys
from collections.abc import Callable
from threading import local
from time import monotonic
from typing import TYPE_CHECKING, Final

from dreg_client.cli.advice import for_command_line
from dreg_client.cli.output import put_error, visible

if TYPE_CHECKING:
    from dreg_client.protocol.events import Event

_LONGEST_UNREPORTED: Final = 1.0


class _LastEvent(local):
    """When something last happened in a thread, by `time.monotonic()`; at first, when the thread began to listen."""

    def __init__(self, began: float) -> None:
        self.moment = began


def reporting_waits(then: "Callable[[Event], None] | None" = None) -> "Callable[[Event], None] | None":
    """Return a listener that reports each failed attempt that takes long, with the pause after it; it calls `then`.

    It reports only if standard error is a terminal.
    """
    if not (sys.stderr and sys.stderr.isatty()):
        return then
    from dreg_client.protocol.events import Retrying

    last = _LastEvent(monotonic())

    def listen(event: "Event") -> None:
        now = monotonic()
        if isinstance(event, Retrying):
            if now - last.moment + event.delay > _LONGEST_UNREPORTED:
                what = for_command_line(f"{event.method} {event.url}: {event.reason}")
                put_error(f"dreg: {visible(what)}; retrying in {event.delay:.0f} s")
            now += event.delay
        last.moment = now
        if then is not None:
            then(event)

    return listen
