"""Report long waits before retries, during which the command would otherwise seem to hang."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from dreg_client.cli.output import put_error, visible

if TYPE_CHECKING:
    from dreg_client.protocol.events import Event

_LONGEST_UNREPORTED: Final = 1.0


def reporting_waits(then: "Callable[[Event], None] | None" = None) -> "Callable[[Event], None] | None":
    """Return a listener that reports long waits if standard error is a terminal, then calls `then` if given."""
    if not (sys.stderr and sys.stderr.isatty()):
        return then
    from dreg_client.protocol.events import Retrying

    def listen(event: "Event") -> None:
        if isinstance(event, Retrying) and event.delay > _LONGEST_UNREPORTED:
            put_error(
                f"dreg: {visible(f'{event.method} {event.url}: {event.reason}')}; retrying in {event.delay:.0f} s"
            )
        if then is not None:
            then(event)

    return listen
