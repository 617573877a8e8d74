"""The types of members: each rejects values that break its grammar, and names the broken rule.

A type tries a pattern in Rust first. Only values that do not match reach Python, which names the broken rule
(`broken`), so a valid value costs no function call.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, LiteralString, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, Strict, ValidationInfo
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from dreg_client.models.frozen import FrozenDict, TooDeepError, freeze
from dreg_client.models.json_text import MAX_DEPTH, MAX_STRING
from dreg_client.values.digest import (
    DIGEST_SCHEMA,
    KNOWN_DIGEST_PATTERN,
    SHA256_PATTERN,
    Digest,
    digest_fault,
    proven_digest,
)
from dreg_client.values.media_type import KNOWN, MEDIA_TYPE_PATTERN
from dreg_client.values.text_fields import text_schema
from dreg_client.values.timestamp import TIMESTAMP_PATTERN, Timestamp, proven_timestamp

BRANCH: Final = "\0"
"""The name of a union's branches in pydantic's errors, which is left out of paths."""

DEPTH_PROVEN: Final = {"depth": "proven"}
"""The validation context of a tree whose nesting was already checked (GEN-04)."""

MAX_SIZE: Final = 2**63 - 1
MAX_ENTRIES: Final = 10_000
URI_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9+.\-]*:(?:[A-Za-z0-9\-._~:/?#\[\]@!\x24&'()*+,;=]|%[0-9A-Fa-f]{2})*$"
_URI = re.compile(URI_PATTERN[1:-1], re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """The requirement of a member.

    Attributes:
        id: The rule that is broken if the member is missing or has another type.
        expected: The requirement in words.
        entries: The rule of its entries, if it is another one.
    """

    id: str
    expected: str
    entries: str = ""


def rule_of(field: FieldInfo) -> Rule | None:
    """Return the rule of a model's field; None for fields that callers add to a model."""
    return next((mark for mark in field.metadata if isinstance(mark, Rule)), None)


def broken(rule: LiteralString, expected: str) -> PydanticCustomError:
    """Return the error for a value that breaks a rule."""
    return PydanticCustomError(rule, "{expected}", {"expected": expected})


def _first_of(fast: CoreSchema, slow: CoreSchema) -> CoreSchema:
    return core_schema.union_schema([(fast, BRANCH), (slow, BRANCH)], mode="left_to_right")


class TextType:
    """A string that matches a pattern, or is checked by a function that names the broken rule.

    Attributes:
        pattern: The pattern.
        rules: The rules of the grammar.
        description: A description in one sentence.
    """

    pattern: str
    rules: str
    description: str

    @classmethod
    def slow(cls, text: str) -> str:
        """Accept a text that does not match the pattern, or raise `broken`."""
        raise NotImplementedError

    @classmethod
    def fast(cls) -> CoreSchema | None:
        """Return the schema of texts that need no further check, None if each is checked."""
        return core_schema.str_schema(strict=True, pattern=cls.pattern)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: type[Any], _handler: GetCoreSchemaHandler) -> CoreSchema:
        slow = core_schema.no_info_after_validator_function(cls.slow, core_schema.str_schema(strict=True))
        fast = cls.fast()
        return slow if fast is None else _first_of(fast, slow)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return cls.json_schema()

    @classmethod
    def json_schema(cls) -> JsonSchemaValue:
        """Return the grammar as JSON Schema."""
        return {"maxLength": MAX_STRING, **text_schema(cls.pattern)}


class _DigestType(TextType):
    pattern = KNOWN_DIGEST_PATTERN
    rules = "DIG-01 DIG-02"
    description = "A digest: the algorithm, a colon, the hash as that algorithm encodes it."

    @classmethod
    def slow(cls, text: str) -> str:
        if fault := digest_fault(text):
            raise broken(*fault)
        return proven_digest(text)

    @classmethod
    def fast(cls) -> CoreSchema:
        text = core_schema.str_schema(strict=True, pattern=SHA256_PATTERN)
        return core_schema.no_info_after_validator_function(proven_digest, text)

    @classmethod
    def json_schema(cls) -> JsonSchemaValue:
        """Return the grammar as JSON Schema; for known algorithms it includes the encoded part."""
        return DIGEST_SCHEMA


class _MediaTypeType(TextType):
    pattern = MEDIA_TYPE_PATTERN
    rules = "MED-01"
    description = "A media type as `type/subtype`, without parameters."

    @classmethod
    def slow(cls, text: str) -> str:
        if re.fullmatch(cls.pattern, text, re.ASCII) is None or text.endswith("\n"):
            raise broken("MED-01", "a media type as type/subtype, without parameters")
        return text

    @classmethod
    def fast(cls) -> CoreSchema:
        return core_schema.literal_schema(sorted(KNOWN))


class _TimestampType(TextType):
    pattern = TIMESTAMP_PATTERN
    rules = "TIM-01"
    description = "A date and time by RFC 3339, of a day that exists."

    @classmethod
    def slow(cls, text: str) -> str:  # noqa: ARG003 (every text that gets here is invalid)
        raise broken("TIM-01", "a date and time as 2006-01-02T15:04:05Z, of a day that exists")

    @classmethod
    def fast(cls) -> CoreSchema:
        text = core_schema.str_schema(strict=True, pattern=cls.pattern)
        return core_schema.no_info_after_validator_function(proven_timestamp, text)


