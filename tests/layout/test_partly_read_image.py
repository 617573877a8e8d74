"""Of an image of which something is wrong, everything else is read; what is wrong is an error where it is needed."""

import json
import re
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from dreg_client import Platform
from dreg_client._sync.image_view import view
from dreg_client._sync.showing import read_platforms
from dreg_client.cli.image_text import lines
from dreg_client.errors import DigestMismatchError, InvalidDocumentError, NotAnImageError, PlatformNotFoundError
from dreg_client.images.html import picture
from dreg_client.models.config import ImageConfig
from dreg_client.models.index import OciIndex
from dreg_client.models.partial import valid_parts
from tests.layout.conftest import OCI
from tests.layout.counting import CountingLayout

if TYPE_CHECKING:
    from tests.layout.conftest import Json, LayoutBuilder

AMD64 = "linux/amd64"
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
    with pytest.raises(PlatformNotFoundError, match="unreadable.*" + broken["digest"]) as failure:
        found.get_platform_image("linux/arm64")
    assert failure.value.unreadable == (broken["digest"],)
    with pytest.raises(InvalidDocumentError):
        found.get_platform_image(broken["digest"])
    with pytest.raises(InvalidDocumentError):
        found.get_platform_images()


def test_an_error_of_a_child_is_raised_anew_each_time(build: "LayoutBuilder") -> None:
    """The traceback of an exception that is raised again grows, and keeps the variables of all callers."""
    broken = broken_config(build, os=1)
    del broken["platform"]
    build.tag("1", build.index(broken))
    found = build.layout().get_image("1")
    raised: list[InvalidDocumentError] = []
    for _ in range(3):
        with pytest.raises(InvalidDocumentError) as failure:
            found.get_platform_images()
        raised.append(failure.value)

    assert len(set(map(id, raised))) == 3
    assert len({len(traceback.extract_tb(failure.__traceback__)) for failure in raised}) == 1
    assert [failure.__traceback__ for _, failure in found.unreadable] == [None]


@pytest.mark.parametrize("stated", [True, False])
def test_an_image_with_a_broken_config_is_shown_whether_or_not_its_index_states_its_platform(
    build: "LayoutBuilder", stated: bool
) -> None:
    broken = broken_config(build, config={"User": 5, "Env": ["A=b"]})
    if not stated:
        del broken["platform"]
    build.tag("1", build.index(broken, build.image()))
    layout = build.layout()
    seen = view(layout, "1")
    found = read_platforms(layout.source, "1")

    assert [(image["platform"], image["env"]) for image in seen["images"]] == [("linux/arm64", ["A=b"]), (AMD64, [])]
    assert [problem["path"] for problem in seen["problems"]] == ["$.config.User"]
    assert view(layout, "1", (Platform.from_name("linux/arm64"),))["images"] == seen["images"][:1]
    assert list(map(str, found.shown)) == list(map(str, layout.get_image("1").platforms)) == ["linux/arm64", AMD64]
    assert len(found.failures) == (0 if stated else 1)  # of a stated platform, nothing else was read
    with pytest.raises(InvalidDocumentError, match="CFG-08"):
        layout.get_image("1").get_platform_image("linux/arm64")


@pytest.mark.parametrize("config", ["absent", "os"])
def test_an_image_whose_platform_is_not_known_is_shown(build: "LayoutBuilder", config: str) -> None:
    broken = broken_config(build, os=1)
    del broken["platform"]
    if config == "absent":
        (inner,) = [json.loads(build.file(broken).read_bytes())["config"]]
        build.file(inner).unlink()
    build.tag("1", build.index(broken))
    (image,) = (seen := view(build.layout(), "1"))["images"]

    assert (image["platform"], image["digest"], len(image["layers"])) == (None, broken["digest"], 1)
    assert "error" in {problem["severity"] for problem in seen["problems"]}


def test_one_wrong_entry_of_a_nested_index_hides_no_other(build: "LayoutBuilder") -> None:
    inner = build.index({"mediaType": "a/b", "digest": "sha256:1", "size": 1}, build.image())
    build.tag("1", build.index(inner))
    layout = build.layout()
    seen, found = view(layout, "1"), read_platforms(layout.source, "1")

    assert [image["platform"] for image in seen["images"]] == [AMD64]
    assert [(problem["digest"], problem["path"]) for problem in seen["problems"]] == [
        (inner["digest"], "$.manifests[0].digest")
    ]
    assert [list(map(str, found.shown)), len(found.failures)] == [[AMD64], 1]
    assert layout.get_image("1").platforms == ()


# --- each document is read once


