"""Limit the memory that the pages of a Parquet file need, by their headers, before pyarrow decompresses them.

The footer of a file can state any sizes; the headers of pages cannot, since pyarrow follows them.

Source: parquet-format, parquet.thrift, `PageHeader`.
"""

import os
from dataclasses import dataclass
from typing import BinaryIO, Final

from dreg_client.values.sizes import MAX_DOCUMENT, MEBIBYTE
from dreg_client.values.thrift import IncompleteError, Struct, member, read_struct

MOST_OF_PAGE: Final = 512 * MEBIBYTE
"""The maximum size of a page in bytes without compression. It is decompressed as a whole."""
MOST_NESTED: Final = 8 * 1024 * 1024
"""The maximum number of values of a row group in lists, maps and so on, since one row may have all of them."""
_MOST_OF_NESTED: Final = 512 * MEBIBYTE
"""The maximum size of these values in bytes if each was as large as the largest one."""
MOST_WIDTH: Final = MEBIBYTE
"""The maximum size of values of a fixed size in bytes."""
_MOST_LENGTHS: Final = 16 * 1024 * 1024
"""The maximum number of values of a page whose lengths are all decoded at once."""
_MOST_OF_STEP: Final = 64 * MEBIBYTE
"""The size of the values that are read at a time, without that of the pages at the start and the end of them."""
_LONGEST_HEADER: Final = MEBIBYTE
SMALL_STEP: Final = 32
"""The number of rows that are read at a time: few enough that even large values fit into the memory."""

_DICTIONARY_PAGE: Final = 2
_DATA_PAGES: Final = {0: 5, 3: 8}
"""The member that describes a data page, by the type of the page."""
_IN_DICTIONARY: Final = (2, 8)
_DELTA: Final = 7
_DELTA_LENGTHS: Final = (5, 6, _DELTA)
_ADVICE: Final = "write the file with smaller row groups"


class DecidedError(Exception):
    """The first headers of a column show that it is not to be read as a dictionary. Its values need not be read."""


