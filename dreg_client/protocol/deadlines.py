"""The deadline of a whole call (`deadline=`), which may send many requests.

Each wait ends at a moment of `time.monotonic()`. That of a single request, with its redirects, token requests and
retries, is passed along as `until` (`Hop.until`). `current_call` is the limit of the call that sends it.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from math import inf
from time import monotonic
from typing import Final

from dreg_client import errors
from dreg_client.protocol.retry import REQUEST_SECONDS


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

    def allow(self, budget: float) -> None:
        """Extend the patience for a client whose requests may take `budget` seconds, because of longer timeouts."""
        self._more = max(budget - REQUEST_SECONDS, self._more)

    def until(self, began: float) -> float:
        """Return when a wait that began at `began` must end."""
        since = began if self._failing_since is None else self._failing_since
        return min(self._end, since + self._patience + self._more)

    def succeeded(self) -> None:
        """Report a successful response, or bytes of a blob that arrived fast enough."""
        self._failing_since = None

    def failed(self, began: float) -> None:
        """Report that a request, begun at `began`, failed, or that its response was an error.

        A server that responds to each request with an error, slowly, could otherwise keep a command busy for weeks.
        """
        if self._failing_since is None:
            self._failing_since = began

    def check(self, failure: errors.TransportError) -> None:
        """Raise DeadlineError if a request failed because the time of the call is over."""
        now = self._clock()
        if now >= self._end:
            reason = f"the call was not complete at its deadline of {self._seconds:g} s; allow more with deadline="
            raise errors.DeadlineError(reason, failure.where) from failure
        if now >= self.until(now):
            reason = f"no request succeeded for {self._patience + self._more:g} s ({failure.reason})"
            raise errors.DeadlineError(reason, failure.where) from failure


current_call: Final[ContextVar[CallDeadline | None]] = ContextVar("current_call", default=None)
"""The limit of the current call; None if it has none."""


@contextmanager
def limited_by(call: CallDeadline | None) -> Generator[None]:
    """Make `call` the current call in a block.

    None is for functions of the caller, such as `on_event`: the calls and tasks that these start have other limits.
    """
    token = current_call.set(call)
    try:
        yield
    finally:
        with suppress(ValueError):  # an abandoned coroutine is closed in another context, which must stay as it is
            current_call.reset(token)
