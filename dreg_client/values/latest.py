"""A dictionary of limited size."""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Latest(OrderedDict[K, V]):
    """A dictionary with at most `most` items; adding another one removes the oldest.

    If `size_of` returns the size of a value in bytes, the oldest are also removed until all have at most `most_bytes`.

    Threads may share it: the methods of OrderedDict are written in C, so each of them is atomic.
    """

    def __init__(self, most: int, most_bytes: int = 0, size_of: Callable[[V], int] | None = None) -> None:
        super().__init__()
        self._most, self._most_bytes, self._size_of = most, most_bytes, size_of

    def put(self, key: K, value: V) -> None:
        """Add a value, or replace the value of the key."""
        self[key] = value
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        while len(self) > self._most:
            self.popitem(last=False)
        if self._size_of is not None:
            self._drop_excess(self._size_of)

    def _drop_excess(self, size_of: Callable[[V], int]) -> None:
        # `dict.values` does not call Python code: other threads may change the dictionary meanwhile.
        excess = sum(map(size_of, [*super(OrderedDict, self).values()])) - self._most_bytes
        with suppress(KeyError):  # other threads have removed everything
            while excess > 0:
                excess -= size_of(self.popitem(last=False)[1])
