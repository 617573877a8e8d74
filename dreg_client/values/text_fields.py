"""Base classes for values that pydantic models, including the caller's own, parse from strings and write as strings.

The core schemas of pydantic are plain dictionaries, so this module does not import pydantic.
"""

from typing import Any, ClassVar, Final, Self

JsonSchema = dict[str, Any]
NO_LINE_FEED: Final[JsonSchema] = {"pattern": "\\n"}
"""Matches a line feed. No grammar allows one, but in some validators `$` also matches before a final line feed."""


def not_a_text(given: object, what: str, *, digits: bool = True) -> TypeError:
    """Return the error for an argument that is not a string.

    Args:
        given: The argument.
        what: What the argument must be, with an example.
        digits: Whether the string may consist of digits, as a tag may, so that the user may have passed a number.
    """
    kind, advice = type(given).__name__, ""
    if digits and isinstance(given, int | float) and not isinstance(given, bool):
        advice = f"; write '{given}'"
    elif isinstance(given, list | tuple | set):
        advice = "; pass one item at a time"
    elif isinstance(getattr(given, "digest", None), str):
        advice = "; pass its .digest"
    return TypeError(f"{what}, not {kind}{advice}")


def text_schema(pattern: str) -> JsonSchema:
    """Return the JSON Schema of a string that matches a pattern."""
    return {"type": "string", "pattern": pattern, "not": NO_LINE_FEED}


class TextField:
    """The base class of values that pydantic parses from a string."""

    __slots__ = ()

    json_schema: ClassVar[JsonSchema] = {"type": "string", "minLength": 1}
    """The JSON Schema of the string."""

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Parse a string, or raise ValueError. Called by pydantic for fields of models."""
        raise NotImplementedError

    @classmethod
    def _of_field(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls.of_text(value)
        message = f"expected a {cls.__name__} as a string"
        raise ValueError(message)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> dict[str, Any]:
        function = {"type": "no-info", "function": cls._of_field}
        return {"type": "function-plain", "function": function, "serialization": {"type": "to-string"}}

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, _handler: object) -> JsonSchema:
        return {**cls.json_schema}


class CheckedText(str, TextField):
    """The base class of strings that are checked when they are created."""

    __slots__ = ()

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Parse a string, or raise ValueError. Called by pydantic for fields of models."""
        return cls(text)
