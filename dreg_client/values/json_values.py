"""Count the values of a JSON text before it is parsed, so that the memory for it is limited."""

import re

from dreg_client.values.sizes import MEBIBYTE

MAX_MEMORY = 64 * MEBIBYTE
"""The memory in bytes that any document may need. A large document may need `MEMORY_PER_BYTE` times its size."""
MEMORY_PER_BYTE = 20
VALUE = 480
"""The most bytes of memory for one value, as measured: its tree, its frozen copy, and both again to find problems."""
NAME = 200
"""The same for one name in a list of names, which has no model."""
FEW_VALUES = 25_000
"""Of a document with more values, only the first error in each list is reported: an error takes a kibibyte."""

_SEPARATORS = b"[{,"
_OTHERS = bytes(set(range(256)) - set(_SEPARATORS + b'"'))
_IN_STRING = re.compile(rb'"[^"]*"?')


def most_values(raw: bytes, value: int = VALUE) -> int:
    """Return the maximum number of values in a text, so that the memory for it is limited before it is parsed."""
    return max(MAX_MEMORY, len(raw) * MEMORY_PER_BYTE) // value


def has_many_values(raw: bytes) -> bool:
    """Return whether a JSON text may have more than `FEW_VALUES` values."""
    return sum(map(raw.count, _SEPARATORS)) > FEW_VALUES


def has_too_many_values(raw: bytes, value: int = VALUE) -> bool:
    """Return whether a JSON text has too many values, without parsing it: lists, objects, and further entries."""
    most = most_values(raw, value)
    if sum(map(raw.count, _SEPARATORS)) <= most:
        return False
    # Separators inside of strings do not count. Escapes are removed first, so that each quotation mark begins or ends
    # a string, and then everything but separators and strings that contain some.
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _OTHERS).replace(b'""', b"")
    count, end = 0, 0
    for found in _IN_STRING.finditer(plain):
        count, end = count + found.start() - end, found.end()
        if count > most:
            return True
    return count + len(plain) - end > most
