"""Validate large documents up to the first error in each list, because each error takes a kibibyte of memory."""

from functools import cache
from typing import Any, cast

from pydantic import BaseModel
from pydantic_core import SchemaValidator

_CONTAINERS = frozenset({"dict", "list", "tuple"})


@cache
def fail_fast(model: type[BaseModel]) -> SchemaValidator:
    """Return a validator of a model that reports only the first error in each list and mapping."""
    schema = _failing_fast(model.__pydantic_core_schema__)
    try:
        return SchemaValidator(schema, _use_prebuilt=False)
    except TypeError:  # an older pydantic-core, with which models inside of the model report all of their errors
        return SchemaValidator(schema)


def _failing_fast(schema: object) -> Any:  # noqa: ANN401 (a schema, or a part of one)
    if isinstance(schema, dict):
        parts = cast("dict[str, object]", schema)
        changed = {name: _failing_fast(part) for name, part in parts.items()}
        kind = changed.get("type")  # the schemas of fields may also include one that is named "type"
        return {**changed, "fail_fast": True} if isinstance(kind, str) and kind in _CONTAINERS else changed
    if isinstance(schema, list):
        return [*map(_failing_fast, cast("list[object]", schema))]
    if isinstance(schema, tuple):
        return tuple(map(_failing_fast, cast("tuple[object, ...]", schema)))
    return schema
