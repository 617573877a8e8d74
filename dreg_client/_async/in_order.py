"""Concurrent calls whose results are returned in order."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from dreg_client._async._compat import TaskGroup
from dreg_client.errors.groups import first_error_only

AT_A_TIME: Final = 8
"""How many requests for small answers to send to one store at a time, as many as it has connections by default."""
T = TypeVar("T")
R = TypeVar("R")


async def in_order(function: Callable[[T], Awaitable[R]], items: Sequence[T], *, at_a_time: int) -> list[R]:
    """Call a function with each item, at most `at_a_time` concurrently; return the results in the order of the items.

    If a call fails, running calls are cancelled, no further ones are made, and its error is raised.
    """
    workers = min(at_a_time, len(items))
    if workers < 2:
        return [await function(item) for item in items]
    left = iter(enumerate(items))  # implemented in C, so no two threads get the same item
    results: dict[int, R] = {}

    async def work() -> None:
        for number, item in left:
            results[number] = await function(item)

    with first_error_only():
        async with TaskGroup() as group:
            for _ in range(workers):
                group.start_soon(work)
        return [results[number] for number in range(len(items))]
