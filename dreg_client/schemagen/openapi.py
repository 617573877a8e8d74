"""Schemas for an OpenAPI document, whose tools only find definitions below `#/components/schemas`."""

from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from dreg_client.schemagen.schemas import ANY_MANIFEST, Mode, any_manifest, models_of
from dreg_client.schemagen.tidying import Schema, each_part, tidied


def components(*of: str | type[BaseModel], mode: Mode = "validation") -> dict[str, Schema]:
    """Return schemas and all that they refer to, for `components.schemas` of an OpenAPI 3.1 document.

    Args:
        of: Names of schemas, or your own models.
        mode: `validation` for documents that are accepted, `serialization` for those that are written.

    Returns:
        Schemas by the names of their models; `manifest` is `AnyManifest`.

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
    return {name: _below_components(part) for name, part in whole["$defs"].items()}


def _below_components(part: object) -> Any:  # noqa: ANN401 (any part of a schema)
    changed = each_part(part, _below_components)
    if not isinstance(changed, dict) or "$ref" not in changed:
        return cast("object", changed)
    refers = str(cast("Schema", changed)["$ref"]).replace("#/$defs/", "#/components/schemas/", 1)
    return cast("Schema", changed) | {"$ref": refers}
