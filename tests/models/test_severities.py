"""What is an error, what a warning and what a note: rules whose verdict depends on the value or on the document."""

import json
from typing import Any

import pytest

from dreg_client import Descriptor, Digest, ImageConfig, OciIndex, Platform, validate
from dreg_client.values import media_type as types

Found = list[tuple[str, str, str]]
_DIGEST = Digest.of(b"{}")
_PLATFORM = {"os": "linux", "architecture": "amd64"}
_ANNOTATION = '$.annotations["org.opencontainers.image.base.name"]'


def descriptor(media_type: str, **members: object) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _DIGEST, "size": 2, **members}


def manifest(media_type: str, config: str, layer: str) -> dict[str, object]:
    return {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": descriptor(config),
        "layers": [descriptor(layer)],
    }


def index(media_type: str, entry: str, platform: dict[str, str] = _PLATFORM) -> dict[str, object]:
    return {"schemaVersion": 2, "mediaType": media_type, "manifests": [descriptor(entry, platform=platform)]}


def config(**members: object) -> dict[str, object]:
    return {"rootfs": {"type": "layers", "diff_ids": []}, **members}


def found(document: object, rule: str, **options: Any) -> Found:
    problems = validate(json.dumps(document), pedantic=True, **options).problems
    return [(it.rule, str(it.severity), it.path) for it in problems if it.rule == rule]


@pytest.mark.parametrize(
    ("names", "empty"),
    [
        ({"os": "linux", "architecture": "amd64"}, []),
        ({"os": "linux", "architecture": ""}, ["architecture"]),
        ({"os": "", "architecture": "amd64"}, ["os"]),
        ({"os": "", "architecture": ""}, ["architecture", "os"]),
    ],
)
@pytest.mark.parametrize("media_type", [types.OCI_INDEX, types.DOCKER_MANIFEST_LIST])
def test_plt_01_each_empty_name_of_a_platform_is_a_warning_there(
    media_type: str, names: dict[str, str], empty: list[str]
) -> None:
    path = "$.manifests[0].platform."
    problems = found(index(media_type, types.OCI_MANIFEST, names), "PLT-01")

    assert problems == [("PLT-01", "warning", path + name) for name in empty]


@pytest.mark.parametrize("names", [{"os": "linux"}, {"architecture": "amd64"}, {"os": None, "architecture": "amd64"}])
def test_plt_01_a_missing_name_of_a_platform_is_an_error(names: dict[str, object]) -> None:
    [(_, severity, _)] = found(descriptor(types.OCI_MANIFEST, platform=names), "PLT-01", kind="descriptor")

    assert severity == "error"


@pytest.mark.parametrize("names", [("", "amd64"), ("linux", ""), ("", "")])
def test_a_platform_with_an_empty_name_is_unknown(names: tuple[str, str]) -> None:
    raw = json.dumps(descriptor(types.OCI_MANIFEST, platform=dict(zip(("os", "architecture"), names, strict=True))))
    read = Descriptor.parse(raw).platform

    assert read is not None
    assert read.value is None
    assert (read.os, read.architecture) == names


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (manifest(types.OCI_MANIFEST, types.OCI_CONFIG, types.DOCKER_LAYER_GZIP), ("warning", "$.layers[0].mediaType")),
        (manifest(types.OCI_MANIFEST, types.DOCKER_CONFIG, types.OCI_LAYER), ("warning", "$.config.mediaType")),
        (
            manifest(types.OCI_MANIFEST, types.OCI_CONFIG, types.OCI_NONDISTRIBUTABLE_LAYER),
            ("warning", "$.layers[0].mediaType"),
        ),
        (manifest(types.OCI_MANIFEST, types.OCI_CONFIG, types.OCI_LAYER), None),
        (manifest(types.DOCKER_MANIFEST, types.DOCKER_CONFIG, types.OCI_LAYER_GZIP), None),
        (manifest(types.DOCKER_MANIFEST, types.OCI_CONFIG, types.DOCKER_LAYER), None),
        (manifest(types.DOCKER_MANIFEST, types.DOCKER_CONFIG, types.DOCKER_FOREIGN_LAYER_GZIP), None),
        (index(types.OCI_INDEX, types.DOCKER_MANIFEST), ("note", "$.manifests[0].mediaType")),
        (index(types.OCI_INDEX, types.OCI_MANIFEST), None),
        (index(types.DOCKER_MANIFEST_LIST, types.OCI_MANIFEST), None),
    ],
)
def test_dsc_11_is_about_oci_documents_and_of_an_index_only_a_note(
    document: object, expected: tuple[str, str] | None
) -> None:
    assert found(document, "DSC-11") == ([("DSC-11", *expected)] if expected else [])


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("registry.example/acme/base:12", None),
        ("docker.io/library/debian:12", None),
        ("scratch", "note"),
        ("", "note"),
        ("debian:12", "note"),
        ("acme/base", "note"),
        ("registry.example/acme/base 12", "warning"),
        ("Acme", "warning"),
        ("https://registry.example/acme/base", "warning"),
    ],
)
def test_ann_02_a_base_name_without_a_registry_is_a_note(name: str, severity: str | None) -> None:
    document = descriptor(types.OCI_LAYER, annotations={"org.opencontainers.image.base.name": name})

    expected = [("ANN-02", severity, _ANNOTATION)] if severity else []
    assert found(document, "ANN-02", kind="descriptor") == expected


def test_ann_02_another_empty_annotation_is_a_warning() -> None:
    document = descriptor(types.OCI_LAYER, annotations={"org.opencontainers.image.created": ""})

    assert [severity for _, severity, _ in found(document, "ANN-02", kind="descriptor")] == ["warning"]


@pytest.mark.parametrize(
    ("os", "architecture", "path"),
    [("linux", "amd64", None), ("", "amd64", "$.os"), ("linux", "", "$.architecture"), ("", "", "$")],
)
def test_cfg_01_empty_names_are_one_warning(os: str, architecture: str, path: str | None) -> None:
    document = config(os=os, architecture=architecture)

    assert found(document, "CFG-01", kind="image-config") == ([("CFG-01", "warning", path)] if path else [])
    platform = ImageConfig.parse(json.dumps(document)).platform
    assert platform == (None if path else Platform.from_name("linux/amd64"))


def test_an_index_with_warnings_alone_is_read_strictly() -> None:
    document = OciIndex.parse(
        json.dumps(index(types.OCI_INDEX, types.OCI_MANIFEST, {"os": "linux", "architecture": ""}))
    )

    assert [(it.rule, it.path) for it in document.problems] == [("PLT-01", "$.manifests[0].platform.architecture")]
