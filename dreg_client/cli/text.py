"""Text for terminals: what strangers wrote is shown, never obeyed."""

import os
import sys
import unicodedata
from typing import Final

import click

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def visible(text: str) -> str:
    r"""A stranger's text with its control characters spelled out, so that it cannot steer a terminal (CLI-01).

    >>> visible("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelled(character) for character in text)


def _spelled(character: str) -> str:
    # Cf: marks of writing direction reorder what is shown; Cs and Co have no picture; Zl and Zp break lines.
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}:
        return character.encode("unicode_escape").decode("ascii")
    return character


def size(octets: int) -> str:
    """A number of bytes as people read it.

    >>> size(532), size(32_654)
    ('532 B', '31.9 KiB')
    """
    amount, unit = float(octets), 0
    while amount >= 1023.95 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{octets} B" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"


def bold(text: str) -> str:
    """Emphasis, where the output is a terminal that may have colour."""
    return click.style(text, bold=True) if has_colour() else text


def coloured(text: str, colour: str) -> str:
    """Colour, where the output is a terminal that may have it."""
    return click.style(text, fg=colour, bold=True) if has_colour() else text


def has_colour() -> bool:
    """Whether standard output is a terminal whose user did not switch colour off (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
