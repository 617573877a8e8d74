"""A dictionary of limited size."""

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Latest(OrderedDict[K, V]):
    """A dictionary with at most `most` items; adding another one removes the oldest.

    Threads may share it: the methods of OrderedDict are written in C, so each of them is atomic.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def put(self, key: K, value: V) -> None:
        """Add a value, or replace the value of the key."""
        self[key] = value
        self._drop_oldest()

    def get_or_put(self, key: K, value: V) -> V:
        """Return the value of a key; add the given value first if the key has none."""
        found = self.setdefault(key, value)
        self._drop_oldest()
        return found

    def _drop_oldest(self) -> None:
        while len(self) > self._most:
            self.popitem(last=False)
