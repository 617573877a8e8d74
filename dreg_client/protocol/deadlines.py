"""Deadlines: of one request with all its attempts, and of a whole call (`deadline=`), which may send many requests.

Each wait ends at a moment of `time.monotonic()`. `request_end` is that of the current request, so that redirects, token
requests and retries share one budget. `current_call` is the limit of the call that sends it.
"""

from collections.abc import Callable
from contextvars import ContextVar
from math import inf
from time import monotonic
from typing import Final

from dreg_client import errors
from dreg_client.protocol.retry import WHOLE

PATIENCE: Final = 80.0
"""The seconds that a command continues after requests began to fail, unless one of them succeeds.

With the time that a command needs to start on a busy machine, it ends within two minutes.
"""
RESCUE: Final = 20.0
"""The same for the requests that restore a tag after a failure or an interrupt."""
_QUICK: Final = 10.0
"""An error response within these seconds shows that the registry works."""


class CallDeadline:
    """The time limit of a call. Threads and tasks of the call share it.

    Args:
        seconds: The time for the whole call.
        patience: The time that the call may spend on failing requests, one after another, or on a single request.
        clock: Returns monotonic seconds.
    """

    def __init__(self, seconds: float = inf, *, patience: float = inf, clock: Callable[[], float] = monotonic) -> None:
        self._seconds, self._patience, self._clock = seconds, patience, clock
        self._end = clock() + seconds
        self._failing_since: float | None = None
        self._more = 0.0

    def until(self, began: float, budget: float = WHOLE) -> float:
        """Return when a wait that began at `began` must end, for a client whose requests may take `budget` seconds."""
        self._more = max(budget - WHOLE, self._more)  # longer timeouts than usual
        since = began if self._failing_since is None else self._failing_since
        return min(self._end, since + self._patience + self._more)

    def succeeded(self) -> None:
        """Report a successful response, or bytes of a blob that arrived fast enough."""
        self._failing_since = None

    def failed(self, began: float) -> None:
        """Report that a request, begun at `began`, failed."""
        if self._failing_since is None:
            self._failing_since = began

    def responded(self, began: float) -> None:
        """Report an error response. One that took long counts as a failure."""
        if self._clock() - began <= _QUICK:
            self.succeeded()
        else:
            self.failed(began)

    def check(self, failure: errors.TransportError) -> None:
        """Raise DeadlineError if a request failed because the time of the call is over."""
        now = self._clock()
        if now >= self._end:
            reason = f"the call was not complete at its deadline of {self._seconds:g} s; allow more with deadline="
            raise errors.DeadlineError(reason, failure.where) from failure
        if now >= self.until(now):
            reason = f"no response was complete for {self._patience + self._more:g} s ({failure.reason})"
            raise errors.DeadlineError(reason, failure.where) from failure


current_call: Final[ContextVar[CallDeadline | None]] = ContextVar("current_call", default=None)
"""The limit of the current call; None if it has none."""
request_end: Final[ContextVar[float]] = ContextVar("request_end", default=inf)
"""When the current request must be complete. Each request sets it, so an old value is never used."""