class SmallerStepsError(Exception):
    """The rows must be read again, fewer at a time."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.rows: int = rows


class PlainValuesError(Exception):
    """The rows must be read again, without a dictionary of a column: pyarrow would add too many other values to it."""

    def __init__(self, leaf: "Leaf") -> None:
        super().__init__(leaf.path)
        self.leaf: Leaf = leaf


@dataclass(slots=True)
class Leaf:
    """A column of Parquet, which has values of one physical type.

    Attributes:
        number: Its number in the file, from 0.
        path: Its name, with those of the columns that contain it. Several columns may have the same one.
        is_nested: Whether one row may have any number of values.
        is_bytes: Whether its values are of any size.
        has_views: Whether it is in list views, in which pyarrow cannot convert dictionaries.
        width: The size of a value in bytes, or of the largest one of its dictionary; 0 if it is unknown.
        is_dictionary: Whether it is read as a dictionary.
    """

    number: int
    path: str
    is_nested: bool
    is_bytes: bool
    has_views: bool
    width: int
    is_dictionary: bool = False


_UNKNOWN: Final = Leaf(-1, "?", is_nested=True, is_bytes=True, has_views=False, width=0)


@dataclass(slots=True)
class ColumnChunk:
    """The pages of a column in a row group, as far as they were read.

    Attributes:
        leaf: The column.
        at: The offset of the next header.
        rest: The start of that header, if it was read in part.
        dictionary: The size of the dictionary in bytes; 0 if there is none.
        pages: The number of pages.
        values: The number of values.
        plain: The size in bytes of those that are not in the dictionary.
    """

    leaf: Leaf
    at: int
    rest: bytes = b""
    dictionary: int = 0
    pages: int = 0
    values: int = 0
    plain: int = 0

    @property
    def is_decided(self) -> bool:
        """Whether its headers show that it is not to be read as a dictionary."""
        if not self.leaf.is_bytes:
            return True
        return self.pages > 0 and (not self.dictionary or (not self.leaf.is_nested and not self.has_large_dictionary))

    @property
    def has_large_dictionary(self) -> bool:
        """Whether its dictionary may have values that are too large to be repeated."""
        return self.dictionary > MAX_DOCUMENT

    def begin_header(self, part: memoryview) -> None:
        """Note the start of a header, the rest of which was not read yet."""
        if len(part) > _LONGEST_HEADER:
            raise self._error(f"a header of a page of more than {_LONGEST_HEADER:,} bytes")
        self.rest = bytes(part)

    def add(self, header: Struct, step: int, *, is_first: bool) -> None:
        """Check the header of the next page. `step` is the number of rows that are read at a time."""
        sizes = [-1 if (size := member(header, number)) is None else size for number in (2, 3)]
        if min(sizes) < 0:
            raise self._error("a page without a valid size")
        size = max(sizes)  # one without compression is as large as it is stored, whatever else it states
        if size > MOST_OF_PAGE:
            raise self._error(f"a page of {size:,} bytes, more than {MOST_OF_PAGE:,}; {_ADVICE}")
        kind = member(header, 1)
        if kind == _DICTIONARY_PAGE:
            if self.pages and not is_first:
                raise self._error("a dictionary after other pages")
            self.dictionary = size
        elif kind in _DATA_PAGES:
            described = _DATA_PAGES[kind]
            encoding = member(header, described, 4 if kind else 2)
            self._add_values(size, member(header, described, 1) or 0, encoding, step)
        self.pages += 1

    def _add_values(self, size: int, values: int, encoding: int | None, step: int) -> None:
        self.values += values
        self._check_number()
        if encoding in _DELTA_LENGTHS and values > _MOST_LENGTHS:
            raise self._error(f"a page of {values:,} values, more than {_MOST_LENGTHS:,}; {_ADVICE}")
        if encoding == _DELTA:
            self._check_shared(size, values, step)
        elif encoding in _IN_DICTIONARY:
            self._check_repeated(step)
        else:
            self.plain += size
            if self.leaf.is_dictionary and self.plain > _MOST_OF_STEP:
                raise PlainValuesError(self.leaf)
            _check_step(size // max(values, 1), step, SMALL_STEP)

    def _check_number(self) -> None:
        """Check the number of values that one row may have."""
        largest = 1 if self.leaf.is_dictionary else max(self.leaf.width, 1)
        most = min(MOST_NESTED, _MOST_OF_NESTED // largest)
        if self.leaf.is_nested and self.values > most:
            raise self._error(f"more than {most:,} values in a row group; {_ADVICE}")

    def _check_repeated(self, step: int) -> None:
        """Check a page whose values are in the dictionary."""
        if self.plain and (self.leaf.is_nested or self.has_large_dictionary):  # what was read shows none of them
            raise self._error("values of its dictionary after others")
        if not self.leaf.is_dictionary:
            _check_step(self.leaf.width or self.dictionary, step, 1 if self.leaf.width else SMALL_STEP)

    def _check_shared(self, size: int, values: int, step: int) -> None:
        """Check a page whose values share prefixes, so that each may be as large as the page."""
        if self.leaf.is_nested and size * values > _MOST_OF_NESTED:
            raise self._error("lists of strings that are encoded as DELTA_BYTE_ARRAY; write them with another encoding")
        _check_step(size, step, 1)

    def _error(self, found: str) -> ValueError:
        return ValueError(f"the column {self.leaf.path!r:.200} has {found}")


def _check_step(size: int, step: int, least: int) -> None:
    """Raise SmallerStepsError if values of this size are too large for a step, unless it has the least rows."""
    if size * step > _MOST_OF_STEP and step > least:
        raise SmallerStepsError(max(_MOST_OF_STEP // size, least))


class PagesFile:
    """A Parquet file, whose headers of pages are checked when pyarrow reads them.

    pyarrow reads the pages of a column forwards. So what is read where another read ended belongs to the same column.

    Attributes:
        step: The number of rows that are read at a time.
        chunk: The column chunk that was begun last.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._leaves: dict[int, Leaf] = {}
        self._chunks: dict[int, ColumnChunk] = {}
        self._begun: list[ColumnChunk] = []
        self._expected: Leaf | None = None
        self._looked_at = False
        self.step: int = SMALL_STEP
        self.chunk: ColumnChunk | None = None
        self.closed: bool = False

    def begin(self) -> None:
        """Begin with another row group."""
        self._leaves.clear()

    def look_at(self, leaf: Leaf) -> None:
        """Note that the next read is that of the first pages of a column, until DecidedError."""
        self._forget()
        self._expected, self._looked_at, self.chunk, self.step = leaf, True, None, 1

    def read_rows(self, step: int) -> None:
        """Note that the rows are read next, so many at a time."""
        self._forget()
        self._expected, self._looked_at, self.step = None, False, step

    def _forget(self) -> None:
        self._chunks.clear()
        self._begun.clear()

    def most_values(self) -> int:
        """Return the number of values of the longest column that has one value a row, as far as it was read."""
        return max((chunk.values for chunk in self._begun if not chunk.leaf.is_nested), default=0)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position, as in any file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def close(self) -> None:
        """Do nothing: whoever opened the file closes it."""

    def read(self, size: int = -1) -> bytes:
        """Read bytes.

        Raises:
            ValueError: A page in them is too large, or has no valid header.
            SmallerStepsError: A page in them has values that are too large for `step`.
            DecidedError: See `look_at`.
        """
        start = self._file.tell()
        found = self._file.read(size)
        if self._expected is not None:
            if start in self._leaves:
                names = f"{self._leaves[start].path!r:.200} and {self._expected.path!r:.200}"
                raise ValueError(f"the columns {names} have the same pages")
            self._leaves[start], self._expected = self._expected, None
        if self._leaves:
            self._check(start, found)
        if self._looked_at and self.chunk is not None and self.chunk.is_decided:
            raise DecidedError
        return found

    def _check(self, start: int, found: bytes) -> None:
        """Check the headers that are in bytes from an offset."""
        chunk = self._chunks.pop(start, None)
        if start in self._leaves or chunk is None:
            self.chunk = chunk = ColumnChunk(self._leaves.get(start, _UNKNOWN), start)
            self._begun.append(chunk)
        self._chunks[start + len(found)] = chunk
        known = memoryview(chunk.rest + found if chunk.rest else found)
        first = start - len(chunk.rest)
        chunk.rest = b""
        while chunk.at < first + len(known):
            try:
                header, after = read_struct(known, chunk.at - first)
            except IncompleteError:
                chunk.begin_header(known[chunk.at - first :])
                break
            chunk.add(header, self.step, is_first=chunk.at in self._leaves)
            chunk.at = first + after + (member(header, 3) or 0)
