"""Unwrap the exception groups of task groups, so that users see the error itself."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error of a group to report: an interrupt or exit if there is one, otherwise the first error."""
    leaves = _leaves(group)
    return next((error for error in leaves if not isinstance(error, Exception)), leaves[0])


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    group = cast("BaseExceptionGroup[BaseException]", error)
    return [leaf for inner in group.exceptions for leaf in _leaves(inner)]


@contextmanager
def first_error_only() -> Generator[None]:
    """Raise the first error of a group (see `first_error`) instead of the group. Wrap a task group in it."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise first_error(group) from None
