"""Read structs of Thrift's compact protocol, in which Parquet writes the headers of pages.

Only the members that the specification of Parquet gives as `i32` or struct are kept; all others are skipped, as the
readers that Thrift generates do.

Source: thrift, doc/specs/thrift-compact-protocol.md.
"""

from typing import Final, TypeAlias

Struct: TypeAlias = "dict[int, int | Struct]"
"""The members of a struct by their number: integers of 32 bits, and structs."""

_DEEPEST: Final = 32
_TRUE, _FALSE, _I8, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_WIDTHS: Final = {_I8: 1, _DOUBLE: 8}
_VARIABLE: Final = (_I16, _I64)
_WORD: Final = 32
_LONGEST_VARINT: Final = 10
_SHORT_SIZE: Final = 15


class IncompleteError(Exception):
    """The bytes end within the struct."""


def read_struct(raw: bytes | memoryview, start: int = 0) -> tuple[Struct, int]:
    """Return the struct that begins at an offset, and the offset after it.

    Raises:
        IncompleteError: The bytes end before the struct.
        ValueError: The bytes are not a struct.
    """
    reader = _Reader(raw, start)
    try:
        return reader.struct(0), reader.at
    except IndexError:
        raise IncompleteError from None


class _Reader:
    """The bytes, and the offset of the next one."""

    def __init__(self, raw: bytes | memoryview, at: int) -> None:
        self._raw = raw
        self.at: int = at

    def struct(self, depth: int) -> Struct:
        """Read a struct."""
        if depth > _DEEPEST:
            raise ValueError("structs are nested too deeply")
        members: Struct = {}
        number = 0
        while head := self._octet():
            number = number + (head >> 4) if head >> 4 else _signed(self._varint())
            kind = head & 15
            if kind == _I32:
                members[number] = _signed(self._varint() & (1 << _WORD) - 1)
            elif kind == _STRUCT:
                members[number] = self.struct(depth + 1)
            elif kind not in {_TRUE, _FALSE}:  # which are in the head
                self._skip(kind, depth)
        return members

    def _skip(self, kind: int, depth: int) -> None:
        """Skip a value."""
        if kind in _VARIABLE:
            self._varint()
        elif kind in _WIDTHS:
            self._advance(_WIDTHS[kind])
        elif kind == _BINARY:
            self._advance(self._varint())
        elif kind in {_LIST, _SET, _MAP}:
            self._skip_elements(kind, depth)
        else:
            raise ValueError(f"there is no type {kind}")

    def _skip_elements(self, kind: int, depth: int) -> None:
        head = self._octet() if kind != _MAP else _SHORT_SIZE << 4
        size = head >> 4 if head >> 4 != _SHORT_SIZE else self._varint()
        kinds = [head & 15]
        if kind == _MAP:
            packed = self._octet() if size else 0
            kinds = [packed >> 4, packed & 15]
        for _ in range(size):
            for element in kinds:
                self._element(element, depth)

    def _element(self, kind: int, depth: int) -> None:
        if kind in {_TRUE, _FALSE}:
            self._octet()
        elif kind == _I32:
            self._varint()
        elif kind == _STRUCT:
            self.struct(depth + 1)
        else:
            if depth > _DEEPEST:
                raise ValueError("lists are nested too deeply")
            self._skip(kind, depth + 1)

    def _octet(self) -> int:
        self.at += 1
        return self._raw[self.at - 1]

    def _advance(self, octets: int) -> None:
        self.at += octets
        if self.at > len(self._raw):
            raise IndexError

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 7 * _LONGEST_VARINT, 7):
            octet = self._octet()
            value |= (octet & 127) << shift
            if octet < 128:  # the highest bit: there are more
                return value
        raise ValueError("an integer is too long")


def _signed(zigzag: int) -> int:
    return zigzag >> 1 ^ -(zigzag & 1)


def member(struct: Struct, *path: int) -> int | None:
    """Return an integer, given the numbers that lead to it; None if it is missing."""
    found: int | Struct | None = struct
    for number in path:
        found = found.get(number) if isinstance(found, dict) else None
    return None if isinstance(found, dict) else found
