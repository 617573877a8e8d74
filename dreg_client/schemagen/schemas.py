"""Generate JSON Schemas from models, with the names of the specification, `$id` and examples."""

import json
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any, Final, Literal, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from dreg_client.errors.problems import SITE
from dreg_client.models.index import DockerManifestList, OciIndex
from dreg_client.models.json_schema import comment
from dreg_client.models.kinds import KIND_NAMES, MEDIA_TYPES, Kind
from dreg_client.models.manifest import DockerManifest, OciManifest
from dreg_client.models.parse import model_of
from dreg_client.models.stored import ParsedModel
from dreg_client.schemagen.tidying import Schema, tidied, with_references

Mode = Literal["validation", "serialization"]
"""`validation` describes the documents that are accepted, `serialization` those that are written."""

ANY_MANIFEST: Final = "manifest"
NAMES: Final = (*KIND_NAMES, ANY_MANIFEST)
"""The names of schemas: one for each kind of document, and `manifest` for any OCI or Docker manifest or index."""

FILE_NAMES: Final = ("sync-file", "sync-plan", "tag-policy", "tag-plan", "tag-journal")
"""The names of the schemas of files that dreg itself reads: of `dreg sync`, and of commands that change tags."""

_FILE_MODELS: Final = {
    "sync-file": ("dreg_client.copying.sync_file", "SyncFile"),
    "sync-plan": ("dreg_client.copying.sync_plan", "SyncPlan"),
    "tag-policy": ("dreg_client.tagging.policy", "TagPolicy"),
    "tag-plan": ("dreg_client.tagging.plan", "TagPlan"),
    "tag-journal": ("dreg_client.tagging.journal", "JournalLine"),
}
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_OF_ANY_MANIFEST: Final[tuple[Kind, ...]] = ("oci-manifest", "oci-index", "docker-manifest", "docker-manifest-list")
_ANY: Final[Schema] = {
    "title": "Image manifest or index",
    "description": "An image manifest or an index, in OCI or Docker format. "
    "`mediaType` names the kind; without it, the other members decide.",
    "type": "object",
}


def schema(of: str | type[BaseModel] | TypeAdapter[Any], *, mode: Mode = "validation") -> Schema:
    """Return the JSON Schema of a kind of document, or of your own model.

    Args:
        of: One of `NAMES`, `FILE_NAMES`, a pydantic model, which may contain models of this library, or a
            `TypeAdapter`.
        mode: `validation` for documents that are accepted, `serialization` for documents that are written (a list is
            never `null`).

    Returns:
        A self-contained schema (draft 2020-12), with all definitions in its `$defs`.

    Raises:
        ValueError: The name is unknown.

    Examples:
        >>> schema("descriptor")["required"]
        ['mediaType', 'digest', 'size']
    """
    if isinstance(of, TypeAdapter):
        return tidied(of.json_schema(mode=mode), "", {"$schema": _DIALECT})
    if not isinstance(of, str):
        return tidied(of.model_json_schema(mode=mode), of.__name__, {"$schema": _DIALECT})
    if of not in FILE_NAMES:
        models_of(of)
    return cast("Schema", json.loads(_named(of, mode)))


def models_of(of: str | type[BaseModel]) -> tuple[type[BaseModel], ...]:
    """Return the models of a schema; raise `ValueError` if its name is unknown."""
    if not isinstance(of, str):
        return (of,)
    if of not in NAMES:
        message = f"{of!r} is not the name of a schema; expected one of: {', '.join((*NAMES, *FILE_NAMES))}"
        raise ValueError(message)
    return tuple(model_of(name) for name in (_OF_ANY_MANIFEST if of == ANY_MANIFEST else (of,)))


