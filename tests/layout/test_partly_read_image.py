"""Of an image of which something is wrong, everything else is read; what is wrong is an error where it is needed."""

from typing import TYPE_CHECKING, Any

import pytest

from dreg_client import Platform
from dreg_client._sync.image_view import view
from dreg_client.errors import DigestMismatchError, InvalidDocumentError, NotAnImageError, PlatformNotFoundError
from dreg_client.models.config import ImageConfig
from dreg_client.models.index import OciIndex
from dreg_client.models.partial import right_parts
from tests.layout.conftest import OCI

if TYPE_CHECKING:
    from tests.layout.conftest import Json, LayoutBuilder

WASM = Platform("wasi", "wasm")


def wasm(build: "LayoutBuilder") -> "Json":
    """An artifact that an index lists with a platform, as those of WebAssembly are."""
    entry = build.manifest(build.blob(b"{}", "application/vnd.wasm.config.v0+json"), build.blob(b"\0asm"))
    return {**entry, "platform": {"os": "wasi", "architecture": "wasm"}}


def broken_config(build: "LayoutBuilder", **members: object) -> "Json":
    config = {"os": "linux", "architecture": "arm64", "rootfs": {"type": "layers", "diff_ids": []}, **members}
    entry = build.manifest(build.document(config, OCI + "config.v1+json"), build.blob(b"layer"))
    return {**entry, "platform": {"os": "linux", "architecture": "arm64"}}


# --- artifacts among the platforms


def test_an_artifact_among_the_platforms_leaves_the_images_usable(build: "LayoutBuilder") -> None:
    image, artifact = build.image(), wasm(build)
    build.tag("1", build.index(artifact, image))
    found = build.layout().get_image("1")

    assert found.platforms == (WASM, Platform.from_name("linux/amd64"))
    assert [each.digest for each in found.get_platform_images()] == [image["digest"]]
    assert found.get_descriptor("wasi/wasm").digest == artifact["digest"]
    with pytest.raises(NotAnImageError):
        found.get_platform_image("wasi/wasm")
    with pytest.raises(PlatformNotFoundError):
        found.get_descriptor("linux/s390x")


@pytest.mark.parametrize("chosen", [(), (WASM,)], ids=["all", "chosen"])
def test_an_artifact_among_the_platforms_is_shown_and_no_problem(
    build: "LayoutBuilder", chosen: tuple[Platform, ...]
) -> None:
    artifact = wasm(build)
    build.tag("1", build.index(build.index(build.image(), artifact)))
    seen = view(build.layout(), "1", chosen)

    assert [(other["digest"], other["platform"]) for other in seen["others"]] == [(artifact["digest"], "wasi/wasm")]
    assert [image["platform"] for image in seen["images"]] == ([] if chosen else ["linux/amd64"])
    assert seen["problems"] == []


# --- broken children


def test_a_broken_child_without_a_platform_hides_no_platform(build: "LayoutBuilder") -> None:
    broken = broken_config(build, os=1)
    del broken["platform"]
    image = build.image()
    build.tag("1", build.index(broken, image))
    found = build.layout().get_image("1")

    assert found.platforms == (Platform.from_name("linux/amd64"),)
    assert [descriptor.digest for descriptor, _ in found.unreadable] == [broken["digest"]]
    assert found.get_platform_image("linux/amd64").digest == image["digest"]
    with pytest.raises(InvalidDocumentError):  # it may be the one that runs there
        found.get_platform_image("linux/arm64")
    with pytest.raises(InvalidDocumentError):
        found.get_platform_images()


