"""Mappings and lists that are deeply immutable, hashable and picklable."""

from typing import TYPE_CHECKING, NoReturn, Self, TypeVar, cast

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """An immutable dict: equal to a plain dict of the same members, hashed by content, picklable."""

    __slots__ = ()

    if not TYPE_CHECKING:  # type checkers see the methods of a dict; documents declare Mapping

        def _reject(self, *_: object, **__: object) -> NoReturn:
            message = "documents are immutable; change a copy made by dict(...)"
            raise TypeError(message)

        __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _reject

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[Self], tuple[dict[K, V]]]:
        return type(self), (dict(self),)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self


class TooDeepError(Exception):
    """A value is nested deeper than the limit."""


def freeze(value: object, levels: int) -> object:
    """Return a deeply immutable JSON value of at most `levels`: objects become `FrozenDict`, lists become tuples."""
    if not isinstance(value, dict | list | tuple):
        return value
    if levels == 0:
        raise TooDeepError
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return FrozenDict({name: freeze(inner, levels - 1) for name, inner in members.items()})
    return tuple(freeze(inner, levels - 1) for inner in cast("list[object]", value))
