"""Limits of documents, in a module that builds no model."""

from typing import Final

from dreg_client.values.sizes import MEBIBYTE

MAX_DOCUMENT: Final = 4 * MEBIBYTE
"""The most bytes of a document that are read unless the caller sets another limit (GEN-05)."""
