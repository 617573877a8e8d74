"""Which answers merit another attempt, and after how long. It decides; whoever carries a plan out waits."""

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final

from dreg_client import errors
from dreg_client.protocol.messages import Response

ATTEMPTS: Final = 5
WHOLE: Final = 300.0
LONGEST_WAIT: Final = 60.0
_READING: Final = frozenset({"GET", "HEAD"})
_ALWAYS: Final = frozenset({408, 429, 502, 503, 504})
_TWICE: Final = frozenset({500})
_TWICE_READING: Final = frozenset({499, 520, 521, 522, 523, 524, 527})
_WAITING: Final = frozenset({408, 429, 503})
_BUSY: Final = frozenset({429, 503})
_SECONDS: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_MOMENT: Final = 0.5
_DRAW: Final = random.SystemRandom()


def retry_after(response: Response) -> float | None:
    """The seconds that an answer asks us to wait (RFC 9110 10.2.3), None where it says none that can be read."""
    value = response.headers.get("retry-after") if response.status in _WAITING else None
    if value is None:
        return None
    if _SECONDS.fullmatch(value):
        return float(value)
    due, now = _date(value), _date(response.headers.get("date") or "")
    return None if due is None else max(due - (time.time() if now is None else now), 0.0)


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if len(text) < 100 else None
    except (ValueError, TypeError, OverflowError):
        return None


@dataclass(slots=True)
class Attempts:
    """The attempts of one request, and what is left of its budget.

    Attributes:
        most: How many attempts there may be.
        clock: Monotonic seconds.
        longest_wait: The longest `Retry-After` that is obeyed, in seconds.
    """

    most: int
    clock: Callable[[], float]
    longest_wait: float = LONGEST_WAIT
    made: int = 0
    began: float = field(init=False)
    server_faults: int = 0
    absences: int = 0

    def __post_init__(self) -> None:
        self.began = self.clock()

    def after_answer(self, method: str, response: Response, *, is_written: bool = False) -> float | None:
        """Seconds to wait before the next attempt; None where the answer is to be taken as it is.

        Args:
            method: How it was asked.
            response: The answer.
            is_written: Whether we wrote just now what is asked for; some registries need a moment to see it.
        """
        self.made += 1
        status = response.status
        if status == 404 and is_written:
            self.absences += 1
            return _MOMENT if self.absences <= 2 and self._is_left(_MOMENT) else None
        merits = status in _ALWAYS
        if status in _TWICE or (status in _TWICE_READING and method in _READING):
            self.server_faults += 1
            merits = self.server_faults <= 2
        if not merits:
            return None
        asked = retry_after(response)
        if asked is not None and (asked > self.longest_wait or not self._is_left(asked)):
            return None
        if not self._is_left(asked or 0.0):
            return None
        return _at_least(asked) if asked is not None else max(self._backoff(), 1.0 if status in _BUSY else 0.0)

    def after_failure(self, failure: errors.DregError) -> float:
        """Seconds to wait before the next attempt.

        Raises:
            RetryExhaustedError: There were as many as there may be.
            DregError: The failure itself, where nothing is gained by another attempt.
        """
        self.made += 1
        if not failure.retryable:
            raise failure
        if not self._is_left(0.0):
            if self.made == 1:
                raise failure
            raise errors.RetryExhaustedError(failure, self.made) from failure
        return self._backoff()

    def _is_left(self, wait: float) -> bool:
        return self.made < self.most and self.clock() - self.began + wait < WHOLE

    def _backoff(self) -> float:
        return max(_DRAW.uniform(0, min(30.0, 0.5 * 2 ** (self.made - 1))), 0.1)


def _at_least(asked: float) -> float:
    return asked + _DRAW.uniform(0, asked / 10)
