"""The grammars of strings: patterns, the rules that they check, and their JSON Schemas.

A grammar is first checked by a pattern in Rust. Only strings that do not match are checked in Python, which reports the
broken rule. A valid string therefore costs no Python call.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, LiteralString

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from dreg_client.models.json_text import MAX_STRING
from dreg_client.models.lenient import first_of, lenient
from dreg_client.values.digest import (
    DIGEST_SCHEMA,
    KNOWN_DIGEST_PATTERN,
    SHA256_PATTERN,
    digest_fault,
    is_digest,
    proven_digest,
)
from dreg_client.values.media_type import KNOWN, MEDIA_TYPE_PATTERN, is_media_type
from dreg_client.values.text_fields import text_schema
from dreg_client.values.timestamp import TIMESTAMP_PATTERN, proven_timestamp

URI_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9+.\-]*:(?:[A-Za-z0-9\-._~:/?#\[\]@!\x24&'()*+,;=]|%[0-9A-Fa-f]{2})*$"
_URI = re.compile(f"{URI_PATTERN[1:-1]}+", re.ASCII)
"""With a possessive quantifier (`*+`): otherwise each character takes memory until the match is complete."""


def broken(rule: LiteralString, expected: str) -> PydanticCustomError:
    """Return pydantic's error for a value that breaks a rule."""
    return PydanticCustomError(rule, "{expected}", {"expected": expected})


@dataclass(frozen=True, eq=False)
class TextType:
    """A grammar of strings, used as metadata of a model's field."""

    rules: LiteralString
    description: str
    expected: str
    pattern: str
    is_valid: Callable[[str], bool]
    """The check of strings that `fast` does not accept."""
    fast: CoreSchema | None = None
    """The schema of strings that need no further check; None if every string is checked."""
    lenient: CoreSchema | None = None
    """The schema of invalid strings that `strict=False` accepts; None if it accepts none."""

    def check(self, text: str) -> str:
        """Check a string that `fast` does not accept; raise `broken` if it is not valid."""
        if not self.is_valid(text):
            raise broken(self.rules, self.expected)
        return text

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        slow = core_schema.no_info_after_validator_function(self.check, core_schema.str_schema(strict=True))
        read = None if self.lenient is None else lenient(self.lenient)
        return first_of(*(schema for schema in (self.fast, slow, read) if schema is not None))

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
    """Return whether a string is a URI (RFC 3986): it has a scheme, and only characters that are allowed in a URI."""
    return _URI.fullmatch(text) is not None


def decoded(text: str) -> bytes | None:
    """Decode base64 (RFC 4648 section 4); return None if the string is not strictly valid."""
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return octets if base64.b64encode(octets).decode() == text else None


_ANY_TEXT: Final = core_schema.str_schema(strict=True)
_NO_TIME: Final = core_schema.no_info_after_validator_function(lambda _: None, _ANY_TEXT)

GRAMMARS: Final[Mapping[str, TextType]] = {
    "Digest": _DigestType(
        "DIG-01 DIG-02",
        "A digest: an algorithm, a colon and the encoded hash, such as `sha256:` and 64 hex digits.",
        "a digest",
        pattern=KNOWN_DIGEST_PATTERN,
        is_valid=is_digest,
        fast=_checked(SHA256_PATTERN, proven_digest),
    ),
    "MediaType": TextType(
        "MED-01",
        "A media type, written as `type/subtype` without parameters.",
        "a media type (type/subtype) without parameters",
        pattern=MEDIA_TYPE_PATTERN,
        is_valid=is_media_type,
        fast=core_schema.literal_schema(sorted(KNOWN)),
        lenient=_ANY_TEXT,
    ),
    "Timestamp": TextType(
        "TIM-01",
        "An RFC 3339 date and time, such as `2006-01-02T15:04:05Z`; the day must exist.",
        "an existing date and time, such as 2006-01-02T15:04:05Z",
        pattern=TIMESTAMP_PATTERN,
        is_valid=lambda _: False,  # `fast` accepts all valid strings
        fast=_checked(TIMESTAMP_PATTERN, proven_timestamp),
        lenient=_NO_TIME,  # a Timestamp is always valid, so an invalid date is read as None
    ),
    "Uri": TextType(
        "URI-01",
        "A URI with a scheme (RFC 3986).",
        "a URI with a scheme",
        pattern=URI_PATTERN,
        is_valid=is_uri,
        lenient=_ANY_TEXT,
    ),
    "Base64": TextType(
        "DSC-06",
        "Base64 with padding and without line breaks (RFC 4648, section 4); unused bits are zero.",
        "base64 with padding, without line breaks, and with unused bits set to zero",
        pattern=r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$",
        is_valid=lambda text: decoded(text) is not None,
        lenient=_ANY_TEXT,
    ),
}
"""The grammars by their names in JSON Schemas."""
