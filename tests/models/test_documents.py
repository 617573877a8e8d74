"""What a document is once it was read: its bytes, its members, and that nothing of it changes."""

import copy
import inspect
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from dreg_client import (
    Descriptor,
    Digest,
    DockerManifest,
    ImageConfig,
    OciIndex,
    OciManifest,
    parse_document,
    parse_manifest,
)
from dreg_client.errors import InvalidDocumentError, NoBytesError
from dreg_client.models.config import clean_instruction
from dreg_client.models.descriptor import DocumentPlatform
from dreg_client.models.kinds import KIND_NAMES
from dreg_client.models.parse import model_of
from dreg_client.values.media_type import DOCKER_CONFIG, DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST

_FIXTURES = Path(__file__).parents[2] / "fixtures"
VALID = sorted((_FIXTURES / "valid").glob("*.json"))
_DIGEST = Digest.of(b"{}")
_CONFIG = {"mediaType": OCI_CONFIG, "digest": _DIGEST, "size": 2}


def manifest(**members: object) -> bytes:
    return json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": _CONFIG, "layers": [_CONFIG], **members}
    ).encode()


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_bytes_are_the_truth(path: Path) -> None:
    raw = path.read_bytes()

    document = parse_manifest(raw, legacy=True)

    assert document.raw == raw
    assert document.digest == Digest.of(raw)
    assert document.size == len(raw)
    assert len(repr(document)) < 200
    assert document.digest.short in repr(document)


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_copies_and_pickles_keep_the_bytes(path: Path, protocol: int) -> None:
    document = parse_manifest(path.read_bytes(), legacy=True)

    for other in (
        pickle.loads(pickle.dumps(document, protocol)),
        copy.copy(document),
        copy.deepcopy(document),
        document.model_copy(),
    ):
        assert other == document
        assert hash(other) == hash(document)
        assert other.raw == document.raw
        assert other.digest == document.digest


@pytest.mark.parametrize("path", [path for path in VALID if "schema-1" not in path.name], ids=lambda path: path.name)
def test_what_is_dumped_is_read_again_as_an_equal_document(path: Path) -> None:
    document = parse_manifest(path.read_bytes())

    assert type(document).parse(document.model_dump_json(exclude_unset=True)) == document
    assert json.loads(document.model_dump_json(exclude_unset=True)) == json.loads(document.raw)


def test_d_05_equality_is_by_content_and_identity_by_digest() -> None:
    compact, spaced = parse_manifest(manifest()), parse_manifest(manifest() + b" ")

    assert compact == spaced
    assert hash(compact) == hash(spaced)
    assert compact.digest != spaced.digest
    assert compact != parse_manifest(manifest(x=1))
    assert compact != parse_manifest(manifest(annotations={"a": "b"}))


def mappings_of_documents() -> list[Any]:
    document = parse_manifest(manifest(annotations={"a": "b"}, x={"y": [{"z": 1}]}))
    config = ImageConfig.parse(
        '{"architecture":"a","os":"b","rootfs":{"type":"layers","diff_ids":[]},'
        '"config":{"Labels":{"a":"b"},"ExposedPorts":{"80":{"a":[1]}}}}'
    ).config
    assert config is not None
    assert config.exposed_ports is not None
    unknown = document.unknown_members
    of_config = [config.labels, config.exposed_ports, config.exposed_ports["80"]]
    return [document.annotations, unknown, unknown["x"], unknown["x"]["y"][0], document.model_extra, *of_config]


@pytest.mark.parametrize("position", range(8))
@pytest.mark.parametrize(
    "change", ["clear", "popitem", "pop", "update", "setdefault", "__setitem__", "__delitem__", "__ior__"]
)
def test_no_mapping_of_a_document_can_be_changed(position: int, change: str) -> None:
    mapping = mappings_of_documents()[position]

    assert isinstance(mapping, Mapping)
    with pytest.raises(TypeError, match="immutable"):
        getattr(mapping, change)("a", "b")
    assert mapping == mappings_of_documents()[position]


