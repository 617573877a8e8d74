"""Units of size, and the default size limit of documents."""

from typing import Final

KIBIBYTE: Final = 1024
MEBIBYTE: Final = 1024 * KIBIBYTE
MAX_DOCUMENT: Final = 4 * MEBIBYTE
"""The default maximum size of a document in bytes (GEN-05)."""
_SMALL: Final = 64 * MEBIBYTE
_MAX_RATIO: Final = 200


def most_decompressed(compressed: int) -> int:
    """Return the most bytes to accept from compressed ones if the right size is unknown: beyond, it is a bomb."""
    return max(_SMALL, compressed * _MAX_RATIO)