class _UriType(TextType):
    pattern = URI_PATTERN
    rules = "URI-01"
    description = "A URI by RFC 3986, with its scheme."

    @classmethod
    def slow(cls, text: str) -> str:
        if not is_uri(text):
            raise broken("URI-01", "a URI with a scheme")
        return text

    @classmethod
    def fast(cls) -> None:
        return None


class _Base64Type(TextType):
    pattern = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"
    rules = "DSC-06"
    description = "Base64 by RFC 4648, section 4: padded, without line breaks, unused bits zero."

    @classmethod
    def slow(cls, text: str) -> str:
        if decoded(text) is None:
            raise broken("DSC-06", "base64 with padding, without line breaks, unused bits zero")
        return text

    @classmethod
    def fast(cls) -> None:
        return None


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


class _SchemaVersion2:
    """The integer 2; a literal of pydantic would also accept 2.0."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: type[Any], _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.int_schema(strict=True, ge=2, le=2)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "integer", "const": 2}


class _FrozenMapping:
    """An immutable mapping."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        key, value = (handler.generate_schema(inner) for inner in source.__args__)
        return core_schema.no_info_after_validator_function(FrozenDict, core_schema.dict_schema(key, value))


class _FrozenValue:
    """Any JSON value, deeply immutable."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: type[Any], _handler: GetCoreSchemaHandler) -> CoreSchema:
        return frozen_value()


def frozen_value() -> CoreSchema:
    """Return the schema of any JSON value, frozen; only such values can be nested deeply."""
    return core_schema.with_info_after_validator_function(_frozen, core_schema.any_schema())


def _frozen(value: object, info: ValidationInfo) -> object:
    # Specified objects are nested at most 8 deep, so a value within the rest of the limit is never too deep.
    levels = MAX_DEPTH if info.context is DEPTH_PROVEN else MAX_DEPTH - 8
    try:
        return freeze(value, levels)
    except TooDeepError:
        raise broken("GEN-04", f"at most {MAX_DEPTH} levels of nesting") from None


DigestText = Annotated[Digest, _DigestType]
MediaType = Annotated[str, _MediaTypeType]
FrozenValue = Annotated[Any, _FrozenValue]
Time = Annotated[Timestamp, _TimestampType]
Uris = Annotated[tuple[Annotated[str, _UriType], ...], Strict(strict=False)]
Base64 = Annotated[str, _Base64Type]
Texts = Annotated[tuple[str, ...], Strict(strict=False)]
GRAMMARS: Final[Mapping[str, type[TextType]]] = {
    "Digest": _DigestType,
    "MediaType": _MediaTypeType,
    "Timestamp": _TimestampType,
    "Uri": _UriType,
    "Base64": _Base64Type,
}
"""The grammars of strings by their names in JSON Schemas."""

TextMap = Annotated[Mapping[str, str], _FrozenMapping]
EmptyObjects = Annotated[
    Mapping[str, Annotated[Mapping[str, Annotated[Any, _FrozenValue]], _FrozenMapping] | None], _FrozenMapping
]


class NullIsDefault:
    """A member that has only one value, which is also its default if it is absent or null."""

    meant_by: ClassVar[CoreSchema] = core_schema.none_schema()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        (only,) = source.__args__
        absent = core_schema.no_info_after_validator_function(lambda _: only, cls.meant_by)
        return _first_of(handler(source), absent)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return _as_written(handler(schema), handler)


class EmptyIsDefault(NullIsDefault):
    """As `NullIsDefault`, and the empty string also means the default."""

    meant_by: ClassVar[CoreSchema] = core_schema.literal_schema([None, ""])


class NullIsEmpty:
    """A list that may be null (GEN-10), of at most 10,000 entries (IDX-10)."""

    most: ClassVar[int | None] = MAX_ENTRIES

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        entry = handler.generate_schema(source.__args__[0])
        entries: CoreSchema = core_schema.tuple_schema(
            [entry], variadic_item_index=0, max_length=cls.most, strict=False
        )
        if cls.most is not None:
            entries = core_schema.no_info_before_validator_function(_refuse_too_many, entries)
        return _first_of(entries, core_schema.no_info_after_validator_function(_empty, core_schema.none_schema()))

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return _as_written(handler(schema), handler)


class NullIsEmptyUnbounded(NullIsEmpty):
    """As `NullIsEmpty`, with any number of entries."""

    most: ClassVar[int | None] = None


def _refuse_too_many(value: object) -> object:
    """Check the number before the entries: a million of them with three errors each would be gigabytes of problems."""
    if _count(value) > MAX_ENTRIES:
        raise broken("IDX-10", "at most 10,000 descriptors in one document")
    return value


def _count(value: object) -> int:
    return len(cast("list[object]", value)) if isinstance(value, list | tuple) else 0


def _empty(_: None) -> tuple[()]:
    return ()


def _as_written(read: JsonSchemaValue, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """Return the schema of the written form: the first of the forms that are read."""
    return read["anyOf"][0] if handler.mode == "serialization" else read


SchemaVersion2 = Annotated[Literal[2], _SchemaVersion2]
