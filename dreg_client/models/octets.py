"""What callers pass as a document: its bytes, its text, a path, or an open file."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from dreg_client.errors.problems import Problem
from dreg_client.values.sizes import MAX_DOCUMENT

RawDocument: TypeAlias = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO
"""A document as it is stored: its bytes, its text (encoded as UTF-8), the path of its file as a `Path`, or a file that
is open for reading bytes. A `str` is always text, never a path."""

_EXPECTED = "a document is its bytes, its text (str), a pathlib.Path, or a file opened with 'rb'"


def octets_of(raw: RawDocument, limit: int = MAX_DOCUMENT) -> bytes:
    """Return the bytes of a document; of a file at most one more than `limit`, enough to see that it is longer.

    A lone surrogate in a text is kept, and is rejected later (GEN-01).

    Raises:
        TypeError: It is something else; the error says what to pass.
        OSError: The file cannot be read.
    """
    if isinstance(raw, bytes):
        return raw
    if isinstance(raw, str):
        return raw.encode("utf-8", "surrogatepass")
    if isinstance(raw, bytearray | memoryview):
        return bytes(raw)
    if isinstance(raw, os.PathLike):
        with Path(raw).open("rb") as file:
            return file.read(limit + 1)
    if callable(getattr(raw, "read", None)):
        return _read(raw, limit + 1)
    raise TypeError(f"{_EXPECTED}; not {type(raw).__name__}{_hint(raw)}")


def with_path_advice(raw: object, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return the problems of a document; if it is no JSON, but a text that is the path of a file, with what to pass."""
    if not isinstance(raw, str) or not any(problem.rule == "GEN-01" for problem in problems) or not _is_file(raw):
        return problems
    advice = "; the text is the path of a file: pass it as a pathlib.Path to read the file"
    return tuple(
        replace(problem, expected=problem.expected + advice) if problem.rule == "GEN-01" else problem
        for problem in problems
    )


def _is_file(text: str) -> bool:
    with suppress(OSError, ValueError):  # the text is too long for a path, or has NUL in it
        return Path(text).is_file()
    return False


def _read(file: BinaryIO, most: int) -> bytes:
    """Read a file that may return less than it is asked for, such as a pipe."""
    chunks: list[bytes] = []
    while most > 0:
        chunk = cast("object", file.read(most))
        if not isinstance(chunk, bytes):
            raise TypeError(f"{_EXPECTED}; this file returns {type(chunk).__name__} instead of bytes")
        if not chunk:
            break
        chunks.append(chunk)
        most -= len(chunk)
    return b"".join(chunks)


def _hint(raw: object) -> str:
    """Return what to pass instead of some common types."""
    if isinstance(raw, dict | list):
        return ": parsed JSON has lost the bytes that the digest is of; pass what json.loads was given"
    for name in ("raw", "content"):
        if isinstance(getattr(raw, name, None), bytes):
            return f": pass its bytes, .{name}"
    return ""
