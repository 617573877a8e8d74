# Generated from dreg_client/_async/attempt.py by tools/generate_sync.py. Do not edit.
"""Calls whose failure does not stop the others."""

from collections.abc import Callable
from typing import TypeVar

from dreg_client import errors
from dreg_client._sync.copier import concerns_everything

T = TypeVar("T")
R = TypeVar("R")


def attempt(function: Callable[[T], R], item: T) -> R | errors.DregError:
    """Return what a function returns, or its error, unless all other calls would fail for the same reason."""
    try:
        return function(item)
    except errors.DregError as failure:
        if concerns_everything(failure):
            raise
        return failure
