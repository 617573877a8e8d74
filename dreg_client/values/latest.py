"""What is remembered for as long as there is room."""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Latest(Generic[K, V]):
    """Values by key, at most `most` of them: a new one takes the place of the oldest. Threads may share it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()  # whose methods are of C, so that no thread sees half a change

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """Return the value of a key; None if there is none (any more)."""
        return self._kept.get(key)

    def put(self, key: K, value: V) -> None:
        """Keep a value, in place of an earlier one of the same key."""
        self._kept[key] = value
        self._drop_oldest()

    def setdefault(self, key: K, value: V) -> V:
        """Return the value of a key, which is the given one if there was none."""
        found = self._kept.setdefault(key, value)
        self._drop_oldest()
        return found

    def clear(self) -> None:
        """Forget all values."""
        self._kept.clear()

    def _drop_oldest(self) -> None:
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
