"""Immutable JSON values: objects as `FrozenDict`, lists as tuples."""

from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar, cast

from pydantic import GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from dreg_client.models.grammars import broken
from dreg_client.models.json_text import MAX_DEPTH
from dreg_client.models.lenient import DEPTH_PROVEN, LENIENT

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """An immutable dict: equal to a plain dict of the same members, hashed by content, picklable."""

    __slots__ = ()

    if not TYPE_CHECKING:  # type checkers see the methods of a dict; documents declare Mapping

        def _reject(self, *_: object, **__: object) -> NoReturn:
            message = "documents are immutable; make a copy with dict(...) and change that"
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


def _freeze(value: object, levels: int) -> object:
    """Make a JSON value of at most `levels` levels deeply immutable: objects become `FrozenDict`, lists tuples."""
    if not isinstance(value, dict | list | tuple):
        return value
    if levels == 0:
        raise broken("GEN-04", f"at most {MAX_DEPTH} levels of nesting")
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return FrozenDict({name: _freeze(inner, levels - 1) for name, inner in members.items()})
    return tuple(_freeze(inner, levels - 1) for inner in cast("list[object]", value))


def frozen_mapping(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 (any type of mapping)
    """Return the schema of a mapping that is parsed as a `FrozenDict`."""
    key, value = (handler.generate_schema(inner) for inner in source.__args__)
    return core_schema.no_info_after_validator_function(FrozenDict, core_schema.dict_schema(key, value))


def frozen_value() -> CoreSchema:
    """Return the schema of any JSON value, which is frozen. Only values without a specified type can be deep."""
    return core_schema.with_info_after_validator_function(_frozen, core_schema.any_schema())


def _frozen(value: object, info: ValidationInfo) -> object:
    # Specified objects are nested at most 8 levels deep, so a value within the remaining levels is never too deep.
    levels = MAX_DEPTH if info.context is DEPTH_PROVEN or info.context is LENIENT else MAX_DEPTH - 8
    return _freeze(value, levels)
