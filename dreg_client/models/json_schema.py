"""What JSON Schemas need beyond the types of members: descriptions, rules, and names that are rejected.

Patterns mean the same in Python, Rust, Go and ECMA-262. Rules and clauses are in `$comment`, because strict validators
reject keywords that they do not know.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Any, Final, cast

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue

from dreg_client.models.fields import rule_of
from dreg_client.models.json_text import MAX_STRING
from dreg_client.models.rules import CLAUSES

_NUL: Final[JsonSchemaValue] = {"type": "string", "pattern": "\\x00"}
TEXT: Final[JsonSchemaValue] = {"type": "string", "maxLength": MAX_STRING, "not": _NUL}
"""A string (GEN-01, GEN-13)."""
TEXT_WITH_NUL: Final[JsonSchemaValue] = {"type": "string", "maxLength": MAX_STRING}
VALUE_WITH_NUL: Final[JsonSchemaValue] = {
    "maxLength": MAX_STRING,
    # Only integers are limited: numbers outside the range of a double are infinite to some parsers, null to others.
    "if": {"type": "integer"},
    "then": {"minimum": -sys.float_info.max, "maximum": sys.float_info.max},
}
VALUE: Final[JsonSchemaValue] = {**VALUE_WITH_NUL, "not": _NUL}
"""Any JSON value whose strings match `TEXT` and whose integers are in the range of a double (GEN-03)."""

_IN_ANY_CASE: Final = {"s": "sS\u017f", "k": "kK\u212a"}
"""Letters that Go folds with more than their own upper case."""
_FIRST: Final = {"schemaVersion": 0, "mediaType": 1}
"""The members that documents have first."""
_SAYS_WHICH: Final = frozenset({"$ref", "anyOf", "const", "enum", "pattern"})
HOLDS_VALUES: Final = frozenset({"const", "default", "enum", "examples"})


def complete(
    model: type[BaseModel],
    own: JsonSchemaValue,
    *,
    rivals: frozenset[str],
    folded_names_refused: bool,
    nul_allowed: bool,
) -> None:
    """Add to the schema of a model what pydantic does not know.

    Args:
        model: The model.
        own: Its schema, which is changed.
        rivals: Members that would make it ambiguous (GEN-06).
        folded_names_refused: Whether the name of a member is rejected in another letter case (GEN-08).
        nul_allowed: Whether strings may contain NUL (GEN-01).
    """
    text, value = (TEXT_WITH_NUL, VALUE_WITH_NUL) if nul_allowed else (TEXT, VALUE)
    named = sorted(own["properties"].items(), key=lambda member: _FIRST.get(member[0], len(_FIRST)))
    own["properties"] = {name: _explained(model, name, _bounded(schema, text, value)) for name, schema in named}
    own["properties"] |= {name: _rival() for name in sorted(rivals)}
    if model.model_config.get("title") in [getattr(base, "model_config", {}).get("title") for base in model.__bases__]:
        own["title"] = model.__name__  # subclasses do not inherit a title
    if "description" in own:
        own["description"] = own["description"].partition("\n\n")[0]
    own["additionalProperties"] = {**value}
    own["propertyNames"] = {**text} | (_spelled_as_specified(model, rivals) if folded_names_refused else {})


def comment(*rules: str) -> str:
    """Return rules with their clauses.

    Examples:
        >>> comment("DSC-03")
        'DSC-03: descriptor.md "Properties": size'
    """
    return "; ".join(f"{rule}: {CLAUSES[rule]}" if rule in CLAUSES else rule for rule in rules)


# --- strings


def _bounded(schema: object, text: JsonSchemaValue, value: JsonSchemaValue) -> Any:  # noqa: ANN401 (any part of a schema)
    """Return a part of a schema with a limit for each string, and without titles, which only repeat names."""
    if isinstance(schema, list):
        return [_bounded(part, text, value) for part in cast("list[object]", schema)]
    if schema is True:
        return {**value}
    if not isinstance(schema, dict):
        return schema
    parts = {
        word: part if word in HOLDS_VALUES else _bounded(part, text, value)
        for word, part in cast("JsonSchemaValue", schema).items()
        if word != "title" and not (word == "default" and part is None)
    }
    return _bounded_here(parts, text, value)


def _bounded_here(parts: JsonSchemaValue, text: JsonSchemaValue, value: JsonSchemaValue) -> JsonSchemaValue:
    kind = parts.get("type")
    if kind == "string" and not parts.keys() & _SAYS_WHICH:
        return {**text, **parts}
    if kind == "object":
        return {**parts, "propertyNames": {**text}}
    return parts if kind or parts.keys() & _SAYS_WHICH else {**value, **parts}


# --- members


def _explained(model: type[BaseModel], name: str, schema: JsonSchemaValue) -> JsonSchemaValue:
    """Return the schema of a member with its description, its rules and their clauses."""
    attribute = _attributes(model)[name]
    said, rule = _said(model).get(attribute), rule_of(model.model_fields[attribute])
    explained = {"description": said} if said else {}
    if rule is not None:
        explained["$comment"] = comment(*dict.fromkeys(filter(None, (rule.id, rule.entries))))
    return explained | schema


def _attributes(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the attributes of a model by the names that JSON has for them."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


def _said(model: type) -> Mapping[str, str]:
    """Return the descriptions of the attributes of a model and its bases."""
    return {name: text for each in reversed(model.__mro__) for name, text in _said_by(each).items()}


@cache
def _said_by(model: type) -> Mapping[str, str]:
    """Return the docstrings of a class's attributes; empty if its source is not available."""
    try:
        source = inspect.getsource(model)
    except (OSError, TypeError):
        return {}
    (tree,) = ast.parse(dedent(source)).body
    return dict(_docstrings(cast("ast.ClassDef", tree).body))


def _docstrings(statements: Iterable[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement, below in pairwise(statements):
        match statement, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
            case _:
                pass


# --- names


def _rival() -> JsonSchemaValue:
    return {
        "description": "Rejected: it belongs to another kind of document.",
        "$comment": comment("GEN-06"),
        "not": {},
    }


def _spelled_as_specified(model: type[BaseModel], rivals: frozenset[str]) -> JsonSchemaValue:
    """Return the keywords for GEN-08: no name differs from a specified one, or a rival, only in letter case."""
    names = [*_attributes(model), *sorted(rivals)]
    folded = "|".join(map(_in_any_case, names))
    # In some validators `$` also matches before a line feed at the end; such a name is another one.
    other = [{"type": "string", "pattern": "\\n"}, {"type": "string", "not": {"pattern": f"^(?:{folded})$"}}]
    return {"$comment": comment("GEN-08"), "anyOf": [{"enum": names}, *other]}


def _in_any_case(name: str) -> str:
    """Return a pattern of a name in any letter case, as Go folds it."""
    return "".join(
        f"[{_IN_ANY_CASE.get(letter.lower(), letter.lower() + letter.upper())}]"
        if letter.isalpha()
        else re.escape(letter)
        for letter in name
    )
