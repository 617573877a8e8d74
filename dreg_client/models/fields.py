"""The types of members: each rejects values that break its grammar, and names the broken rule.

A type tries a pattern in Rust first. Only values that do not match reach Python, which names the broken rule
(`broken`), so a valid value costs no function call.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, LiteralString, NoReturn, Self, TypeVar, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, GetPydanticSchema, Strict, ValidationInfo
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from dreg_client.models.json_text import MAX_DEPTH, MAX_STRING
from dreg_client.values.digest import (
    DIGEST_SCHEMA,
    KNOWN_DIGEST_PATTERN,
    SHA256_PATTERN,
    Digest,
    digest_fault,
    is_digest,
    proven_digest,
)
from dreg_client.values.media_type import KNOWN, MEDIA_TYPE_PATTERN, is_media_type
from dreg_client.values.text_fields import text_schema
from dreg_client.values.timestamp import TIMESTAMP_PATTERN, Timestamp, proven_timestamp

K = TypeVar("K")
V = TypeVar("V")

BRANCH: Final = "\0"
"""The name of a union's branches in pydantic's errors, which is left out of paths."""

DEPTH_PROVEN: Final = {"depth": "proven"}
"""The validation context of a tree whose nesting was already checked (GEN-04)."""

READABLE: Final = {"depth": "proven", "strict": "no"}
"""The validation context that also accepts values with readable errors (`rules.READABLE`)."""

UNREAD: Final = "unread"
"""The type of pydantic's error for a value that only `READABLE` accepts; another error says what is wrong with it."""

