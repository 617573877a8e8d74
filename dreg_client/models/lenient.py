"""Branches of types that only `strict=False` accepts, and the validation contexts that select them."""

from typing import Any, Final, cast

from pydantic import GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

BRANCH: Final = "\0"
"""The name of union branches in pydantic's error locations. It is removed from paths."""

DEPTH_PROVEN: Final = {"depth": "proven"}
"""The validation context of a tree whose nesting has already been checked (GEN-04)."""

LENIENT: Final = {"depth": "proven", "strict": "no"}
"""The validation context that also accepts values with readable errors (see `rules.LENIENT_RULES`)."""

LENIENT_ONLY: Final = "lenient_only"
"""The pydantic error type of values that only `LENIENT` accepts. Another error describes what is wrong with them."""


def first_of(*schemas: CoreSchema) -> CoreSchema:
    """Return a union of schemas, which are tried in order."""
    return core_schema.union_schema([(schema, BRANCH) for schema in schemas], mode="left_to_right")


def lenient(schema: CoreSchema) -> CoreSchema:
    """Return a schema that accepts values only in the context `LENIENT`. It must come last in `first_of`.

    Valid values match an earlier schema, so it costs nothing in strict mode.
    """
    return core_schema.with_info_before_validator_function(_if_lenient, schema)


def _if_lenient(value: object, info: ValidationInfo) -> object:
    if info.context is not LENIENT:
        raise PydanticCustomError(LENIENT_ONLY, "accepted only with strict=False")
    return value


def strict_part(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """Return the JSON Schema of a union without its last schema, which is `lenient`: it describes valid values."""
    union = cast("core_schema.UnionSchema", schema)
    return handler(core_schema.union_schema(union["choices"][:-1]))


def read_as(source: Any, values: CoreSchema) -> CoreSchema:  # noqa: ANN401 (a literal)
    """Return a schema that replaces values by the only value of a literal."""
    (only,) = source.__args__
    return core_schema.no_info_after_validator_function(lambda _: only, values)
