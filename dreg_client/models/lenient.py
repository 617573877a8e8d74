"""Branches of types that `strict=False` reads and strict reading rejects, and the contexts that choose between them."""

from typing import Any, Final, cast

from pydantic import GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

BRANCH: Final = "\0"
"""The name of a union's branches in pydantic's errors, which is left out of paths."""

DEPTH_PROVEN: Final = {"depth": "proven"}
"""The validation context of a tree whose nesting was already checked (GEN-04)."""

LENIENT: Final = {"depth": "proven", "strict": "no"}
"""The validation context that also accepts values with readable errors (`rules.LENIENT_RULES`)."""

LENIENT_ONLY: Final = "lenient_only"
"""The type of pydantic's error for a value that only `LENIENT` accepts; another error says what is wrong with it."""


def first_of(*schemas: CoreSchema) -> CoreSchema:
    """Return the schema of values that match one of several schemas, tried in order."""
    return core_schema.union_schema([(schema, BRANCH) for schema in schemas], mode="left_to_right")


def lenient(schema: CoreSchema) -> CoreSchema:
    """Return the schema of values that are only accepted in the context `LENIENT`; put it last in `first_of`.

    Valid values match an earlier schema, so strict reading does not pay for it.
    """
    return core_schema.with_info_before_validator_function(_if_lenient, schema)


def _if_lenient(value: object, info: ValidationInfo) -> object:
    if info.context is not LENIENT:
        raise PydanticCustomError(LENIENT_ONLY, "only read with strict=False")
    return value


def strict_part(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """Return the JSON Schema of a union without its last schema, which is `lenient`: it describes what is valid."""
    union = cast("core_schema.UnionSchema", schema)
    return handler(core_schema.union_schema(union["choices"][:-1]))


def read_as(source: Any, values: CoreSchema) -> CoreSchema:  # noqa: ANN401 (a literal)
    """Return the schema of values that are read as the only value of a literal."""
    (only,) = source.__args__
    return core_schema.no_info_after_validator_function(lambda _: only, values)
