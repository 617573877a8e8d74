"""The page of a schema: a table for each object, the grammars, and examples."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from documentation.introductions import SCHEMAS
from dreg_client.models.kinds import KIND_NAMES
from dreg_client.models.parse import model_of
from dreg_client.schemagen.schemas import ANY_MANIFEST, differs_when_written, models_of, schema

Schema = dict[str, Any]

_RULE: Final = re.compile(r"\b([A-Z][A-Z0-9]{2})-(\d\d)\b")
_LARGEST: Final = 2**63 - 1
_ANY_VALUE: Final = frozenset({"Value", "ValueWithNul"})


def schema_page(name: str) -> str:
    """Return the page of a schema, in Markdown."""
    whole = schema(name)
    parts = [f"# {whole['title']}", _closed(whole["description"]), SCHEMAS[name], _downloads(name)]
    if name == ANY_MANIFEST:
        parts += ["## Kinds of document", _alternatives(whole)]
    else:
        parts += ["## Members", *_object(whole)]
        parts += (part for named in _by_reading(whole["$defs"]) for part in _definition(*named))
    return "\n\n".join([*parts, "## Examples", *map(_example, whole["examples"])]) + "\n"


def _downloads(name: str) -> str:
    files = f"Download the schema: [{name}.json](../schemas/{name}.json)"
    if differs_when_written(name):
        files += f", or [as dreg-client writes the document](../schemas/serialization/{name}.json)"
    return files + "."


def _closed(sentence: str) -> str:
    return sentence if sentence.endswith(".") else f"{sentence}."


def _alternatives(whole: Schema) -> str:
    names = [model.__name__ for model in models_of(ANY_MANIFEST)]
    pages = {model_of(name).__name__: name for name in KIND_NAMES}
    rows = [f"| [{whole['$defs'][name]['title']}]({pages[name]}.md) | {_own_type(whole, name)} |" for name in names]
    return "\n".join(["A document is exactly one of these:", "", "| document | `mediaType` |", "| --- | --- |", *rows])


def _own_type(whole: Schema, name: str) -> str:
    own = whole["$defs"][name]["properties"]["mediaType"]
    only = own.get("const") or own["anyOf"][0]["const"]
    return f"`{only}`" + ("" if "const" in own else ", or missing")


def _by_reading(definitions: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield objects first, then grammars, then the definitions of any value."""
    yield from sorted(definitions.items(), key=lambda named: (named[1].get("type") != "object", named[0] in _ANY_VALUE))


def _definition(name: str, own: Schema) -> list[str]:
    heading = [f"## {name}", _closed(own["description"])]
    return heading + (_object(own) if own.get("type") == "object" else _grammar(own))


# --- objects


def _object(own: Schema) -> list[str]:
    known = {name: member for name, member in own["properties"].items() if "not" not in member}
    rivals = [name for name, member in own["properties"].items() if "not" in member]
    required = own.get("required", ())
    rows = [_row(name, member, required=name in required) for name, member in known.items()]
    table = "\n".join(["| member | type | required | description | rules |", "| --- | --- | --- | --- | --- |", *rows])
    return [table, *_names(rivals, own), *_conditions(own)]


def _row(name: str, member: Schema, *, required: bool) -> str:
    cells = (f"`{name}`", _type(member), "yes" if required else "no", member.get("description", ""), _rules(member))
    return f"| {' | '.join(cells)} |"


def _names(rivals: list[str], own: Schema) -> list[str]:
    refused = "anyOf" in own["propertyNames"]
    said = ["Other members are kept."]
    if refused:
        said.append(f"Names that differ from one of these only in letter case are rejected ({linked('GEN-08')}).")
    if rivals:
        names = ", ".join(f"`{name}`" for name in rivals)
        said.append(f"{names} are rejected, because they belong to another kind of document ({linked('GEN-06')}).")
    return [" ".join(said)]


def _conditions(own: Schema) -> list[str]:
    told = {_rules(part): None for part in (own, own.get("then", {})) if "$comment" in part}
    return [f"Rules that involve several members: {', '.join(told)}."] if told else []


def _type(part: Schema) -> str:
    """Return the type of a member in words and links."""
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in part:
        return " or ".join(map(_type, part["anyOf"]))
    if "const" in part or "enum" in part:
        return " or ".join(f"`{json.dumps(value)}`" for value in part.get("enum", [part.get("const")]))
    return _plain_type(part)


def _plain_type(part: Schema) -> str:
    match part["type"]:
        case [kind, "null"]:
            return f"{_plain_type({**part, 'type': kind})} or `null`"
        case "array":
            most = f"up to {part['maxItems']:,} " if "maxItems" in part else ""
            return f"list of {most}{_type(part['items'])}"
        case "integer":
            most = "2^63 - 1" if part["maximum"] == _LARGEST else part["maximum"]
            return f"integer from {part['minimum']} to {most}"
        case "object":
            return _object_type(part["additionalProperties"])
        case "boolean":
            return "`true` or `false`"
        case other:
            return f"`{other}`"


def _object_type(values: Schema) -> str:
    """Return the type of an object whose names are not specified."""
    if values.get("$ref", "").rpartition("/")[2] in _ANY_VALUE:
        return "object"
    kind = _type(values)
    return f"object of ({kind}) values" if " or " in kind else f"object of {kind} values"


# --- grammars, and the rest


def _grammar(own: Schema) -> list[str]:
    patterns = [own["pattern"]] if "pattern" in own else [each["pattern"] for each in own.get("anyOf", ())]
    shown = "\n".join(patterns)
    return [*([f"```text\n{shown}\n```"] if patterns else []), f"Rules: {_rules(own)}."]


def _rules(part: Schema) -> str:
    ids = dict.fromkeys(match[0] for match in _RULE.finditer(part.get("$comment", "")))
    return ", ".join(map(linked, ids))


def linked(rule: str, above: str = "../rules/") -> str:
    """Return a rule's id as a link to its entry.

    Examples:
        >>> linked("DSC-03")
        '[DSC-03](../rules/dsc.md#dsc-03)'
    """
    return f"[{rule}]({above}{rule[:3].lower()}.md#{rule.lower()})"


def _example(document: Schema) -> str:
    return f"```json\n{json.dumps(document, indent=2, ensure_ascii=False)}\n```"
