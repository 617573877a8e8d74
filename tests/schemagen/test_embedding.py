"""Others build on the schemas: their own models, OpenAPI documents, makers of code."""

import json
from typing import Any

import jsonschema
import openapi_spec_validator
import pytest
from pydantic import BaseModel, Field, TypeAdapter

from dreg_client import Descriptor, ImageConfig, OciIndex, OciManifest
from dreg_client.schemagen import NAMES, Mode, components, schema


class Digest(BaseModel):
    """A caller's own idea of a digest."""

    algorithm: str


class Release(BaseModel):
    """A caller's own model around ours."""

    version: str = Field(description="What we call it.")
    manifest: OciManifest
    config: ImageConfig | None = None
    signed: Digest | None = None
    default: Descriptor | None = None


class Tree(BaseModel):
    """A model that holds itself."""

    index: OciIndex
    children: "list[Tree]" = []


class Signed(OciManifest, frozen=True):
    signed_by: str
    "Who signed it."


class Undocumented(Descriptor, frozen=True):
    more: int = 0


RELEASE = {"version": "1.4", "manifest": schema("oci-manifest")["examples"][0]}


def test_a_callers_model_that_holds_ours_has_a_schema() -> None:
    found = schema(Release)
    validator = jsonschema.Draft202012Validator(found)
    jsonschema.Draft202012Validator.check_schema(found)

    assert found["$schema"].endswith("2020-12/schema")
    assert found["properties"]["version"]["description"] == "What we call it."
    assert validator.is_valid(RELEASE)
    assert validator.is_valid({**RELEASE, "signed": {"algorithm": "sha256"}})
    assert validator.is_valid({**RELEASE, "default": schema("descriptor")["examples"][0]})


@pytest.mark.parametrize(
    "change",
    [
        {"manifest": {**RELEASE["manifest"], "layers": {}}},  # type: ignore[dict-item]
        {"manifest": {**RELEASE["manifest"], "manifests": []}},  # type: ignore[dict-item]
        {"default": {"mediaType": "a/b", "digest": "sha256:abc", "size": 1}},
        {"signed": {"algorithm": 256}},
    ],
)
def test_and_it_refuses_what_the_models_refuse(change: dict[str, Any]) -> None:
    assert not jsonschema.Draft202012Validator(schema(Release)).is_valid({**RELEASE, **change})


def test_a_name_that_the_caller_has_taken_stays_his() -> None:
    definitions = schema(Release)["$defs"]

    assert definitions["Digest"]["description"] == "A caller's own idea of a digest."
    assert definitions["OciDigest"]["type"] == "string"


def test_a_model_that_is_made_of_ours_says_what_is_its_own() -> None:
    found = schema(Signed)
    document = schema("oci-manifest")["examples"][0]

    assert found["title"] == "Signed"
    assert found["properties"]["signed_by"] == {"description": "Who signed it.", "$ref": "#/$defs/Text"}
    assert "signed_by" in found["required"]
    assert jsonschema.Draft202012Validator(found).is_valid({**document, "signed_by": "acme"})
    assert not jsonschema.Draft202012Validator(found).is_valid(document)
    assert schema(Undocumented)["title"] == "Undocumented"


def test_a_model_that_holds_itself_has_a_schema_with_the_model_at_its_root() -> None:
    found = schema(Tree)
    leaf = {"index": schema("oci-index")["examples"][0]}

    assert found["type"] == "object"
    assert jsonschema.Draft202012Validator(found).is_valid({**leaf, "children": [leaf]})
    assert not jsonschema.Draft202012Validator(found).is_valid({**leaf, "children": [{}]})


def test_any_other_type_has_a_schema_by_its_adapter() -> None:
    found = schema(TypeAdapter(list[OciManifest | OciIndex]))
    documents = [schema(name)["examples"][0] for name in ("oci-manifest", "oci-index")]

    assert jsonschema.Draft202012Validator(found).is_valid(documents)
    assert not jsonschema.Draft202012Validator(found).is_valid([{}])
    assert {"OciManifest", "OciIndex", "Digest"} <= found["$defs"].keys()


def test_what_is_written_of_a_callers_model_follows_its_other_schema() -> None:
    release = Release.model_validate({**RELEASE, "manifest": {**RELEASE["manifest"], "layers": None}})  # type: ignore[dict-item]

    jsonschema.Draft202012Validator(schema(Release, mode="serialization")).validate(release.model_dump(mode="json"))


def openapi(schemas: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI 3.1 document with an operation that answers with each schema."""
    answers = {
        f"/{name}": {
            "get": {
                "operationId": name,
                "responses": {
                    "200": {
                        "description": name,
                        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
                    }
                },
            }
        }
        for name in schemas
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Documents", "version": "1"},
        "paths": answers,
        "components": {"schemas": schemas},
    }


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_an_openapi_document_may_hold_them_all(mode: Mode) -> None:
    document = openapi(components(*NAMES, Release, mode=mode))

    openapi_spec_validator.validate(document, cls=openapi_spec_validator.OpenAPIV31SpecValidator)
    assert {"AnyManifest", "Descriptor", "Digest", "OciManifest", "Release"} <= document["components"]["schemas"].keys()


def test_what_an_openapi_document_says_is_what_the_schema_says() -> None:
    whole = openapi(components("oci-manifest"))
    validator = jsonschema.Draft202012Validator({**whole, "$ref": "#/components/schemas/OciManifest"})

    for example in schema("oci-manifest")["examples"]:
        assert validator.is_valid(example)
        assert not validator.is_valid({**example, "layers": [{}]})


def test_a_callers_name_does_not_change_what_ours_say_in_an_openapi_document() -> None:
    schemas = components("descriptor", Release)

    assert schemas["Digest"]["description"] == "A caller's own idea of a digest."
    assert schemas["Descriptor"]["properties"]["digest"]["$ref"] == "#/components/schemas/OciDigest"


def test_a_schema_is_the_callers_to_change() -> None:
    schema("descriptor")["title"] = "changed"

    assert schema("descriptor")["title"] == "Descriptor"


def test_there_is_no_schema_of_another_name() -> None:
    with pytest.raises(ValueError, match="expected one of: descriptor, oci-manifest"):
        schema("helm-chart")


def test_a_schema_is_plain_json() -> None:
    for name in NAMES:
        assert json.loads(json.dumps(schema(name))) == schema(name)
