"""Values as fields of pydantic models, including callers' own: they are read from text and written as text.

Core schemas of pydantic are plain dictionaries, so this module does not import pydantic.
"""

from typing import Any, ClassVar, Final, Self

JsonSchema = dict[str, Any]
NO_LINE_FEED: Final[JsonSchema] = {"pattern": "\\n"}
"""A line feed, which no grammar allows: in some validators `$` also matches before one at the end."""


def not_a_text(given: object, what: str, *, digits: bool = True) -> TypeError:
    """Return the error for something that is not a text.

    `what` says what it must be, with an example; `digits`: the text may consist of digits, as a tag may.
    """
    kind, advice = type(given).__name__, ""
    if digits and isinstance(given, int | float) and not isinstance(given, bool):
        advice = f"; write '{given}'"
    elif isinstance(given, list | tuple | set):
        advice = "; pass its items one by one"
    elif isinstance(getattr(given, "digest", None), str):
        advice = "; pass its .digest"
    return TypeError(f"{what}, not {kind}{advice}")


def text_schema(pattern: str) -> JsonSchema:
    """Return the JSON Schema of a text that follows a pattern."""
    return {"type": "string", "pattern": pattern, "not": NO_LINE_FEED}


class TextField:
    """A value that pydantic reads from text if a field of a model has this type."""

    __slots__ = ()

    json_schema: ClassVar[JsonSchema] = {"type": "string", "minLength": 1}
    """The JSON Schema of its text."""

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Return the value of a text, or raise ValueError; pydantic calls it for fields of models."""
        raise NotImplementedError

    @classmethod
    def _of_field(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls.of_text(value)
        message = f"expected the text of a {cls.__name__}"
        raise ValueError(message)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> dict[str, Any]:
        function = {"type": "no-info", "function": cls._of_field}
        return {"type": "function-plain", "function": function, "serialization": {"type": "to-string"}}

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, _handler: object) -> JsonSchema:
        return {**cls.json_schema}


class CheckedText(str, TextField):
    """A text that its class checks when it is made."""

    __slots__ = ()

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Return the value of a text; pydantic calls it for fields of models."""
        return cls(text)
