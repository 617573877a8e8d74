"""Call a function for many files at a time, if each call waits for a network."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final, Generic, Self, TypeVar

S = TypeVar("S")
T = TypeVar("T")
_WAITING: Final = 2
"""The calls for each thread that have ended or wait: enough to keep it busy, few enough for constant memory."""


def map_at_once(function: Callable[[S], T], given: Iterable[S], at_once: int) -> Iterator[T]:
    """Call a function in several threads; yield the results in order. With 1 at once, no thread is started."""
    if at_once == 1:
        yield from map(function, given)
        return
    threads = ThreadPoolExecutor(at_once)
    calls, waiting = iter(given), deque[Future[T]]()
    try:
        while True:
            most = at_once * _WAITING - len(waiting)
            waiting.extend(threads.submit(function, each) for each in islice(calls, most))
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        threads.shutdown(cancel_futures=True)


class ListedAhead(Generic[T]):
    """Takes items from the end of a list, with the result of a call for each; calls for the last ones begin before.

    The list may grow at its end meanwhile, as when a tree is walked. A context manager, which ends all calls.

    Args:
        function: What to call.
        at_once: How many calls may run at a time. With 1, no thread is started.
    """

    def __init__(self, function: Callable[[str], T], at_once: int) -> None:
        self._function, self._at_once = function, at_once
        self._threads = ThreadPoolExecutor(at_once) if at_once > 1 else None
        self._calls: dict[str, Future[T]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)

    def pop(self, items: list[str]) -> tuple[str, T]:
        """Remove the last item; return it, and its result."""
        if self._threads is None:
            return (item := items.pop()), self._function(item)
        for each in items[: -self._at_once - 1 : -1]:
            if each not in self._calls:
                self._calls[each] = self._threads.submit(self._function, each)
        return (item := items.pop()), self._calls.pop(item).result()
