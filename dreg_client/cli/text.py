"""Text for terminals: what strangers wrote is shown, never obeyed."""

import errno
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final

STANDARD_OUTPUT: Final = "standard output"
_STYLES: Final = {"bold": "1", "red": "1;31", "yellow": "1;33", "green": "1;32", "cyan": "1;36"}
_NARROWEST: Final = 20


def visible(text: str) -> str:
    r"""A stranger's text with all that has no picture spelled out, so that it cannot steer a terminal (CLI-01).

    Control characters, marks that reverse the direction of writing, breaks of lines, odd spaces; and bytes of file
    names that are no UTF-8.

    >>> visible("a\x1b[31mb"), visible("safe\u202etxt.exe"), visible("caf\udce9")
    ('a\\x1b[31mb', 'safe\\u202etxt.exe', 'caf\\xe9')
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _spelled(character) for character in text)


def decodable(text: str) -> str:
    r"""The same text, for programs: as it is, but for bytes of file names that are no UTF-8, which JSON cannot hold.

    >>> decodable("tab\tcaf\udce9")
    'tab\tcaf\\xe9'
    """
    if text.isascii():
        return text
    return "".join(_spelled(character) if "\ud800" <= character <= "\udfff" else character for character in text)


def _spelled(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as Python carries it (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def styled(text: str, style: str) -> str:
    """Bold or a colour, where the output is a terminal that may have it."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if has_colour() else text


def has_colour() -> bool:
    """Whether standard output is a terminal whose user did not switch colour off (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def wrapped(text: str, indent: int) -> str:
    """Text that begins at a column, wrapped there on a terminal; elsewhere one line, for grep and the like."""
    if not sys.stdout.isatty():
        return text
    import shutil

    width = max(shutil.get_terminal_size().columns - indent, _NARROWEST)
    if len(text) <= width:
        return text
    import textwrap

    return ("\n" + " " * indent).join(textwrap.wrap(text, width, break_on_hyphens=False))


def put(line: str) -> None:
    """Write a line of data to standard output."""
    with _output():
        sys.stdout.write(line + "\n")


def put_octets(octets: bytes) -> None:
    """Write bytes to standard output as they are; on a terminal, spelled out (CLI-01)."""
    if sys.stdout.isatty():
        for line in octets.decode("utf-8", "surrogateescape").split("\n"):
            put(visible(line))
        return
    with _output():
        sys.stdout.buffer.write(octets)


def put_all() -> None:
    """Hand on what was written so far."""
    with _output():
        sys.stdout.flush()


@contextmanager
def _output() -> Generator[None, None, None]:
    """What fails here names standard output."""
    try:
        yield
    except OSError as failure:
        reason = "is closed" if failure.errno == errno.EBADF else failure.strerror
        raise OSError(failure.errno, reason, STANDARD_OUTPUT) from failure


def put_json(value: object) -> None:
    """Write one JSON document for programs, in ASCII."""
    import json

    put(json.dumps(value, indent=2))


def put_error(line: str) -> None:
    """Write a line to standard error, behind the data that came before it; to nobody, where it is closed."""
    with suppress(OSError):  # standard output has its own check, at the end
        sys.stdout.flush()
    with suppress(OSError, AttributeError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
