"""From models to JSON Schemas: pydantic's, under the specification's names, with addresses and examples."""

import json
from functools import cache
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from dreg_client.models.parse import KINDS
from dreg_client.problems import SITE
from dreg_client.schemagen.examples import EXAMPLES
from dreg_client.schemagen.tidying import tidied

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]
"""What is accepted, or what is written."""

ANY_MANIFEST: Final = "manifest"
NAMES: Final = (*KINDS, ANY_MANIFEST)
"""The schemas there are: one a kind of document, and `manifest`, which accepts any manifest or index of today."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_OF_ANY_MANIFEST: Final = ("oci-manifest", "oci-index", "docker-manifest", "docker-manifest-list")
_NEVER_WRITTEN_ANEW: Final = "legacy-manifest"


def schema(of: str | type[BaseModel], *, mode: Mode = "validation") -> Schema:
    """The JSON Schema of a kind of document, or of a model of your own.

    Args:
        of: One of `NAMES`, or a pydantic model, which may hold ours as fields.
        mode: `validation`: what is accepted; `serialization`: what is written, where `null` never stands for a list.

    Returns:
        A schema of draft 2020-12 by itself: what it refers to stands in its `$defs`.

    Raises:
        ValueError: There is no schema of that name.

    Examples:
        >>> schema("descriptor")["required"]
        ['mediaType', 'digest', 'size']
    """
    if not isinstance(of, str):
        return tidied(of.model_json_schema(mode=mode), of.__name__, {"$schema": _DIALECT})
    models_of(of)
    named: Schema = json.loads(_named(of, mode))
    return named


def models_of(of: str | type[BaseModel]) -> tuple[type[BaseModel], ...]:
    """The models that a schema is of.

    Raises:
        ValueError: There is no schema of that name.
    """
    if not isinstance(of, str):
        return (of,)
    if of not in NAMES:
        message = f"there is no schema {of!r}; there are {', '.join(NAMES)}"
        raise ValueError(message)
    return tuple(KINDS[name] for name in (_OF_ANY_MANIFEST if of == ANY_MANIFEST else (of,)))


def text(content: Schema) -> str:
    """A schema as it is written to a file: two spaces a level, a line feed at the end."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def differs_when_written(name: str) -> bool:
    """Whether what is written of a kind is less than what is accepted (schema 1 is never written anew)."""
    if name == _NEVER_WRITTEN_ANEW:
        return False
    return {**schema(name), "$id": ""} != {**schema(name, mode="serialization"), "$id": ""}


@cache
def _named(name: str, mode: Mode) -> str:
    folder = "schemas/serialization" if mode == "serialization" else "schemas"
    head = {"$schema": _DIALECT, "$id": f"{SITE}{folder}/{name}.json"}
    if name == ANY_MANIFEST:
        _, found = models_json_schema([(model, mode) for model in models_of(name)])
        examples = [EXAMPLES[each][0] for each in _OF_ANY_MANIFEST]
        return text(tidied(any_manifest() | found, "", head | {"examples": examples}))
    model = KINDS[name]
    found = model.model_json_schema(mode=mode)
    return text(tidied(found, model.__name__, head | {"examples": list(EXAMPLES[name])}))


def any_manifest() -> Schema:
    """The four kinds of today, told apart by `mediaType`, else by their members: no document is of two of them."""
    return {
        "title": "Image manifest or index",
        "description": "Any manifest or index, of OCI or of Docker: its `mediaType` says which, else its members.",
        "type": "object",
        "oneOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in models_of(ANY_MANIFEST)],
    }
