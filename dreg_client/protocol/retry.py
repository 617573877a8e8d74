"""Retries: decide whether to make another attempt, and after how long. The client does the waiting."""

import random
import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final

from dreg_client import errors
from dreg_client.protocol.messages import Request, Response
from dreg_client.values.latest import Latest

ATTEMPTS: Final = 5
REQUEST_SECONDS: Final = 90.0
"""The time for one request, with all its attempts, unless options allow longer waits than by default."""
LONGEST_WAIT: Final = 60.0
_READING: Final = frozenset({"GET", "HEAD"})
_ALWAYS: Final = frozenset({408, 429, 502, 503, 504})
_TWICE_READING: Final = frozenset({499, 520, 521, 522, 523, 524, 527})
TRANSIENT: Final = _ALWAYS | _TWICE_READING | {500}
"""Statuses after which the same request may succeed later."""
_WAITING: Final = frozenset({408, 429, 503})
_BUSY: Final = frozenset({429, 503})
LACKS_BLOB: Final = b"MANIFEST_BLOB_UNKNOWN"
"""What distribution 2.8 reports with status 500 if a manifest names layers that are missing. Retries do not help."""
_SECONDS: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_MOMENT: Final = 0.5
_MOST_REFUSALS: Final = 1
"""A port that rejects connections rarely opens a moment later, and a wrong port should be reported quickly."""
_JUST_NOW: Final = 10.0
_MOST_WRITTEN: Final = 1000
_RANDOM: Final = random.SystemRandom()


def retry_after(response: Response) -> float | None:
    """Return `Retry-After` in seconds (RFC 9110 10.2.3); None if it is missing or not valid."""
    value = response.headers.get("retry-after") if response.status in _WAITING else None
    if value is None:
        return None
    if _SECONDS.fullmatch(value):
        return float(value)
    date, now = _date(value), _date(response.headers.get("date") or "")
    return None if date is None else max(date - (time.time() if now is None else now), 0.0)


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if len(text) < 100 else None
    except (ValueError, TypeError, OverflowError):
        return None


class Attempts:
    """Up to `most` attempts, the last of which begins before `end` (by the clock; default: in 90 seconds).

    A `Retry-After` over `longest_wait` seconds, or over the time that is left, ends them.
    """

    def __init__(
        self, most: int, clock: Callable[[], float], longest_wait: float = LONGEST_WAIT, end: float | None = None
    ) -> None:
        self.most: int = most
        self.made: int = 0
        self._clock, self._longest_wait = clock, longest_wait
        self._end = clock() + REQUEST_SECONDS if end is None else end
        self._server_faults = self._absences = self._refusals = 0

    def after_response(self, method: str, response: Response, *, is_written: bool = False) -> float | None:
        """Return the seconds to wait before the next attempt; None if the response is final (see `RecentWrites`)."""
        self.made += 1
        status = response.status
        if status == 404 and is_written:
            self._absences += 1
            return _MOMENT if self._absences <= 2 and self._is_left(_MOMENT) else None
        is_retryable = status in _ALWAYS
        if (status == 500 and LACKS_BLOB not in response.body) or (status in _TWICE_READING and method in _READING):
            self._server_faults += 1
            is_retryable = self._server_faults <= 2
        if not is_retryable:
            return None
        requested = retry_after(response)
        if requested is not None and requested > min(self._longest_wait, self.left):
            return None
        if requested is None:
            delay = max(self._backoff(), 1.0 if status in _BUSY else 0.0)
        else:
            delay = requested + _RANDOM.uniform(0, requested / 10)
        return delay if self._is_left(delay) else None

    def after_failure(self, failure: errors.DregError) -> float:
        """Return the seconds to wait before the next attempt; raise an error if there is none, or it would not help."""
        self.made += 1
        if not may_help(failure):
            raise failure
        is_refused = isinstance(failure, errors.ConnectError) and failure.refused
        self._refusals += is_refused
        delay = min(self._backoff(), _MOMENT) if is_refused else self._backoff()
        if self._refusals > _MOST_REFUSALS or not self._is_left(delay):
            if self.made == 1:
                raise failure
            raise errors.RetryExhaustedError(failure, self.made) from failure
        return delay

    @property
    def left(self) -> float:
        """The longest `Retry-After` in seconds that there is time left to wait for (see `after_response`)."""
        return max(self._end - self._clock(), 0.0) / 1.1

    def _is_left(self, wait: float) -> bool:
        return self.made < self.most and self._clock() + wait < self._end

    def _backoff(self) -> float:
        return max(_RANDOM.uniform(0, min(30.0, 0.5 * 2 ** (self.made - 1))), 0.1)


def may_help(failure: errors.DregError) -> bool:
    """Return whether to repeat a failed request at once.

    It is not repeated if its own attempts or its time are used up, or if it found no free connection for long.
    """
    return failure.retryable and not isinstance(
        failure, errors.RetryExhaustedError | errors.DeadlineError | errors.NoPlaceError
    )


class RecentWrites:
    """The content that a client has just written. Some registries respond to it with 404 for a moment."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._written = clock, Latest[str, float](_MOST_WRITTEN)

    def note(self, request: Request, response: Response) -> None:
        """Remember what was written; forget everything once something is deleted."""
        if request.method == "DELETE":
            self._written.clear()
        if request.method == "PUT" and response.ok:
            self._written.put(request.target, self._clock())

    def are_read_by(self, request: Request) -> bool:
        """Return whether a request reads something that was written less than ten seconds ago."""
        written = self._written.get(request.target) if request.method in _READING else None
        return written is not None and self._clock() - written < _JUST_NOW
