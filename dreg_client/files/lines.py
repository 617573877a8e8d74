"""Read the lines of a file or stream with one document per line (JSON Lines), in bounded memory."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import BinaryIO, Final

import orjson

from dreg_client.errors import FileError
from dreg_client.files.compressed import compression_of
from dreg_client.values.json_values import has_too_many_values
from dreg_client.values.sizes import MAX_DOCUMENT, MEBIBYTE

LONGEST_LINE: Final = 8 * MAX_DOCUMENT
PARQUET_MAGIC: Final = b"PAR1"
"""The first bytes of a Parquet file, which has no lines."""
_SKIPPED: Final = MEBIBYTE
_ENOUGH: Final = 2
"""The number of non-empty lines that distinguish a dump from an indented document."""
_MOST_EMPTY: Final = 100
"""The maximum number of lines in which these non-empty lines are searched for."""


def check_has_lines(start: bytes, name: str) -> None:
    """Raise `FileError` if a file with these first bytes is compressed or Parquet, so that it has no lines to read."""
    if (compression := compression_of(start)) is not None:
        advice = "use find_partitions, or pass decompressed lines to validate_lines"
        raise FileError(name, f"is compressed ({compression.name}); {advice}")
    if start.startswith(PARQUET_MAGIC):
        advice = "use find_partitions, with a name that ends in .parquet"
        raise FileError(name, f"is a Parquet file, not JSON Lines; {advice}")


def text_of_line(line: bytes) -> bytes:
    """Return a line without the white space around its document; b"" if it is empty.

    A line that is too long is never empty, whatever it contains: of such a line, the rest may have been cut.
    """
    return line if len(line) >= LONGEST_LINE else line.strip()


def placed_lines(dump: BinaryIO, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that start at or after `start` and before `stop`, each with the offset of its first byte."""
    if start and not _is_at_line(dump, start, stop):
        return
    lines = bounded_lines(dump)
    while (offset := dump.tell()) < stop and (line := next(lines, b"")):
        yield offset, line


def _is_at_line(dump: BinaryIO, start: int, stop: int) -> bool:
    """Move to the first line that starts at or after `start`; return False if none starts before `stop`.

    Nothing after `stop` is read: a line of many stretches would otherwise be read to its end for each of them.
    """
    dump.seek(start - 1)
    left = stop - start
    while left > 0 and (piece := dump.readline(left)):
        if piece.endswith(b"\n"):
            return True
        left -= len(piece)
    return False


def bounded_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a stream in bounded memory. A line that is too long for a document is cut."""
    while line := stream.readline(LONGEST_LINE):
        if not line.endswith(b"\n"):
            _skip_line(stream)
        yield line


def _skip_line(stream: BinaryIO) -> None:
    """Read to the end of a line."""
    while (rest := stream.readline(_SKIPPED)) and not rest.endswith(b"\n"):
        pass


def whole_document(lines: Iterator[bytes]) -> tuple[bytes | None, Iterator[bytes]]:
    """Find out whether all lines together are a single document.

    Returns:
        The document, or None if each line has its own; and an iterator of all lines. A document that is too long is
        cut, but remains longer than the limit.
    """
    first: list[bytes] = []
    texts: list[bytes] = []
    for line in islice(lines, _MOST_EMPTY):
        first.append(line)
        texts += filter(None, [text_of_line(line)])
        if len(texts) == _ENOUGH or sum(map(len, first)) >= LONGEST_LINE:
            break
    every = chain(first, lines)
    if not _begin_document(texts):
        return None, every
    octets = bytearray()
    for line in every:
        octets += line
        if len(octets) >= LONGEST_LINE:
            break
    return bytes(octets), iter(())


def _begin_document(texts: list[bytes]) -> bool:
    """Return whether the first two lines belong to one document. A line of a dump is a complete JSON object."""
    if len(texts) < _ENOUGH or texts[0][:1] not in {b"{", b"["} or (texts[0][:1] == b"{" and texts[1][:1] not in b'"}'):
        return False
    if has_too_many_values(texts[0]):  # it is rejected either way
        return False
    try:
        orjson.loads(texts[0])
    except orjson.JSONDecodeError:
        return True
    return False