def test_no_list_and_no_attribute_of_a_document_can_be_changed() -> None:
    document = parse_manifest(manifest(x={"y": [{"z": 1}]}))

    with pytest.raises(ValueError, match="frozen"):
        document.media_type = "x"  # type: ignore[misc, assignment]
    assert isinstance(document.layers, tuple)
    assert isinstance(document.unknown_members["x"]["y"], tuple)


def test_an_update_is_refused_since_its_values_are_unchecked() -> None:
    with pytest.raises(TypeError, match="build"):
        parse_manifest(manifest()).model_copy(update={"layers": ()})


def test_a_descriptor_is_built_with_the_names_of_python() -> None:
    digest = Digest.of(b"x")

    built = Descriptor.build(media_type="text/plain", digest=digest, size=1, annotations={"org.example.a": "b"})

    assert built == Descriptor(mediaType="text/plain", digest=digest, size=1, annotations={"org.example.a": "b"})
    assert pickle.loads(pickle.dumps(built)) == built
    with pytest.raises(InvalidDocumentError, match=r"\$\.digest"):
        Descriptor.build(media_type="text/plain", digest="sha256:1", size=1)


def test_the_error_for_an_update_names_a_way_that_exists() -> None:
    descriptor = Descriptor.build(media_type="text/plain", digest=Digest.of(b"x"), size=1)

    with pytest.raises(TypeError, match=r"create a new one with Descriptor\.build\(\.\.\.\)$"):
        descriptor.model_copy(update={"annotations": {}})
    with pytest.raises(TypeError, match=r"create a new one with DocumentPlatform\(\.\.\.\)$"):
        DocumentPlatform(os="linux", architecture="amd64").model_copy(update={"os": "windows"})


def test_d_34_a_stray_member_cannot_win() -> None:
    document = parse_manifest(manifest(media_type="evil", schema_version=9, digest="x", raw="y"))

    assert document.media_type == OCI_MANIFEST
    assert document.digest == Digest.of(document.raw)
    assert document.unknown_members["media_type"] == "evil"
    assert json.loads(document.model_dump_json())["mediaType"] == OCI_MANIFEST


def test_d_35_a_document_in_a_caller_s_model_has_no_bytes_of_its_own() -> None:
    class Release(BaseModel):
        name: str
        manifest: OciManifest

    release = Release.model_validate({"name": "1.4", "manifest": json.loads(manifest())})

    for member in ("raw", "digest", "size", "warnings", "descriptor"):
        with pytest.raises(NoBytesError):
            getattr(release.manifest, member)
    assert not release.manifest.is_stored
    assert "not stored" in repr(release.manifest)
    assert release.manifest == OciManifest.parse(manifest())
    assert pickle.loads(pickle.dumps(release.manifest)) == release.manifest
    assert "OciManifest" in Release.model_json_schema()["$defs"]


@pytest.mark.parametrize("kind", KIND_NAMES)
@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_every_model_has_a_json_schema(kind: str, mode: Literal["validation", "serialization"]) -> None:
    assert model_of(kind).model_json_schema(mode=mode)["type"] == "object"


def test_a_new_document_is_written_first_and_then_read() -> None:
    config = Descriptor(mediaType=OCI_CONFIG, digest=_DIGEST, size=2)

    built = OciManifest.build(
        schema_version=2, media_type=OCI_MANIFEST, config=config, layers=[config], annotations={"a": "b"}
    )

    assert json.loads(built.raw)["config"] == _CONFIG
    assert built == OciManifest.parse(built.raw)
    assert built.descriptor == Descriptor(mediaType=OCI_MANIFEST, digest=Digest.of(built.raw), size=len(built.raw))


def test_text_is_read_as_its_bytes() -> None:
    assert parse_manifest(manifest().decode()).raw == manifest()
    assert OciManifest.parse(bytearray(manifest())).raw == manifest()  # type: ignore[arg-type]