MAX_SIZE: Final = 2**63 - 1
MAX_ENTRIES: Final = 10_000
URI_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9+.\-]*:(?:[A-Za-z0-9\-._~:/?#\[\]@!\x24&'()*+,;=]|%[0-9A-Fa-f]{2})*$"
_URI = re.compile(URI_PATTERN[1:-1], re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule that is broken if a member is missing or has another type, and the requirement in words."""

    id: str
    expected: str
    entries: str = ""
    """The rule of its entries, if it is another one."""


def rule_of(field: FieldInfo) -> Rule | None:
    """Return the rule of a model's field; None for fields that callers add to a model."""
    return next((mark for mark in field.metadata if isinstance(mark, Rule)), None)


def broken(rule: LiteralString, expected: str) -> PydanticCustomError:
    """Return the error for a value that breaks a rule."""
    return PydanticCustomError(rule, "{expected}", {"expected": expected})


def first_of(*schemas: CoreSchema) -> CoreSchema:
    """Return the schema of values that match one of several schemas, tried in order."""
    return core_schema.union_schema([(schema, BRANCH) for schema in schemas], mode="left_to_right")


def readable(schema: CoreSchema) -> CoreSchema:
    """Return the schema of values that are only accepted in the context `READABLE`; put it last in `first_of`.

    Valid values match an earlier schema, so strict reading does not pay for it.
    """
    return core_schema.with_info_before_validator_function(_if_readable, schema)


def _if_readable(value: object, info: ValidationInfo) -> object:
    if info.context is not READABLE:
        raise PydanticCustomError(UNREAD, "only read on request")
    return value


def strict_part(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """Return the JSON Schema of a union without its last schema, which is `readable`: it describes what is valid."""
    union = cast("core_schema.UnionSchema", schema)
    return handler(core_schema.union_schema(union["choices"][:-1]))


@dataclass(frozen=True, eq=False)
class TextType:
    """A grammar of strings, as metadata of a member."""

    rules: LiteralString
    description: str
    expected: str
    pattern: str
    is_valid: Callable[[str], bool]
    """The check of texts that `fast` does not accept."""
    fast: CoreSchema | None = None
    """The schema of texts that need no further check, None if each is checked."""
    lenient: CoreSchema | None = None
    """The schema of texts that are not valid but readable, None if such texts are never read."""

    def check(self, text: str) -> str:
        """Return a text that `fast` does not accept; raise `broken` if it is not valid."""
        if not self.is_valid(text):
            raise broken(self.rules, self.expected)
        return text

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        slow = core_schema.no_info_after_validator_function(self.check, core_schema.str_schema(strict=True))
        lenient = None if self.lenient is None else readable(self.lenient)
        return first_of(*(schema for schema in (self.fast, slow, lenient) if schema is not None))

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return self.json_schema()

    def json_schema(self) -> JsonSchemaValue:
        """Return the grammar as JSON Schema."""
        return {"maxLength": MAX_STRING, **text_schema(self.pattern)}


class _DigestType(TextType):
    def check(self, text: str) -> str:
        if fault := digest_fault(text):
            raise broken(*fault)
        return proven_digest(text)

    def json_schema(self) -> JsonSchemaValue:
        return DIGEST_SCHEMA  # for known algorithms it also checks the encoded part


def _checked(pattern: str, make: Callable[[str], str]) -> CoreSchema:
    return core_schema.no_info_after_validator_function(make, core_schema.str_schema(strict=True, pattern=pattern))


def is_uri(text: str) -> bool:
    """Return whether a text is a URI (RFC 3986): a scheme, and only characters that a URI may have."""
    return _URI.fullmatch(text) is not None


def decoded(text: str) -> bytes | None:
    """Return the bytes of a base64 text (RFC 4648 section 4), None if it is not strictly valid."""
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return octets if base64.b64encode(octets).decode() == text else None


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


def _freeze(value: object, levels: int) -> object:
    """Return a deeply immutable JSON value of at most `levels`: objects become `FrozenDict`, lists become tuples."""
    if not isinstance(value, dict | list | tuple):
        return value
    if levels == 0:
        raise broken("GEN-04", f"at most {MAX_DEPTH} levels of nesting")
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return FrozenDict({name: _freeze(inner, levels - 1) for name, inner in members.items()})
    return tuple(_freeze(inner, levels - 1) for inner in cast("list[object]", value))


def _frozen_mapping(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 (any type of mapping)
    key, value = (handler.generate_schema(inner) for inner in source.__args__)
    return core_schema.no_info_after_validator_function(FrozenDict, core_schema.dict_schema(key, value))


def _text_mapping(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 (any type of mapping)
    """Return the schema of a mapping of strings; a null is readable, as the empty string that Go reads it as."""
    text = core_schema.str_schema(strict=True)
    null = core_schema.no_info_after_validator_function(lambda _: "", core_schema.none_schema())
    with_nulls = core_schema.no_info_after_validator_function(
        FrozenDict, core_schema.dict_schema(text, first_of(text, null))
    )
    return first_of(_frozen_mapping(source, handler), readable(with_nulls))


def frozen_value() -> CoreSchema:
    """Return the schema of any JSON value, frozen; only such values can be nested deeply."""
    return core_schema.with_info_after_validator_function(_frozen, core_schema.any_schema())


def _frozen(value: object, info: ValidationInfo) -> object:
    # Specified objects are nested at most 8 deep, so a value within the rest of the limit is never too deep.
    levels = MAX_DEPTH if info.context is DEPTH_PROVEN or info.context is READABLE else MAX_DEPTH - 8
    return _freeze(value, levels)


_ANY_TEXT: Final = core_schema.str_schema(strict=True)
_NO_TIME: Final = core_schema.no_info_after_validator_function(lambda _: None, _ANY_TEXT)

GRAMMARS: Final[Mapping[str, TextType]] = {
    "Digest": _DigestType(
        "DIG-01 DIG-02",
        "A digest: the algorithm, a colon, the hash as that algorithm encodes it.",
        "a digest",
        pattern=KNOWN_DIGEST_PATTERN,
        is_valid=is_digest,
        fast=_checked(SHA256_PATTERN, proven_digest),
    ),
    "MediaType": TextType(
        "MED-01",
        "A media type as `type/subtype`, without parameters.",
        "a media type as type/subtype, without parameters",
        pattern=MEDIA_TYPE_PATTERN,
        is_valid=is_media_type,
        fast=core_schema.literal_schema(sorted(KNOWN)),
        lenient=_ANY_TEXT,
    ),
    "Timestamp": TextType(
        "TIM-01",
        "A date and time by RFC 3339, of a day that exists.",
        "a date and time as 2006-01-02T15:04:05Z, of a day that exists",
        pattern=TIMESTAMP_PATTERN,
        is_valid=lambda _: False,  # the pattern accepts all valid ones
        fast=_checked(TIMESTAMP_PATTERN, proven_timestamp),
        lenient=_NO_TIME,  # a Timestamp is always valid
    ),
    "Uri": TextType(
        "URI-01",
        "A URI by RFC 3986, with its scheme.",
        "a URI with a scheme",
        pattern=URI_PATTERN,
        is_valid=is_uri,
        lenient=_ANY_TEXT,
    ),
    "Base64": TextType(
        "DSC-06",
        "Base64 by RFC 4648, section 4: padded, without line breaks, unused bits zero.",
        "base64 with padding, without line breaks, unused bits zero",
        pattern=r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$",
        is_valid=lambda text: decoded(text) is not None,
        lenient=_ANY_TEXT,
    ),
}
"""The grammars of strings by their names in JSON Schemas."""

DigestText = Annotated[Digest, GRAMMARS["Digest"]]
MediaType = Annotated[str, GRAMMARS["MediaType"]]
Time = Annotated[Timestamp, GRAMMARS["Timestamp"]]
Uris = Annotated[tuple[Annotated[str, GRAMMARS["Uri"]], ...], Strict(strict=False)]
Base64 = Annotated[str, GRAMMARS["Base64"]]
Texts = Annotated[tuple[str, ...], Strict(strict=False)]
_FrozenMapping = GetPydanticSchema(_frozen_mapping)
TextMap = Annotated[Mapping[str, str], GetPydanticSchema(_text_mapping, strict_part)]
EmptyObjects = Annotated[
    Mapping[
        str,
        Annotated[Mapping[str, Annotated[Any, GetPydanticSchema(lambda _, __: frozen_value())]], _FrozenMapping] | None,
    ],
    _FrozenMapping,
]
# A literal of pydantic would also accept 2.0.
SchemaVersion2 = Annotated[
    Literal[2],
    GetPydanticSchema(
        lambda _, __: core_schema.int_schema(strict=True, ge=2, le=2), lambda _, __: {"type": "integer", "const": 2}
    ),
]


class _Nullable:
    """A member that may be null; its JSON Schema of the written form is the first of the forms that are read."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        read = handler(schema)
        return read["anyOf"][0] if handler.mode == "serialization" else read


class _EmptyIsReadable:
    """A member that has only one value; an empty text is readable as that value."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        return first_of(handler(source), readable(_read_as(source, core_schema.literal_schema([""]))))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return strict_part(schema, handler)


@dataclass(frozen=True, eq=False)
class _NullIsDefault(_Nullable):
    """A member with one value, which is also its default if it is absent or null; an empty text is readable."""

    absent: CoreSchema

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        empty = readable(_read_as(source, core_schema.literal_schema([""])))
        return first_of(handler(source), _read_as(source, self.absent), empty)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        read = strict_part(schema, handler)
        return read["anyOf"][0] if handler.mode == "serialization" else read


def _read_as(source: Any, values: CoreSchema) -> CoreSchema:  # noqa: ANN401 (a literal)
    """Return the schema of values that are read as the only value of a literal."""
    (only,) = source.__args__
    return core_schema.no_info_after_validator_function(lambda _: only, values)


EmptyIsReadable: Final = _EmptyIsReadable()
NullIsDefault: Final[_NullIsDefault] = _NullIsDefault(core_schema.none_schema())
EmptyIsDefault: Final[_NullIsDefault] = _NullIsDefault(core_schema.literal_schema([None, ""]))


@dataclass(frozen=True, eq=False)
class _NullIsEmpty(_Nullable):
    """A list that may be null (GEN-10), of at most `most` entries (IDX-10)."""

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
    """Check the number before the entries: a million of them with three errors each would be gigabytes of problems."""
    match value:
        case list() | tuple() if len(cast("Sized", value)) > MAX_ENTRIES:
            raise broken("IDX-10", "at most 10,000 descriptors in one document")
        case _:
            return value
