"""Limits of documents, in a module that builds no model."""

from typing import Final

from dreg_client.values.sizes import MEBIBYTE

MAX_DOCUMENT: Final = 4 * MEBIBYTE
"""The default for the maximum size of a document in bytes (GEN-05)."""
