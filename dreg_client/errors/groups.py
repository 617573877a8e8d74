"""Unwrap what a task group raises: users see the error itself, not a group of errors."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error to show of a group: an interrupt or exit if there is one, else the error that came first."""
    leaves = _leaves(group)
    return next((error for error in leaves if not isinstance(error, Exception)), leaves[0])


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    group = cast("BaseExceptionGroup[BaseException]", error)
    return [leaf for inner in group.exceptions for leaf in _leaves(inner)]


@contextmanager
def first_error_only() -> Generator[None]:
    """Raise the first error of a group (see `first_error`) in place of the group. Put it around a task group."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise first_error(group) from None
