"""The forms in which callers pass a document: bytes, JSON text, a path, or an open file."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from dreg_client.errors.problems import Problem
from dreg_client.values.sizes import MAX_DOCUMENT

RawDocument: TypeAlias = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO
"""A document: its bytes, its JSON as a `str` (encoded as UTF-8), its path as a `Path`, or a file opened with `rb`.

A `str` is always JSON, never a path."""

_EXPECTED = "a document must be bytes, JSON as a str, a pathlib.Path, or a file opened with 'rb'"


def octets_of(raw: RawDocument, limit: int = MAX_DOCUMENT) -> bytes:
    """Return the bytes of a document.

    From a file, at most `limit + 1` bytes are read, which shows that it exceeds the limit. A lone surrogate in a string
    is kept, and rejected later (GEN-01).

    Raises:
        TypeError: The argument has another type.
        OSError: The file cannot be read.
    """
    if isinstance(raw, str):
        return str.encode(raw, "utf-8", "surrogatepass")
    if isinstance(raw, bytes | bytearray | memoryview):
        return raw if type(raw) is bytes else memoryview(raw).tobytes()  # a subclass may state another length
    if isinstance(raw, os.PathLike):
        with Path(raw).open("rb") as file:
            return file.read(limit + 1)
    if callable(getattr(raw, "read", None)):
        return _read(raw, limit + 1)
    raise TypeError(f"{_EXPECTED}, not {type(raw).__name__}{_hint(raw)}")


def check_order(document: object, reference: object) -> None:
    """Raise TypeError if a document was passed as the reference, and a reference as the document."""
    is_document = isinstance(reference, bytes | bytearray) or isinstance(getattr(reference, "raw", None), bytes)
    if is_document and isinstance(document, str):
        raise TypeError(f"the document comes first: put_manifest(document, {document[:100]!r})")


def with_path_advice(raw: object, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return the problems of a document, with advice if it is a string that is the path of a file instead of JSON."""
    if not isinstance(raw, str) or not any(problem.rule == "GEN-01" for problem in problems) or not _is_file(raw):
        return problems
    advice = "; to read the file at this path, pass a pathlib.Path"
    return tuple(
        replace(problem, expected=problem.expected + advice) if problem.rule == "GEN-01" else problem
        for problem in problems
    )


def _is_file(text: str) -> bool:
    with suppress(OSError, ValueError):  # the string is too long for a path, or contains NUL
        return Path(text).is_file()
    return False


def _read(file: BinaryIO, most: int) -> bytes:
    """Read up to `most` bytes from a file that may return fewer at a time, such as a pipe."""
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
    """Return advice on what to pass instead of some common types."""
    if isinstance(raw, dict | list):
        return "; parsed JSON has lost the exact bytes, so pass the original input of json.loads"
    for name in ("raw", "content"):
        if isinstance(getattr(raw, name, None), bytes):
            return f"; pass its bytes, .{name}"
    return ""
