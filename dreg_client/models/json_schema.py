"""Extend the JSON Schemas of pydantic: descriptions, rules, and rejected member names.

Patterns have the same meaning in Python, Rust, Go and ECMA-262. Rules and clauses are in `$comment`, because strict
validators reject unknown keywords.
"""

import ast
import inspect
import re
import sys
from collections.abc import Mapping
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
    # Only integers need a limit: parsers read other numbers outside the range of a double as infinity or null.
    "if": {"type": "integer"},
    "then": {"minimum": -sys.float_info.max, "maximum": sys.float_info.max},
}
VALUE: Final[JsonSchemaValue] = {**VALUE_WITH_NUL, "not": _NUL}
"""Any JSON value. Strings match `TEXT`, and integers are in the range of a double (GEN-03)."""

_IN_ANY_CASE: Final = {"s": "sS\u017f", "k": "kK\u212a"}
"""Letters that Go considers equal to other characters than their upper case."""
_FIRST: Final = {"schemaVersion": 0, "mediaType": 1}
"""The first members of documents."""
_RESTRICTING: Final = frozenset({"$ref", "anyOf", "const", "enum", "pattern"})
"""Keywords that already restrict a value, so no other limit is needed."""
HOLDS_VALUES: Final = frozenset({"const", "default", "enum", "examples"})
"""Keywords whose content is a JSON value, not a schema."""


_RIVAL: Final[JsonSchemaValue] = {
    "description": "Not allowed: this member belongs to another kind of document.",
    "not": {},
}


def complete(
    model: type[BaseModel],
    own: JsonSchemaValue,
    rivals: frozenset[str],
    *,
    folded_names_refused: bool,
    nul_allowed: bool,
) -> None:
    """Add descriptions, rules and limits to the schema of a model; the options are attributes of `StrictModel`."""
    text, value = (TEXT_WITH_NUL, VALUE_WITH_NUL) if nul_allowed else (TEXT, VALUE)
    named = sorted(own["properties"].items(), key=lambda member: _FIRST.get(member[0], len(_FIRST)))
    own["properties"] = {name: _explained(model, name, _bounded(schema, text, value)) for name, schema in named}
    own["properties"] |= {name: {**_RIVAL, "$comment": comment("GEN-06")} for name in sorted(rivals)}
    if model.model_config.get("title") in [getattr(base, "model_config", {}).get("title") for base in model.__bases__]:
        own["title"] = model.__name__  # subclasses do not inherit a title
    if "description" in own:
        own["description"] = own["description"].partition("\n\n")[0]
    own["additionalProperties"] = {**value}
    own["propertyNames"] = {**text} | (_spelled_as_specified(model, rivals) if folded_names_refused else {})


def comment(*rules: str) -> str:
    """Return the text of a `$comment`: rules with their clauses."""
    return "; ".join(f"{rule}: {_clause(rule)}" if rule in CLAUSES else rule for rule in rules)


def _clause(rule: str) -> str:
    return CLAUSES[rule].replace("ours: ", "dreg-client's own rule: ")


def _bounded(schema: object, text: JsonSchemaValue, value: JsonSchemaValue) -> Any:  # noqa: ANN401 (any part of a schema)
    """Return a part of a schema with a limit on each string, and without titles, which only repeat names."""
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
    match parts.get("type"), bool(parts.keys() & _RESTRICTING):
        case "string", False:
            return {**text, **parts}
        case "object", _:
            return {**parts, "propertyNames": {**text}}
        case None, False:
            return {**value, **parts}
        case _:
            return parts


def _explained(model: type[BaseModel], name: str, schema: JsonSchemaValue) -> JsonSchemaValue:
    """Return the schema of a member with its description, its rules and their clauses."""
    attribute = _attributes(model)[name]
    texts = (_attribute_docstrings(each).get(attribute) for each in model.__mro__)
    description = next(filter(None, texts), None)
    rule = rule_of(model.model_fields[attribute])
    explained = {"description": description} if description else {}
    if rule is not None:
        explained["$comment"] = comment(*dict.fromkeys(filter(None, (rule.id, rule.entries))))
    return explained | schema


def _attributes(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the attributes of a model by their JSON names."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


@cache
def _attribute_docstrings(model: type) -> Mapping[str, str]:
    """Return the docstrings of a class's attributes; empty if its source is not available."""
    try:
        source = inspect.getsource(model)
    except (OSError, TypeError):
        return {}
    (tree,) = ast.parse(dedent(source)).body
    docstrings: dict[str, str] = {}
    for pair in pairwise(cast("ast.ClassDef", tree).body):
        match pair:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                docstrings[name] = inspect.cleandoc(text)
            case _:
                pass
    return docstrings


def _spelled_as_specified(model: type[BaseModel], rivals: frozenset[str]) -> JsonSchemaValue:
    """Return the keywords for GEN-08: no name may differ from a specified name or a rival only in letter case."""
    names = [*_attributes(model), *sorted(rivals)]
    folded = "|".join("".join(map(_in_any_case, name)) for name in names)
    # In some validators `$` also matches before a final line feed, but such a name is a different one.
    other = [{"type": "string", "pattern": "\\n"}, {"type": "string", "not": {"pattern": f"^(?:{folded})$"}}]
    return {"$comment": comment("GEN-08"), "anyOf": [{"enum": names}, *other]}


def _in_any_case(character: str) -> str:
    """Return a pattern for a character of a name in any letter case, as Go folds it."""
    cases = _IN_ANY_CASE.get(character.lower(), character.lower() + character.upper())
    return f"[{cases}]" if character.isalpha() else re.escape(character)