def text(content: Schema) -> str:
    """Return a schema as JSON text, indented by two spaces, with a final line feed."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def differs_when_written(name: str) -> bool:
    """Return whether the schemas of written and accepted documents of a kind differ. Schema 1 is never written."""
    accepted, written = schema(name), schema(name, mode="serialization")
    return name != "legacy-manifest" and accepted | {"$id": ""} != written | {"$id": ""}


@cache
def examples() -> Schema:
    """Return small, realistic documents of each kind."""
    return cast("Schema", json.loads((files("dreg_client.schemagen") / "examples.json").read_text("utf-8")))


@cache
def _named(name: str, mode: Mode) -> str:
    folder = "schemas/serialization" if mode == "serialization" else "schemas"
    head: Schema = {"$schema": _DIALECT, "$id": f"{SITE}{folder}/{name}.json"}
    if name == ANY_MANIFEST:
        _, found = models_json_schema([(model, mode) for model in models_of(name)])
        head["examples"] = [examples()[each][0] for each in _OF_ANY_MANIFEST]
        return text(tidied(_any_manifest_by_type() | found, "", head))
    model = _model_of_file(name) if name in FILE_NAMES else model_of(name)
    found = model.model_json_schema(mode=mode)
    return text(tidied(found, model.__name__, head | {"examples": examples()[name]}))


def _model_of_file(name: str) -> type[BaseModel]:
    module, model = _FILE_MODELS[name]
    return cast("type[BaseModel]", getattr(import_module(module), model))  # other schemas do not need these modules


def any_manifest() -> Schema:
    """Return the schema of a manifest or index: exactly one of the four kinds."""
    return {**_ANY, "oneOf": [_reference(model) for model in models_of(ANY_MANIFEST)]}


def _any_manifest_by_type() -> Schema:
    """Select the kind by `mediaType` or by members, so that a validator reports the errors of the intended kind."""
    types = [each for name in _OF_ANY_MANIFEST for each in MEDIA_TYPES[name]]
    by_members = {"properties": {"mediaType": {"type": "null"}}, "required": ["manifests"]}
    index = {"anyOf": [_of_type(OciIndex), by_members]}
    docker = (_of_type(DockerManifest), _of_type(DockerManifestList))
    choice = {"if": index, "then": _reference(OciIndex), "else": _reference(OciManifest)}
    choice = {"if": docker[1], "then": _reference(DockerManifestList), "else": choice}
    choice = {"if": docker[0], "then": _reference(DockerManifest), "else": choice}
    media_type = {"description": "The media type of this document.", "enum": [*types, None]}
    return {**_ANY, "properties": {"mediaType": media_type | {"$comment": comment("GEN-12")}}, **choice}


def _of_type(model: type[ParsedModel]) -> Schema:
    return {"properties": {"mediaType": {"enum": list(model.media_types)}}, "required": ["mediaType"]}


def _reference(model: type[BaseModel]) -> Schema:
    return {"$ref": f"#/$defs/{model.__name__}"}


# --- OpenAPI, whose tools only find definitions below `#/components/schemas`


def components(*of: str | type[BaseModel], mode: Mode = "validation") -> dict[str, Schema]:
    """Return schemas and all their definitions, for `components.schemas` of an OpenAPI 3.1 document.

    Args:
        of: Names of schemas, or your own models.
        mode: `validation` for documents that are accepted, `serialization` for those that are written.

    Returns:
        The schemas by the names of their models; `manifest` is named `AnyManifest`.

    Raises:
        ValueError: A name is unknown.

    Examples:
        >>> sorted(components("image-layout"))
        ['ImageLayout', 'Text', 'Value']
    """
    models = {model: None for each in of for model in models_of(each)}
    _, found = models_json_schema([(model, mode) for model in models])
    if ANY_MANIFEST in of:
        found["$defs"]["AnyManifest"] = any_manifest()
    whole = tidied(found, "", {})
    return {
        name: with_references(part, lambda reference: reference.replace("#/$defs/", "#/components/schemas/", 1))
        for name, part in whole["$defs"].items()
    }
