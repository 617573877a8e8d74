"""Apply `deadline=` to calls that may send many requests."""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, TypeVar, cast

from dreg_client._async._compat import in_call
from dreg_client.protocol.deadlines import CallDeadline, current_call

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])
T = TypeVar("T")


def limited(method: F) -> F:
    """Return the method with a limit for each call: `_deadline_seconds` of its object (None: no limit). A decorator.

    It belongs on each method that may send several requests. Iterators and streams take care of the limit themselves,
    because they run in the context of their caller.
    """

    @wraps(method)
    async def call(self: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 (of any method)
        seconds: float | None = self._deadline_seconds
        if seconds is None:
            return await method(self, *arguments, **options)
        return await within(seconds, partial(method, self, *arguments, **options))

    return cast("F", call)


async def within(seconds: float | None, function: Callable[[], Awaitable[T]]) -> T:
    """Call a function, all requests of which must be complete within `seconds`, unless a limited call calls it."""
    if seconds is None or current_call.get() is not None:
        return await function()
    return await in_call(CallDeadline(seconds), function)