@pytest.mark.parametrize("broken", ["bytes", "manifest", "inner index"])
def test_a_child_that_cannot_be_read_is_a_problem_beside_the_others(build: "LayoutBuilder", broken: str) -> None:
    child = build.image("linux/arm64")
    if broken == "bytes":
        build.file(child).write_bytes(b"x" * child["size"])
    elif broken == "manifest":
        child = {
            **build.document({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json"}, OCI + "manifest.v1+json")
        }
        child["platform"] = {"os": "linux", "architecture": "arm64"}
    else:
        child = build.document({"schemaVersion": 2, "mediaType": OCI + "index.v1+json"}, OCI + "index.v1+json")
    image = build.image()
    build.tag("1", build.index(child, image))
    seen = view(build.layout(), "1")

    assert [each["digest"] for each in seen["images"]] == [image["digest"]]
    errors = [found for found in seen["problems"] if found["severity"] == "error"]
    assert errors
    assert {found["digest"] for found in errors} == {child["digest"]}


def test_a_child_of_other_bytes_is_never_an_image(build: "LayoutBuilder") -> None:
    child = build.image("linux/arm64")
    build.file(child).write_bytes(b"x" * child["size"])
    build.tag("1", build.index(child))

    with pytest.raises(DigestMismatchError):
        build.layout().get_image("1").get_platform_images()


# --- broken configs


def test_all_of_a_config_is_shown_but_the_members_that_are_wrong(build: "LayoutBuilder") -> None:
    members: dict[str, Any] = {"Env": ["A=b"], "User": 5, "Labels": {"a": 1, "b": "c"}}
    build.tag("1", broken_config(build, author="me", config=members))
    (image,) = (seen := view(build.layout(), "1"))["images"]

    assert (image["platform"], image["author"], image["env"]) == ("linux/arm64", "me", ["A=b"])
    assert (image["user"], image["labels"]) == (None, {"b": "c"})
    assert [(found["path"], found["severity"]) for found in seen["problems"]] == [
        ("$.config.User", "error"),
        ("$.config.Labels.a", "error"),
    ]


@pytest.mark.parametrize("config", [b"", b"{}", b"null", b"[1", b'{"os": "linux"}'])
def test_a_config_that_is_none_hides_no_layers(build: "LayoutBuilder", config: bytes) -> None:
    layer = build.blob(b"layer")
    build.tag("1", build.manifest(build.blob(config, OCI + "config.v1+json"), layer))
    seen = view(build.layout(), "1")

    assert [step["digest"] for step in seen["images"][0]["layers"]] == [layer["digest"]]
    assert "error" in {found["severity"] for found in seen["problems"]}


def test_readable_errors_are_shown_as_warnings(build: "LayoutBuilder") -> None:
    build.tag("1", broken_config(build, created="yesterday"))

    assert [(found["rule"], found["severity"]) for found in view(build.layout(), "1")["problems"]] == [
        ("TIM-01", "warning"),
        ("CFG-21", "warning"),
    ]


# --- the parts of a document that are right


def test_the_parts_that_are_right_keep_the_bytes_of_the_whole(build: "LayoutBuilder") -> None:
    good, bad = build.image(), {**build.image("linux/arm64"), "digest": "sha256:1"}
    index = build.file(build.index(bad, good, subject=5)).read_bytes()
    found = right_parts(OciIndex, index)

    assert found is not None
    assert [entry.digest for entry in found.manifests] == [good["digest"]]
    assert found.subject is None
    assert found.raw == index
    assert {problem.path for problem in found.problems} == {"$.manifests[0].digest", "$.subject"}


@pytest.mark.parametrize(
    "raw",
    [b"[]", b'{"os": "linux", "os": "windows"}', b'{"a": "\\ud800"}', b'{"a":' * 100 + b"1" + b"}" * 100],
    ids=["no object", "a member twice", "no Unicode", "too deep"],
)
def test_a_text_that_parsers_may_read_differently_has_no_right_parts(raw: bytes) -> None:
    assert right_parts(ImageConfig, raw) is None


def test_an_index_that_also_is_a_manifest_has_no_right_parts() -> None:
    assert right_parts(OciIndex, b'{"schemaVersion": 2, "manifests": [], "layers": []}') is None
    assert right_parts(OciIndex, b'{"schemaVersion": 2, "Manifests": []}') is None
    assert right_parts(OciIndex, b'{"schemaVersion": 2}') is None