@pytest.mark.parametrize("old", ["application/octet-stream", "application/json", "text/html", ""])
def test_d_13_old_registries_wrote_other_types_for_configs(old: str) -> None:
    raw = json.dumps(
        {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": {**_CONFIG, "mediaType": old}, "layers": [_CONFIG]}
    )

    read = DockerManifest.parse(raw)

    assert read.config.media_type == old
    assert ("DKM-03", "$.config.mediaType") in {(warning.rule, warning.path) for warning in read.warnings}


def test_a_config_s_own_type_is_no_problem() -> None:
    raw = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": {**_CONFIG, "mediaType": DOCKER_CONFIG},
            "layers": [_CONFIG],
        }
    )

    assert "DKM-03" not in {warning.rule for warning in DockerManifest.parse(raw.replace(OCI_CONFIG, "a/b")).warnings}


def test_platforms_are_values() -> None:
    entry = {
        **_CONFIG,
        "mediaType": OCI_MANIFEST,
        "platform": {"architecture": "arm64", "os": "linux", "os.version": "1", "x": 1},
    }
    platform = OciIndex.parse(json.dumps({"schemaVersion": 2, "manifests": [entry]})).manifests[0].platform

    assert platform is not None
    assert str(platform.value) == "linux(1)/arm64"
    assert platform.unknown_members == {"x": 1}


def test_embedded_content_is_decoded() -> None:
    assert parse_document(json.dumps({**_CONFIG, "data": "e30="}), kind="descriptor").embedded == b"{}"
    assert parse_document(json.dumps(_CONFIG), kind="descriptor").embedded is None


@pytest.mark.parametrize(
    ("created_by", "instruction"),
    [
        ("/bin/sh -c #(nop) ADD file:0b in / ", "ADD file:0b in /"),
        ('/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'),
        ("/bin/sh -c apt-get update   && true", "RUN apt-get update && true"),
        ("|2 A=1 B=two words /bin/sh -c make $A", "RUN make $A"),
        ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
        ("RUN |1 A=1 /bin/sh -c make # buildkit", "RUN make"),
        ("COPY --chmod=755 web /bin/web # buildkit", "COPY --chmod=755 web /bin/web"),
        ("WORKDIR /srv", "WORKDIR /srv"),
        ("cmd /S /C #(nop)  USER ContainerUser", "USER ContainerUser"),
        ("cmd /S /C mkdir C:\\app", "RUN mkdir C:\\app"),
        ("powershell -Command $ErrorActionPreference = 'Stop'; #(nop)  ENV A=1", "ENV A=1"),
        ("bazel build ...", "bazel build ..."),
        ("", ""),
    ],
)
def test_row_31_an_instruction_is_shown_as_its_author_wrote_it(created_by: str, instruction: str) -> None:
    assert clean_instruction(created_by) == instruction


def test_row_31_the_history_of_layers_can_be_asked_for_again() -> None:
    config = ImageConfig.parse(
        '{"architecture":"a","os":"b","rootfs":{"type":"layers","diff_ids":[]},'
        '"history":[{"created_by":"A"},{"empty_layer":true},{"empty_layer":false}]}'
    )

    assert len(config.non_empty_history) == len(config.non_empty_history) == 2
    assert [warning.rule for warning in config.warnings] == ["CFG-20"]


def test_a_manifest_that_has_a_member_of_descriptors_is_a_manifest(fixtures: Path) -> None:
    """`mediaType` is that of something else only where a `digest` stands beside it and no `schemaVersion`."""
    tree = json.loads((fixtures / "valid/docker-manifest.json").read_bytes())

    assert isinstance(parse_manifest(json.dumps({**tree, "digest": "kept"})), DockerManifest)


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_the_signature_of_a_model_has_plain_types(kind: str) -> None:
    """`help(Descriptor)` starts with it; the metadata of the fields would fill pages."""
    signature = inspect.signature(model_of(kind))

    assert "Rule(" not in str(signature)
    assert signature.parameters.keys() - {"extra_data"} == {
        field.alias if field.alias and field.alias.isidentifier() else name
        for name, field in model_of(kind).model_fields.items()
    }


def test_the_signature_of_a_callers_subclass_has_its_own_fields() -> None:
    class Noted(Descriptor, frozen=True):
        note: str = ""

    assert inspect.signature(Noted).parameters["note"].annotation is str
    assert inspect.signature(Descriptor).parameters["size"].annotation is int
    assert not hasattr(Noted(mediaType=OCI_CONFIG, digest=_DIGEST, size=2), "__signature__")
