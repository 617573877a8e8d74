"""Units of size, and the default size limit of documents."""

from typing import Final

KIBIBYTE: Final = 1024
MEBIBYTE: Final = 1024 * KIBIBYTE
MAX_DOCUMENT: Final = 4 * MEBIBYTE
"""The default maximum size of a document in bytes (GEN-05)."""
