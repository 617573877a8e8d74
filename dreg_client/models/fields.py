"""The types of members: their validation, the meaning of null and empty strings, and their JSON Schemas.

`grammars.py` has the grammars of strings, `lenient.py` the values that only `strict=False` accepts.
"""

from collections.abc import Mapping, Sized
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, GetPydanticSchema, Strict
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from dreg_client.models.frozen import FrozenDict, frozen_mapping, frozen_value
from dreg_client.models.grammars import GRAMMARS, broken
from dreg_client.models.lenient import first_of, lenient, read_as, strict_part
from dreg_client.values.digest import Digest
from dreg_client.values.timestamp import Timestamp

MAX_SIZE: Final = 2**63 - 1
MAX_ENTRIES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule that is broken if a member is missing or has the wrong type, and the requirement in words."""

    id: str
    expected: str
    entries: str = ""
    """The rule of the member's entries, if it is a different one."""


def rule_of(field: FieldInfo) -> Rule | None:
    """Return the rule of a model's field; None for fields that callers add to a model."""
    return next((mark for mark in field.metadata if isinstance(mark, Rule)), None)


def _text_mapping(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 (any type of mapping)
    """Return the schema of a mapping of strings. With `strict=False`, null is read as an empty string, as in Go."""
    text = core_schema.str_schema(strict=True)
    null = core_schema.no_info_after_validator_function(lambda _: "", core_schema.none_schema())
    with_nulls = core_schema.no_info_after_validator_function(
        FrozenDict, core_schema.dict_schema(text, first_of(text, null))
    )
    return first_of(frozen_mapping(source, handler), lenient(with_nulls))


DigestText = Annotated[Digest, GRAMMARS["Digest"]]
MediaType = Annotated[str, GRAMMARS["MediaType"]]
Time = Annotated[Timestamp, GRAMMARS["Timestamp"]]
Uris = Annotated[tuple[Annotated[str, GRAMMARS["Uri"]], ...], Strict(strict=False)]
Base64 = Annotated[str, GRAMMARS["Base64"]]
Texts = Annotated[tuple[str, ...], Strict(strict=False)]
_FrozenMapping = GetPydanticSchema(frozen_mapping)
TextMap = Annotated[Mapping[str, str], GetPydanticSchema(_text_mapping, strict_part)]
EmptyObjects = Annotated[
    Mapping[
        str,
        Annotated[Mapping[str, Annotated[Any, GetPydanticSchema(lambda _, __: frozen_value())]], _FrozenMapping] | None,
    ],
    _FrozenMapping,
]
# Pydantic's literal would also accept 2.0.
SchemaVersion2 = Annotated[
    Literal[2],
    GetPydanticSchema(
        lambda _, __: core_schema.int_schema(strict=True, ge=2, le=2), lambda _, __: {"type": "integer", "const": 2}
    ),
]


class _Nullable:
    """A member that may be null. It is never written as null, so the serialization schema has only the first branch."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        read = handler(schema)
        return read["anyOf"][0] if handler.mode == "serialization" else read


class _EmptyIsLenient:
    """A member with only one valid value. With `strict=False`, an empty string is read as that value."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        return first_of(handler(source), lenient(read_as(source, core_schema.literal_schema([""]))))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return strict_part(schema, handler)


@dataclass(frozen=True, eq=False)
class _NullIsDefault(_Nullable):
    """A member with only one valid value, which is also the default if it is absent or null.

    With `strict=False`, an empty string is also read as that value.
    """

    absent: CoreSchema

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        empty = lenient(read_as(source, core_schema.literal_schema([""])))
        return first_of(handler(source), read_as(source, self.absent), empty)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        read = strict_part(schema, handler)
        return read["anyOf"][0] if handler.mode == "serialization" else read


EmptyIsLenient: Final = _EmptyIsLenient()
NullIsDefault: Final[_NullIsDefault] = _NullIsDefault(core_schema.none_schema())
EmptyIsDefault: Final[_NullIsDefault] = _NullIsDefault(core_schema.literal_schema([None, ""]))


@dataclass(frozen=True, eq=False)
class _NullIsEmpty(_Nullable):
    """A list that may be null (GEN-10), with at most `most` entries (IDX-10)."""

    most: int | None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        entry = handler.generate_schema(source.__args__[0])
        entries: CoreSchema = core_schema.tuple_schema(
            [entry], variadic_item_index=0, max_length=self.most, strict=False
        )
        if self.most is not None:
            entries = core_schema.no_info_before_validator_function(_check_number, entries)
        return first_of(entries, core_schema.no_info_after_validator_function(lambda _: (), core_schema.none_schema()))


NullIsEmpty: Final[_NullIsEmpty] = _NullIsEmpty(MAX_ENTRIES)
NullIsEmptyUnbounded: Final[_NullIsEmpty] = _NullIsEmpty(None)


def _check_number(value: object) -> object:
    """Check the number of entries first: a million entries with three errors each would take gigabytes of memory."""
    match value:
        case list() | tuple() if len(cast("Sized", value)) > MAX_ENTRIES:
            raise broken("IDX-10", "at most 10,000 descriptors in one document")
        case _:
            return value
