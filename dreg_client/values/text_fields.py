"""Values as fields of anybody's pydantic models: read from their text, written as it.

Pydantic's core schemas are plain dictionaries, so that this floor needs no pydantic.
"""

from typing import Any, ClassVar, Final

JsonSchema = dict[str, Any]
NO_LINE_FEED: Final[JsonSchema] = {"pattern": "\\n"}
"""What no grammar has: to some validators a `$` also stands before a line feed at the end."""


def text_schema(pattern: str) -> JsonSchema:
    """The JSON Schema of a text that follows a pattern."""
    return {"type": "string", "pattern": pattern, "not": NO_LINE_FEED}


class TextField:
    """A value that pydantic reads from its text, where a field of a model is of this type.

    Attributes:
        json_schema: What its text follows.
    """

    __slots__ = ()

    json_schema: ClassVar[JsonSchema] = {"type": "string", "minLength": 1}

    @classmethod
    def of_text(cls, text: str) -> "TextField":
        """The value of a text.

        Raises:
            ValueError: The text is none.
        """
        raise NotImplementedError

    @classmethod
    def _of_field(cls, value: object) -> "TextField":
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls.of_text(value)
        message = f"the text of a {cls.__name__} is due"
        raise ValueError(message)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> dict[str, Any]:
        function = {"type": "no-info", "function": cls._of_field}
        return {"type": "function-plain", "function": function, "serialization": {"type": "to-string"}}

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, _handler: object) -> JsonSchema:
        return {**cls.json_schema}
