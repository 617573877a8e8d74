"""Make generated schemas readable: names of the specification, shared definitions, keywords in a fixed order."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from dreg_client.models.grammars import GRAMMARS
from dreg_client.models.json_schema import HOLDS_VALUES, TEXT, TEXT_WITH_NUL, VALUE, VALUE_WITH_NUL, comment

Schema = dict[str, Any]

_SPECIFIED_NAMES: Final = {
    "DocumentPlatform": "Platform",
    "DockerConfigDescriptor": "ConfigDescriptor",
    "HistoryEntry": "History",
    "RootFs": "RootFS",
}
_BY_NAME: Final = frozenset({"$defs", "dependentSchemas", "patternProperties", "properties"})
"""Keywords that contain names, not keywords."""
_IGNORE_NULL: Final = frozenset("items maxItems additionalProperties propertyNames minimum maximum".split())
"""Keywords that do not apply to null."""
_KEYWORDS: Final = (  # in the order of the output
    "$schema $id title description $comment $ref type const enum pattern format minLength maxLength minimum maximum "
    "properties required additionalProperties propertyNames items minItems maxItems anyOf oneOf allOf if then else not "
    "default examples $defs"
).split()


def tidied(found: Schema, root: str, head: Schema) -> Schema:
    """Return the readable form of a schema that pydantic generated for the model `root`, starting with `head`."""
    found = _at_root(found, root)
    own: Schema = found.pop("$defs", {})
    names = {old: new for old, new in _SPECIFIED_NAMES.items() if new not in own and new != root}
    shared = _Shared({root, *(names.get(name, name) for name in own)})

    def changed(part: Schema) -> Schema:
        return cast("Schema", _with_type_lists(shared.within(_renamed(part, names))))

    body = changed(found)
    definitions = {names.get(name, name): changed(part) for name, part in own.items()} | shared.definitions()
    return cast("Schema", _ordered({**head, **body, "$defs": dict(sorted(definitions.items()))}))


def _at_root(found: Schema, root: str) -> Schema:
    """Move the model to the root, because pydantic puts a model that refers to itself into the definitions."""
    definitions = found.get("$defs", {})
    if found.keys() == {"$defs", "$ref"} and root in definitions:
        return {**definitions[root], "$defs": definitions}
    return dict(found)


def each_part(part: object, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401 (any part of a schema)
    """Apply a function to each inner part of a schema, but not to JSON values such as examples."""
    if isinstance(part, list):
        return [change(inner) for inner in cast("list[object]", part)]
    if not isinstance(part, dict):
        return part
    members = cast("Schema", part)
    return {word: _inner(word, inner, change) for word, inner in members.items()}


def _inner(word: str, inner: object, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401 (as above)
    if word in _BY_NAME:
        return {name: change(each) for name, each in cast("Schema", inner).items()}
    return inner if word in HOLDS_VALUES else change(inner)


def with_references(part: object, change: Callable[[str], str]) -> Any:  # noqa: ANN401 (any part of a schema)
    """Apply a function to each reference in a part of a schema."""
    changed = each_part(part, lambda inner: with_references(inner, change))
    if not isinstance(changed, dict) or "$ref" not in changed:
        return cast("object", changed)
    return cast("Schema", changed) | {"$ref": change(str(cast("Schema", changed)["$ref"]))}


def _renamed(part: object, names: Mapping[str, str]) -> Any:  # noqa: ANN401 (any part of a schema)
    def renamed(reference: str) -> str:
        where, _, name = reference.rpartition("/")
        return f"{where}/{names.get(name, name)}"

    return with_references(part, renamed)


def _with_type_lists(part: object) -> Any:  # noqa: ANN401 (any part of a schema)
    """Replace `anyOf` with null by a list of types, for which validators report more specific errors."""
    changed = each_part(part, _with_type_lists)
    match changed:
        case {"anyOf": [{"type": str(kind), **inner}, {"type": "null"}], **others} if inner.keys() <= _IGNORE_NULL:
            return {**others, **inner, "type": [kind, "null"]}
        case _:
            return cast("object", changed)


class _Shared:
    """Replace grammars and strings by references, and collect their definitions."""

    def __init__(self, taken: set[str]) -> None:
        self._names = {name: f"Oci{name}" if name in taken else name for name in _DEFINITIONS}
        self._used: set[str] = set()

    def within(self, part: object) -> Any:  # noqa: ANN401 (any part of a schema)
        """Return a part of a schema with references to shared schemas."""
        name = _name_of(part)
        if name is None:
            return each_part(part, self.within)
        others = {word: inner for word, inner in cast("Schema", part).items() if word not in _SAME[name]}
        self._used |= {name, *_USES.get(name, ())}
        return {"$ref": f"#/$defs/{self._names[name]}"} | each_part(others, self.within)

    def definitions(self) -> Schema:
        """Return the definitions in use, by name."""
        return {self._names[name]: _renamed(_DEFINITIONS[name], self._names) for name in self._used}


_SAME: Final[Mapping[str, Schema]] = {name: grammar.json_schema() for name, grammar in GRAMMARS.items()} | {
    "Text": TEXT,
    "TextWithNul": TEXT_WITH_NUL,
    "Value": VALUE,
    "ValueWithNul": VALUE_WITH_NUL,
}
"""The shared schemas by name, more specific ones first."""


def _name_of(part: object) -> str | None:
    """Return the name of the shared schema that a part of a schema includes, or None."""
    if not isinstance(part, dict):
        return None
    keywords = cast("Schema", part).items()
    return next((name for name, shared in _SAME.items() if shared.items() <= keywords), None)


_USES: Final = {"Value": ("Text",), "ValueWithNul": ("TextWithNul",)}
_KEPT: Final = "Any value. Members that the specification does not define are kept."


def _to_any_depth(name: str, text: str) -> Schema:
    """Return the keywords for nested values, without `anyOf`, which would exhaust the stack of some validators."""
    again = {"$ref": f"#/$defs/{name}"}
    return {"items": again, "additionalProperties": again, "propertyNames": {"$ref": f"#/$defs/{text}"}}


def _defined(description: str, rules: str, own: Schema) -> Schema:
    return {"description": description, "$comment": comment(*rules.split()), **own}


_DEFINITIONS: Final[Mapping[str, Schema]] = {
    name: _defined(grammar.description, grammar.rules, grammar.json_schema()) for name, grammar in GRAMMARS.items()
} | {
    "Text": _defined("A string of at most 1 MiB, without NUL characters.", "GEN-01 GEN-13", TEXT),
    "TextWithNul": _defined("A string of at most 1 MiB.", "GEN-13", TEXT_WITH_NUL),
    "Value": _defined(_KEPT, "GEN-09 GEN-01 GEN-03 GEN-13", VALUE | _to_any_depth("Value", "Text")),
    "ValueWithNul": _defined(
        _KEPT, "GEN-09 GEN-03 GEN-13", VALUE_WITH_NUL | _to_any_depth("ValueWithNul", "TextWithNul")
    ),
}


def _ordered(part: object) -> Any:  # noqa: ANN401 (any part of a schema)
    """Sort keywords, but keep the order of members and definitions."""
    if isinstance(part, dict):
        members = cast("Schema", part)
        part = {word: members[word] for word in (*filter(members.__contains__, _KEYWORDS), *members)}
    return each_part(part, _ordered)
