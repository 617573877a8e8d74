"""Calls whose failure does not stop the others."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from dreg_client import errors
from dreg_client._async.copier import concerns_everything

T = TypeVar("T")
R = TypeVar("R")


async def attempt(function: Callable[[T], Awaitable[R]], item: T) -> R | errors.DregError:
    """Return what a function returns, or its error, unless all other calls would fail for the same reason."""
    try:
        return await function(item)
    except errors.DregError as failure:
        if concerns_everything(failure):
            raise
        return failure
