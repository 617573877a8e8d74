"""Write text, bytes and JSON to standard output and standard error, safe for terminals."""

import errno
import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from typing import Final

_STYLES: Final = {"bold": "1", "red": "1;31", "yellow": "1;33", "green": "1;32", "cyan": "1;36"}
SEVERITY_STYLES: Final = {"error": "red", "warning": "yellow", "note": "cyan"}


def visible(text: str) -> str:
    r"""Escape all characters that are not printable, so that untrusted text cannot control a terminal (CLI-01).

    These are control characters, bidirectional formatting characters, line breaks, unusual spaces, and bytes of file
    names that are not valid UTF-8.

    >>> visible("a\x1b[31mb"), visible("safe\u202etxt.exe"), visible("caf\udce9")
    ('a\\x1b[31mb', 'safe\\u202etxt.exe', 'caf\\xe9')
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def decodable(text: str) -> str:
    r"""Escape only the bytes of file names that are not valid UTF-8, which JSON cannot represent.

    >>> decodable("tab\tcaf\udce9")
    'tab\tcaf\\xe9'
    """
    if text.isascii():
        return text
    return "".join(_escaped(character) if "\ud800" <= character <= "\udfff" else character for character in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not valid UTF-8, as Python represents it (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def styled(text: str, style: str) -> str:
    """Return the text in bold or in a colour if standard output is a terminal that supports it (no-color.org)."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def wrapped(text: str, indent: int) -> str:
    """Wrap text that begins at a column to the width of the terminal; keep one line in files and pipes, for grep."""
    if not sys.stdout.isatty():
        return text
    import shutil

    width = max(shutil.get_terminal_size().columns - indent, 20)
    if len(text) <= width:
        return text
    import textwrap

    return ("\n" + " " * indent).join(textwrap.wrap(text, width, break_on_hyphens=False))


def inert(text: str) -> str:
    r"""Escape what GitHub Actions would interpret as a workflow command, if this is a workflow (CLI-17).

    Such a line starts with `::`, after any spaces; the older form, `##[`, may be anywhere in a line. The escapes are
    those of JSON, so JSON keeps its meaning.

    >>> os.environ["GITHUB_ACTIONS"] = "true"
    >>> print(inert("  ::add-mask::1"), inert('{"a": "##[error]"}'))
      \u003a:add-mask::1 {"a": "\u0023#[error]"}
    >>> del os.environ["GITHUB_ACTIONS"]
    """
    if os.environ.get("GITHUB_ACTIONS") != "true" or not ("::" in text or "##[" in text):
        return text
    lines = text.replace("##[", "\\u0023#[").split("\n")
    starts = (line[: len(line) - len(line.lstrip())] for line in lines)
    return "\n".join(
        f"{start}\\u003a{line[len(start) + 1 :]}" if line.startswith("::", len(start)) else line
        for start, line in zip(starts, lines, strict=True)
    )


def counted(number: int, noun: str) -> str:
    """Return a number of things.

    Examples:
        >>> counted(1, "tag"), counted(2_000, "tag")
        ('1 tag', '2,000 tags')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def put(*lines: str) -> None:
    """Write lines of data to standard output."""
    with _naming_output():
        sys.stdout.writelines(f"{inert(line)}\n" for line in lines)


def put_command(line: str) -> None:
    """Write a workflow command of GitHub Actions to standard output. Its values must be escaped already."""
    with _naming_output():
        sys.stdout.write(f"{line}\n")


def put_octets(octets: bytes) -> None:
    """Write bytes to standard output unchanged; on a terminal, escaped (CLI-01)."""
    if sys.stdout.isatty():
        put(*map(visible, octets.decode("utf-8", "surrogateescape").split("\n")))
        return
    with _naming_output():
        sys.stdout.buffer.write(octets)


def put_json(value: object) -> None:
    """Write one JSON document, in ASCII."""
    import json

    put(json.dumps(value, indent=2))


def put_result(output: str, value: object, lines: Iterable[str]) -> None:
    """Write a result in the format of `--format`: `value` as JSON, or the lines of text."""
    if output == "json":
        put_json(value)
    else:
        put(*lines)


def flush_output() -> None:
    """Flush standard output."""
    with _naming_output():
        sys.stdout.flush()


@contextmanager
def _naming_output() -> Generator[None, None, None]:
    """Add the name of standard output to errors."""
    try:
        yield
    except OSError as failure:
        reason = "is closed" if failure.errno == errno.EBADF else failure.strerror
        raise OSError(failure.errno, reason, "standard output") from failure


def put_error(line: str) -> None:
    """Write a line to standard error after flushing standard output; do nothing if standard error is closed."""
    with suppress(OSError):  # errors of standard output are reported at the end
        sys.stdout.flush()
    with suppress(OSError, AttributeError):
        sys.stderr.write(inert(line) + "\n")
        sys.stderr.flush()
