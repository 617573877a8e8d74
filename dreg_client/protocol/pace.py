"""Whether the bytes of a blob are transferred fast enough: at least 1 KiB per second over a minute, without I/O."""

from math import inf
from time import monotonic
from typing import Final

from dreg_client import errors
from dreg_client.protocol.deadlines import CallDeadline
from dreg_client.values.sizes import KIBIBYTE

SLOWEST: Final = KIBIBYTE
"""The least number of bytes per second."""
_WINDOW: Final = 60.0
_ENOUGH: Final = int(SLOWEST * _WINDOW)
_MOST_IDLE: Final = 90.0
"""The seconds in which a minute's bytes must be transferred, including the requests that resume the transfer."""
_QUICK: Final = 0.25
_SMALLEST_PIECE: Final = 16 * KIBIBYTE
_LARGEST_PIECE: Final = 256 * KIBIBYTE


class Pace:
    """Counts the bytes of one transfer, and the seconds that were spent waiting for them.

    Args:
        where: What is transferred, for errors.
        verb: What the bytes do, for errors.
    """

    def __init__(self, where: str, verb: str = "arrived") -> None:
        self._where, self._verb = where, verb
        self._waited, self._idle, self._window = 0.0, 0.0, 0

    @property
    def patience(self) -> float:
        """The seconds in which the next bytes must be transferred, because the transfer would be too slow otherwise."""
        return max(min(_WINDOW - self._waited, _MOST_IDLE - self._idle), 0.0)

    @property
    def resume_within(self) -> float:
        """The seconds in which the response to a request that resumes the transfer must arrive."""
        return max(_MOST_IDLE - self._idle, 0.0)

    @property
    def is_fast_enough(self) -> bool:
        """Whether the bytes of a minute were transferred since the last time that they had been."""
        return not (self._waited or self._idle)

    def add_wait(self, seconds: float, *, for_body: bool = True) -> None:
        """Count seconds that were spent waiting: for the bytes, or else for a response that resumes the transfer."""
        self._idle += seconds
        if for_body:
            self._waited += seconds

    def add(self, size: int, seconds: float) -> None:
        """Count bytes that were transferred, after `seconds` of waiting; raise TransferTimeoutError if that is slow."""
        self.add_wait(seconds)
        self._window += size
        if self._window >= _ENOUGH:
            self._waited, self._idle, self._window = 0.0, 0.0, 0
        else:
            self.check()

    def check(self) -> None:
        """Raise TransferTimeoutError if the transfer is too slow."""
        if self._waited >= _WINDOW or self._idle >= _MOST_IDLE:
            reason = f"less than {SLOWEST} bytes per second {self._verb} for a minute"
            raise errors.TransferTimeoutError(reason, self._where)


class SendingPace(Pace):
    """The pace of one upload, over all of its requests, within the limit of the call.

    Args:
        where: What is uploaded, for errors.
        call: The limit of the call; None if it has none.
        budget: The seconds for one request without a body.

    Attributes:
        piece: How many bytes to send at once. Few if the connection is slow, so that their time can be measured.
    """

    def __init__(self, where: str = "", call: CallDeadline | None = None, budget: float = inf) -> None:
        super().__init__(where, "were sent")
        self._call, self._budget = call, budget
        self._last = monotonic()
        self.piece: int = _SMALLEST_PIECE

    def until(self, began: float) -> float:
        """Return when bytes must be sent that are being sent since `began`."""
        end = began + self.patience
        return end if self._call is None else min(end, self._call.until(began))

    def response_end(self, seconds: float = 0.0, size: int = 0) -> float:
        """Return when a response must be complete that may take `seconds`, after `size` bytes that are not sent yet."""
        began, budget = monotonic() + size / SLOWEST, max(self._budget, seconds + 30.0)
        end = began + budget
        if self._call is None:
            return end
        self._call.allow(budget)
        return min(end, self._call.until(began))

    def add(self, size: int, seconds: float) -> None:
        """Count bytes that were sent (see `Pace.add`)."""
        self.piece = min(2 * self.piece, _LARGEST_PIECE) if seconds <= _QUICK else _SMALLEST_PIECE
        self._last = monotonic()
        super().add(size, seconds)
        if self.is_fast_enough and self._call is not None:
            self._call.succeeded()

    def begin(self) -> None:
        """Report that a request with a body begins."""
        self._last = monotonic()

    def responded(self) -> None:
        """Report the response to a request with a body."""
        if self._call is not None:
            self._call.succeeded()

    def failed(self, failure: errors.TransportError, *, is_cut: bool) -> None:
        """Report that a request with a body failed; raise an error if the upload must not go on.

        `is_cut`: not all bytes of the body were sent.
        """
        if self._call is not None:
            self._call.failed(self._last - self._idle)
            self._call.check(failure)
        if is_cut:
            self.add_wait(monotonic() - self._last)
            self.check()
