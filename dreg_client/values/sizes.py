"""Units of size, and the default size limit of documents."""

from typing import Final

KIBIBYTE: Final = 1024
MEBIBYTE: Final = 1024 * KIBIBYTE
MAX_DOCUMENT: Final = 4 * MEBIBYTE
"""The default maximum size of a document in bytes (GEN-05)."""
FAR: Final = 1 << 62
"""More bytes than any file has."""
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_SMALL: Final = 64 * MEBIBYTE
_MAX_RATIO: Final = 200


def most_decompressed(compressed: int) -> int:
    """Return the most bytes to accept from compressed ones if the right size is unknown: beyond, it is a bomb."""
    return max(_SMALL, compressed * _MAX_RATIO)


def byte_size(octets: int) -> str:
    """Format a number of bytes, in powers of 1024.

    Examples:
        >>> byte_size(532), byte_size(32_654), byte_size(2**63 - 1)
        ('532 B', '31.9 KiB', '8.0 EiB')
    """
    amount, unit = float(octets), 0
    while amount >= 1023.95 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{octets} B" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"