def broken_layer(build: "LayoutBuilder", **members: object) -> "Json":
    return build.manifest(build.config(), {"mediaType": "a/b", "size": 1}, **members)


@pytest.mark.parametrize("tagged", ["nothing left", "layer", "config", "children", "config of a child", "platforms"])
def test_what_is_shown_is_read_once(build: "LayoutBuilder", tagged: str) -> None:
    """A tag may move between two requests, and each request takes time."""
    unstated = broken_config(build, config={"User": 5})
    del unstated["platform"]
    build.tag(
        "1",
        {
            "nothing left": lambda: build.document({"schemaVersion": 2}, OCI + "manifest.v1+json"),
            "layer": lambda: broken_layer(build),
            "config": lambda: broken_config(build, config={"User": 5}),
            "children": lambda: build.index(build.image(stated=False), broken_layer(build)),
            "config of a child": lambda: build.index(unstated),
            "platforms": lambda: build.index(build.image(stated=False), build.image("linux/arm64", stated=False)),
        }[tagged](),
    )
    for show in (view, read_platforms):
        layout = CountingLayout(build.write())
        with suppress(InvalidDocumentError):
            _ = show(layout, "1") if show is view else read_platforms(layout.source, "1")
        assert set(layout.read.values()) == {1}


def test_of_a_document_of_which_nothing_can_be_read_the_error_names_its_digest(build: "LayoutBuilder") -> None:
    entry = build.tag("1", build.document({"schemaVersion": 2}, OCI + "manifest.v1+json"))

    with pytest.raises(InvalidDocumentError, match=entry["digest"]) as failure:
        view(build.layout(), "1")
    assert failure.value.source == entry["digest"]


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
    platform = None if broken == "inner index" else "linux/arm64"
    assert [(each["digest"], each["platform"]) for each in seen["unreadable"]] == [(child["digest"], platform)]
    assert (seen["missing"], seen["others"]) == ([], [])


@pytest.mark.parametrize("output", ["text", "html"])
@pytest.mark.parametrize("stated", [True, False])
def test_a_child_that_cannot_be_read_has_its_place_in_what_people_see(
    build: "LayoutBuilder", output: str, *, stated: bool
) -> None:
    child = build.blob(b"[]", OCI + "manifest.v1+json")
    listed = {**child, "platform": {"os": "linux", "architecture": "arm64"}} if stated else child
    build.tag("1", build.index(listed, build.image()))
    seen = view(build.layout(), "1")

    if output == "html":
        name = "linux/arm64" if stated else child["digest"][7:19]
        assert name in (tree := re.sub("<[^>]*>", "", picture(seen)))
        assert f"{name} cannot be read" in tree
    else:
        name = "linux/arm64" if stated else "entry without a platform"
        at = (shown := [*lines(seen, "oci")]).index(name)
        assert shown[at + 1] == f"  digest {child['digest']}"
        assert shown[at + 2].startswith("  problem      cannot be read: ")


# --- entries in which there is no image


def test_each_entry_of_an_index_has_its_place_in_the_view(build: "LayoutBuilder") -> None:
    """The tags of referrers list artifacts, and indexes of them."""
    artifact = build.manifest(build.blob(b"{}", "application/vnd.example+json"), build.blob(b"x"))
    of_artifacts, of_none = build.index(artifact), build.index()
    of_images, gone = build.index(build.index(build.image())), build.index(build.image("linux/arm64"))
    build.file(gone).unlink()
    build.tag("1", build.index(of_artifacts, artifact, of_none, of_images, gone))
    seen = view(build.layout(), "1")

    others = [of_artifacts, artifact, of_none, gone]
    assert [other["digest"] for other in seen["others"]] == [other["digest"] for other in others]
    assert seen["platforms"] == [AMD64]


def test_a_nested_index_that_is_listed_twice_is_no_other_entry(build: "LayoutBuilder") -> None:
    inner = build.index(build.image())
    build.tag("1", build.index(build.index(inner), inner))

    assert view(build.layout(), "1")["others"] == []


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
    found = valid_parts(OciIndex, index)

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
def test_a_text_that_parsers_may_read_differently_has_no_valid_parts(raw: bytes) -> None:
    assert valid_parts(ImageConfig, raw) is None


def test_an_index_that_also_is_a_manifest_has_no_valid_parts() -> None:
    assert valid_parts(OciIndex, b'{"schemaVersion": 2, "manifests": [], "layers": []}') is None
    assert valid_parts(OciIndex, b'{"schemaVersion": 2, "Manifests": []}') is None
    assert valid_parts(OciIndex, b'{"schemaVersion": 2}') is None
