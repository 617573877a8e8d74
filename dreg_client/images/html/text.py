"""Text for HTML pages. Documents are untrusted, so their text must neither become markup nor stay invisible."""

import re
from itertools import groupby
from typing import Final

from markupsafe import Markup, escape

from dreg_client.images.view import time_of

LONGEST: Final = 2000
_ODD: Final = Markup('<span class="odd">{}</span>')
_CUT: Final = Markup('<span class="cut">… truncated, {:,} characters in total</span>')
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def finalize(value: object) -> object:
    """Convert a value that a template prints: text is escaped by `shown`; markup is unchanged."""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def shown(text: str) -> Markup:
    r"""Escape text, cut it if it is very long, and replace and mark unprintable characters.

    These are control characters, bidirectional marks, line breaks and unusual spaces, which could reorder the text or
    hide parts of it.

    Examples:
        >>> print(shown("<b>\u202e"))
        &lt;b&gt;<span class="odd">\u202e</span>
    """
    part = text[:LONGEST]
    if part.isprintable():
        found = escape(part)
    else:
        runs = ((printable, "".join(run)) for printable, run in groupby(part, str.isprintable))
        found = Markup().join(escape(run) if printable else _ODD.format(spelled(run)) for printable, run in runs)
    return found if len(part) == len(text) else found + _CUT.format(len(text))


def spelled(text: str) -> Markup:
    r"""Escape text and replace unprintable characters, for attributes and the title, which cannot contain elements.

    Examples:
        >>> print(spelled("a\x1b\u2066'"))
        a\x1b\u2066&#39;
    """
    return escape("".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text))


def breakable(text: str) -> Markup:
    """Escape a dotted name, and allow a line break after each dot."""
    return shown(text).replace(".", Markup(".<wbr>"))


def timestamp(created: str) -> str:
    """Format a timestamp to the second, and Go's zero time as `-`. Text that is not a timestamp is unchanged.

    Examples:
        >>> timestamp("2024-05-20T08:00:00.123456789Z"), timestamp("0001-01-01T00:00:00Z"), timestamp("yesterday")
        ('2024-05-20 08:00:00 Z', '-', 'yesterday')
    """
    created = time_of(created)
    found = _TIME.fullmatch(created)
    return " ".join(found.groups()) if found else created


def clip(text: str, length: int) -> str:
    """Return at most `length` characters, followed by an ellipsis if the text is longer."""
    return text if len(text) <= length else text[:length] + "…"


def thousands(number: int) -> str:
    """Format a number with thousands separators."""
    return f"{number:,}"


def plural(noun: str, count: int) -> str:
    """Return a noun in the singular or plural, as in `layer` or `layers`."""
    return noun if count == 1 else f"{noun}s"


def is_https_url(url: str) -> bool:
    """Return whether text is an https URL, so that it may become a link."""
    return re.fullmatch(r"https://[!-~]+", url) is not None
