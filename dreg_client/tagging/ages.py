"""Ages: `36h`, `14d`, `2w`."""

import re
from datetime import timedelta
from typing import Final

_AGE: Final = re.compile(r"([0-9]{1,6})([hdw])", re.ASCII)
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LONGEST: Final = timedelta(days=365_000)


def age(given: timedelta | str) -> timedelta:
    """Return an age, given as text or as a timedelta.

    Raises:
        ValueError: It is not a valid age, or not longer than zero.
        TypeError: It is neither text nor a timedelta.

    Examples:
        >>> age("36h"), age("2w")
        (datetime.timedelta(days=1, seconds=43200), datetime.timedelta(days=14))
    """
    if isinstance(given, str):
        found = _AGE.fullmatch(given)
        length = int(found[1]) * _UNITS[found[2]] if found else timedelta(0)
    elif isinstance(given, timedelta):  # pyright: ignore[reportUnnecessaryIsInstance]
        length = given
    else:
        message = f"an age must be a timedelta, or a str such as '14d', not {given!r:.100}"
        raise TypeError(message)
    if not timedelta(0) < length <= _LONGEST:
        message = f"{given!r:.100} is not an age; expected hours, days or weeks, such as '36h', '14d' or '2w'"
        raise ValueError(message)
    return length


def age_text(length: timedelta) -> str:
    """Return an age as text: in days if they are whole, otherwise in hours.

    Examples:
        >>> age_text(timedelta(days=14)), age_text(timedelta(hours=36)), age_text(timedelta(minutes=90))
        ('14d', '36h', '1:30:00')
    """
    for unit in ("d", "h"):
        count, rest = divmod(length, _UNITS[unit])
        if count and not rest:
            return f"{count}{unit}"
    return str(length)
