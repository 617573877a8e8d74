"""Dates and times of documents (RFC 3339), which keep their exact text."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ClassVar, Final, Self

from dreg_client.values.text_fields import CheckedText, JsonSchema, not_a_text, text_schema

# The months by length; the last branch is 29 February in leap years.
_DAYS: Final = (
    r"(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
)
_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_OFFSET: Final = r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"

TIMESTAMP_PATTERN: Final = rf"^{_DAYS}[Tt]{_TIME}{_OFFSET}$"
"""Matches RFC 3339 5.6 with days that exist, identically in Python, Rust and ECMA-262."""

_TIMESTAMP: Final = re.compile(TIMESTAMP_PATTERN[1:-1], re.ASCII)
_PARTS: Final = re.compile(r"(.{10}).(.{5}):(\d\d)(?:\.(\d+))?(.+)", re.ASCII)


def is_timestamp(text: str) -> bool:
    """Return whether a string is a valid date and time (RFC 3339 5.6)."""
    return _TIMESTAMP.fullmatch(text) is not None


class Timestamp(CheckedText):
    """A date and time (RFC 3339) that keeps its text, including nanoseconds and offset.

    Raises:
        ValueError: The string is not a valid date and time, or its day does not exist (rule TIM-01).

    Examples:
        >>> Timestamp("2024-02-29T12:00:00.123456789Z").datetime.microsecond
        123456
    """

    __slots__ = ()

    json_schema: ClassVar[JsonSchema] = text_schema(TIMESTAMP_PATTERN)

    def __new__(cls, text: str) -> Self:
        """Check the string."""
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise not_a_text(text, "a date and time must be a str, such as '2006-01-02T15:04:05Z'", digits=False)
        if len(text) > 1024 or not is_timestamp(text):
            expected = "expected RFC 3339, such as 2006-01-02T15:04:05Z (TIM-01)"
            message = f"{text[:40]!r} is not a valid date and time: {expected}"
            raise ValueError(message)
        return str.__new__(cls, text)

    @property
    def datetime(self) -> datetime:
        """The date and time, truncated to microseconds. A leap second becomes the second after it."""
        parts = _PARTS.fullmatch(self)
        assert parts is not None  # noqa: S101 (the text was checked)
        day, minutes, seconds, fraction, offset = parts.groups()
        if day.startswith("0000"):  # Python's calendar starts in year 1
            return datetime.min.replace(tzinfo=UTC)
        leap = seconds == "60"
        micros = (fraction or "0")[:6].ljust(6, "0")
        zone = "+00:00" if offset in "Zz" else offset
        moment = datetime.fromisoformat(f"{day}T{minutes}:{'59' if leap else seconds}.{micros}{zone}")
        try:
            return moment + timedelta(seconds=leap)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)

    def __repr__(self) -> str:
        return f"Timestamp({str.__repr__(self)})"


proven_timestamp: Final[Callable[[str], Timestamp]] = partial(str.__new__, Timestamp)
"""Create a timestamp from a string that was already checked. It runs in C, which makes parsing models faster."""
