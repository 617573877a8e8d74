"""What is remembered for as long as there is room."""

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Latest(OrderedDict[K, V]):
    """Values by key, at most `most` of them: a new one that was `put` takes the place of the oldest.

    Threads may share it: the methods of OrderedDict are of C, so that no thread sees half a change.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def put(self, key: K, value: V) -> None:
        """Keep a value, in place of an earlier one of the same key."""
        self[key] = value
        self._drop_oldest()

    def get_or_put(self, key: K, value: V) -> V:
        """Return the value of a key, which is the given one if there was none."""
        found = self.setdefault(key, value)
        self._drop_oldest()
        return found

    def _drop_oldest(self) -> None:
        while len(self) > self._most:
            self.popitem(last=False)
