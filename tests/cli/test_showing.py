"""What is shown stays readable, and what is shown as a platform can be given back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.layout.conftest import LayoutBuilder

Run = Callable[..., Any]


@pytest.fixture
def build(tmp_path: Path) -> LayoutBuilder:
    """A layout to assemble."""
    return LayoutBuilder(tmp_path / "layout")


def with_platform(entry: dict[str, Any], **platform: object) -> dict[str, Any]:
    return {**entry, "platform": platform}


def test_each_platform_that_is_listed_can_be_chosen_by_its_text(said: Run, build: LayoutBuilder) -> None:
    """Bottles of Homebrew have versions such as "macOS 14"."""
    platforms: list[dict[str, object]] = [
        {"os": "darwin", "architecture": "arm64", "os.version": "macOS 14"},
        {"os": "darwin", "architecture": "arm64", "os.version": "macOS 15.1"},
        {"os": "windows", "architecture": "amd64", "os.version": "10.0.1", "os.features": ["win32k", "a+b (c)"]},
        {"os": "my os", "architecture": "a/b:c"},
        {"os": "linux", "architecture": "arm", "variant": "v\n7\u202e%"},
    ]
    images = [
        with_platform(build.image(f"linux/amd64/v{number}"), **platform) for number, platform in enumerate(platforms)
    ]
    build.tag("1", build.index(*images))
    source = f"oci:{build.write()}:1"

    listed = said("platforms", source).lines

    assert listed[0] == "darwin(macOS 14)/arm64"
    chosen = [said("resolve", source, "--platform", platform).out.strip() for platform in listed]
    assert chosen == [image["digest"] for image in images]
    assert said("resolve", source, "--platform", "darwin/arm64:macOS 15.1").out.strip() == images[1]["digest"]


def test_a_time_that_no_tool_knew_is_a_dash(said: Run, build: LayoutBuilder) -> None:
    """Go writes its zero time where no time was set."""
    zero = "0001-01-01T00:00:00Z"
    build.tag("1", build.image(created=zero, history=[{"created": zero, "created_by": "c"}]))
    source = f"oci:{build.write()}:1"
    page = said("inspect", source, "--format", "html").out

    assert "  created      -\n" in said("inspect", source).out
    assert "0001" not in page
    assert "<td>-</td>" in page
    assert json.loads(said("inspect", source, "--format", "json").out)[0]["images"][0]["created"] == zero


@pytest.mark.parametrize("member", ["Labels", "Env", "Cmd", "User", "Volumes"])
def test_a_very_long_value_is_cut_in_text_and_whole_in_json(said: Run, build: LayoutBuilder, member: str) -> None:
    """Buildpacks write whole documents into labels."""
    long = "x=" + "y" * 998
    values = {"Labels": {"io.buildpacks.lifecycle.metadata": long}, "User": long, "Volumes": {long: {}}}
    build.tag("1", build.image(config={member: values.get(member, [long])}))
    source = f"oci:{build.write()}:1"
    out = said("inspect", source).out

    assert max(map(len, out.splitlines())) < 300
    assert "y… (1,0" in out
    assert long in said("inspect", source, "--format", "json").out


def test_labels_that_differ_after_the_cut_are_not_the_same(said: Run, build: LayoutBuilder) -> None:
    images = [
        build.image(platform, config={"Labels": {"a": "x" * 1000 + platform, "b": "y"}})
        for platform in ("linux/amd64", "linux/arm64")
    ]
    build.tag("1", build.index(*images))

    assert "same as the labels" not in said("inspect", f"oci:{build.write()}:1").out


@pytest.mark.parametrize("options", [[], ["--platform", "plan9/amd64"]])
def test_an_error_lists_at_most_ten_platforms(said: Run, build: LayoutBuilder, options: list[str]) -> None:
    build.tag("1", build.index(*(build.image(f"linux/amd64/x{number:02}") for number in range(22))))

    done = said("config", f"oci:{build.write()}:1", *options)

    assert (done.code, done.out) == (4 if options else 7, "")
    assert "linux/amd64/x09 and 12 more" in done.err
    assert "linux/amd64/x10" not in done.err


# --- images of which something is wrong, or that are none


def manifest_of(build: LayoutBuilder, config: dict[str, Any]) -> dict[str, Any]:
    entry = build.manifest(build.document(config, "application/vnd.oci.image.config.v1+json"), build.blob(b"layer"))
    return with_platform(entry, os="linux", architecture="arm64")


@pytest.fixture
def with_artifact(build: LayoutBuilder) -> str:
    """An index of an image, and of an artifact that has a platform."""
    artifact = build.manifest(build.blob(b'{"wasm": 1}', "application/vnd.wasm.config.v0+json"), build.blob(b"\0asm"))
    build.tag("1", build.index(with_platform(artifact, os="wasi", architecture="wasm"), build.image()))
    return f"oci:{build.write()}:1"


def test_each_command_shows_an_artifact_among_the_platforms(said: Run, with_artifact: str) -> None:
    wasm = ["--platform", "wasi/wasm"]
    page = said("inspect", with_artifact, "--format", "html")
    digest = said("resolve", with_artifact, *wasm).out.strip()
    layer = json.loads(said("manifest", with_artifact, *wasm).out)["layers"][0]

    assert said("platforms", with_artifact).lines == ["wasi/wasm", "linux/amd64"]
    assert said("config", with_artifact, *wasm).out == '{"wasm": 1}'
    assert layer["digest"][7:19] in said("history", with_artifact, *wasm).out
    assert (page.code, page.err) == (0, "")
    assert " for wasi/wasm</div>" in page.out
    for more in ([], ["--platform", "all"], wasm):
        done = said("inspect", with_artifact, *more)
        assert (done.code, done.err) == (0, "")
        assert f"other entries\n  {digest}\n" in done.out
        assert "wasi/wasm" in done.out.split("other entries")[1]


def test_the_config_of_an_artifact_is_printed(said: Run) -> None:
    done = said("config", "oci:fixtures/layouts/multi:artifact")

    assert (done.code, done.out, done.err) == (0, "{}", "")


@pytest.mark.parametrize("command", ["inspect", "platforms", "config", "history", "manifest"])
def test_readable_errors_are_warnings_of_what_is_shown(said: Run, build: LayoutBuilder, command: str) -> None:
    config = {"os": "linux", "architecture": "arm64", "rootfs": {"type": "layers", "diff_ids": []}, "created": "never"}
    manifest = manifest_of(build, config)
    index = build.index(manifest, manifests_of_podman(build))
    build.tag("config", manifest)
    build.tag("index", index)
    path = build.write()

    of_config = said(command, f"oci:{path}:config")
    of_index = said(command, f"oci:{path}:index", *(["--platform", "linux/s390x"] * (command != "platforms")))

    assert (of_config.code, of_index.code) == (0, 0)
    assert ("TIM-01" in of_config.out + of_config.err) is (command != "manifest")
    assert "MED-01" in of_index.out + of_index.err or command == "platforms"
    if command != "inspect":
        told = (of_config.err + of_index.err).splitlines()
        assert all(line.startswith("dreg: warning: sha256:") for line in told)


def manifests_of_podman(build: LayoutBuilder) -> dict[str, Any]:
    """A manifest as podman 5.4 writes it: with a parameter in a media type."""
    layer = build.blob(b"layer", "text/plain; charset=utf-8")
    return with_platform(build.manifest(build.config("linux/s390x"), layer), os="linux", architecture="s390x")


def test_an_image_without_referrers_is_reported_as_such(said: Run) -> None:
    source = "oci:fixtures/layouts/multi:1.4"
    text, listed = said("referrers", source), said("referrers", source, "--format", "json")
    signatures = said("referrers", source, "--artifact-type", "application/x")

    advice = f"attestations inside an index are shown by: dreg inspect {source}\n"
    assert (text.code, text.out, text.err) == (0, "", f"dreg: no referrers; {advice}")
    assert signatures.err == f"dreg: no referrers with artifact type application/x; {advice}"
    assert (listed.code, listed.out, listed.err) == (0, "[]\n", "")


@pytest.mark.parametrize("command", ["tags", "resolve", "blob", "referrers"])
def test_readable_errors_in_the_index_of_a_layout_hide_nothing(said: Run, build: LayoutBuilder, command: str) -> None:
    entry = {**build.image(), "artifactType": "text/plain; charset=utf-8"}
    build.tag("1", entry)
    path = build.write()
    source = {"tags": [f"oci:{path}"], "blob": [f"oci:{path}", entry["digest"]]}.get(command, [f"oci:{path}:1"])

    assert said(command, *source).code == 0


@pytest.mark.parametrize(
    ("command", "shown"),
    [("inspect", "A=b"), ("platforms", "linux/arm64"), ("config", '"User": 5'), ("history", "  RUN x\n")],
)
def test_what_is_right_is_shown_beside_what_is_wrong_and_the_code_is_1(
    said: Run, build: LayoutBuilder, command: str, shown: str
) -> None:
    rootfs = {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}
    members = {"rootfs": rootfs, "config": {"User": 5, "Env": ["A=b"]}, "history": [{"created_by": "RUN x"}]}
    build.tag("1", manifest_of(build, {"os": "linux", "architecture": "arm64", **members}))
    source = f"oci:{build.write()}:1"
    done = said(command, source)

    assert done.code == 1
    assert shown in done.out
    assert "CFG-08" in done.out + done.err
    if command in {"platforms", "history"}:
        told = json.loads(said(command, source, "--format", "json").err)
        assert (told["error"], told["exitCode"]) == ("InvalidDocumentError", 1)


@pytest.mark.parametrize("tagged", ["manifest", "child", "child without a platform"])
@pytest.mark.parametrize("command", ["inspect", "platforms", "history"])
def test_one_wrong_layer_of_a_manifest_hides_no_other(
    said: Run, build: LayoutBuilder, command: str, tagged: str
) -> None:
    layer = build.blob(b"layer")
    manifest = build.manifest(build.config(), layer, {"mediaType": "a/b", "size": 1})
    child = with_platform(manifest, os="linux", architecture="amd64") if tagged == "child" else manifest
    build.tag("1", manifest if tagged == "manifest" else build.index(child))
    source = f"oci:{build.write()}:1"
    done = said(command, source)

    assert (layer["digest"][7:19] if command != "platforms" else "linux/amd64") in done.out
    if command != "platforms" or tagged != "child":  # of a stated platform, nothing else is read
        assert done.code == 1
        assert "$.layers[1].digest" in done.out + done.err


def test_one_wrong_entry_of_an_index_hides_no_other(said: Run, build: LayoutBuilder) -> None:
    build.tag("1", build.index({"mediaType": "a/b", "digest": "sha256:1", "size": 1}, build.image()))
    source = f"oci:{build.write()}:1"
    listed, seen = said("platforms", source), said("inspect", source)

    assert (listed.code, listed.lines) == (1, ["linux/amd64"])
    assert "$.manifests[0].digest" in listed.err
    assert seen.code == 1
    assert "\nlinux/amd64\n  digest " in seen.out
    assert "error DIG-02 in the index at $.manifests[0].digest" in seen.out


def test_of_several_images_each_is_shown_and_the_code_is_that_of_the_first_problem(
    said: Run, build: LayoutBuilder
) -> None:
    build.tag("bad", manifest_of(build, {}))
    path = build.write()
    done = said("inspect", f"oci:{path}:bad", "oci:fixtures/layouts/multi:1.4", f"oci:{path}:none")

    assert done.code == 1
    assert "linux/arm/v7" in done.out
    assert "none" in done.err
