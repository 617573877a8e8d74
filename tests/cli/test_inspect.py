"""`dreg inspect`: for people what they look for, for programs all of it under keys that stay."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.layout.conftest import LayoutBuilder

Run = Callable[..., Any]
MULTI = "oci:fixtures/layouts/multi"
KEYS = (
    "source store reference mediaType digest size writtenByDreg annotations subject artifact platforms images missing "
    "unreadable attestations others problems"
).split()
IMAGE_KEYS = (
    "platform digest config created author size layers history entrypoint cmd env user workingDir exposedPorts volumes "
    "labels annotations"
).split()


@pytest.fixture
def build(tmp_path: Path) -> LayoutBuilder:
    """A layout to assemble."""
    return LayoutBuilder(tmp_path / "layout")


def seen(said: Run, *arguments: str | Path) -> dict[str, Any]:
    """What `--format json` gives of one image."""
    [found] = json.loads(said("inspect", "--format", "json", *arguments).out)
    return dict(found)


def blocks(said: Run, *arguments: str) -> list[list[str]]:
    """What is printed, cut at the empty lines."""
    return [block.splitlines() for block in said("inspect", *arguments).out.split("\n\n")]


def test_an_image_of_several_platforms_has_a_block_each(said: Run) -> None:
    titles = [block[0] for block in blocks(said, f"{MULTI}:1.4")]

    assert titles == [f"{MULTI}:1.4", "linux/amd64", "linux/arm64/v8", "linux/arm/v7", "attestations"]


def test_the_first_lines_say_what_it_is(said: Run) -> None:
    first = blocks(said, f"{MULTI}:1.4")[0]

    assert first[1] == f"  digest {said('resolve', f'{MULTI}:1.4').out.strip()}"
    assert first[2].split(maxsplit=2)[2].startswith("application/vnd.oci.image.index.v1+json, ")
    assert first[3] == "  platforms    linux/amd64, linux/arm64/v8, linux/arm/v7"


def test_a_platform_shows_what_runs_and_what_made_it(said: Run) -> None:
    block = blocks(said, f"{MULTI}:1.4")[1]

    assert "  entrypoint   /bin/web" in block
    assert "  command      --port 8080" in block
    assert "  user         web" in block
    assert "  environment  PATH=/usr/local/bin:/usr/bin:/bin" in block
    assert "  layers       3, 721 B in total, without manifest and config" in block
    assert "     240 B  d29e74c6abb3  RUN rm /etc/group && web --write-site /srv" in block
    assert '         -                CMD ["sh"]' in block


def test_what_was_shown_is_not_shown_again(said: Run) -> None:
    out = said("inspect", f"{MULTI}:1.4").out

    assert out.count("org.opencontainers.image.source = ") == 1
    assert "  labels       same as the annotations of the index\n" in out
    assert out.count("  environment  same as the environment of linux/amd64\n") == 2


def test_an_image_without_an_index_names_its_manifest(said: Run) -> None:
    out = said("inspect", f"{MULTI}:single").out

    assert "  labels       same as the annotations of the manifest\n" in out
    assert "index" not in out


def test_an_image_of_one_manifest_tells_its_digest_and_annotations_once(said: Run) -> None:
    out = said("inspect", f"{MULTI}:single").out

    assert out.count("  digest ") == 1
    assert out.count("  annotations  ") == 1


def test_an_attestation_names_its_platform_and_what_it_states(said: Run) -> None:
    (found,) = seen(said, f"{MULTI}:1.4")["attestations"]

    assert found["platform"] == "linux/amd64"
    assert found["predicates"] == ["https://slsa.dev/provenance/v0.2"]
    assert blocks(said, f"{MULTI}:1.4")[-1][2] == "     565 B  of linux/amd64: https://slsa.dev/provenance/v0.2"


@pytest.mark.parametrize(
    ("options", "platforms"),
    [
        ([], ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"]),
        (["--platform", "all"], ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"]),
        (["--platform", "linux/arm64", "--platform", "linux/amd64"], ["linux/arm64/v8", "linux/amd64"]),
        (["--platform", "linux/arm64", "--platform", "linux/aarch64"], ["linux/arm64/v8"]),
        (["--platform", "linux/arm64", "--platform", "all"], ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"]),
    ],
)
def test_platforms_are_chosen_one_by_one(said: Run, options: list[str], platforms: list[str]) -> None:
    assert [image["platform"] for image in seen(said, f"{MULTI}:1.4", *options)["images"]] == platforms


def test_attestations_of_other_platforms_than_the_chosen_are_left_out(said: Run) -> None:
    assert len(seen(said, f"{MULTI}:1.4", "--platform", "linux/amd64")["attestations"]) == 1
    assert seen(said, f"{MULTI}:1.4", "--platform", "linux/arm64")["attestations"] == []


@pytest.mark.parametrize(
    "source",
    [
        f"{MULTI}:1.4",
        f"{MULTI}:single",
        f"{MULTI}:nested",
        f"{MULTI}:artifact",
        "oci:fixtures/layouts/windows",
        "oci:fixtures/layouts/umoci",
        "oci-archive:fixtures/archives/multi.oci.tar",
        "docker-archive:fixtures/archives/legacy.docker.tar",
    ],
)
def test_keys_are_the_same_for_whatever_is_shown(said: Run, source: str) -> None:
    shown = seen(said, source)

    assert [*shown] == KEYS
    assert shown["source"] == source
    assert all([*image] == IMAGE_KEYS for image in shown["images"])
    assert said("inspect", source).code == 0


def test_layers_are_those_of_the_manifest_and_history_names_them_by_position(said: Run) -> None:
    [image] = seen(said, f"{MULTI}:single")["images"]
    manifest = json.loads(said("manifest", f"{MULTI}:single").out)

    assert [layer["digest"] for layer in image["layers"]] == [layer["digest"] for layer in manifest["layers"]]
    assert all(layer["instruction"] and layer["mediaType"] and layer["size"] for layer in image["layers"])
    assert len(image["history"]) == 12
    for step in image["history"]:
        layer = {} if step["layer"] is None else image["layers"][step["layer"]]
        assert step["emptyLayer"] is (step["layer"] is None)
        assert step["digest"] == layer.get("digest")
    assert json.loads(said("history", f"{MULTI}:single", "--format", "json").out) == image["history"]


def test_an_artifact_shows_what_it_holds(said: Run) -> None:
    shown = seen(said, f"{MULTI}:artifact")
    first, content = blocks(said, f"{MULTI}:artifact")

    assert shown["artifact"]["type"] == "application/vnd.example.sbom.v1+json"
    assert "  artifact     application/vnd.example.sbom.v1+json" in first
    assert content[0] == "content"
    assert content[2].endswith("application/vnd.example.sbom.v1+json, web-1.4.sbom.json")


def test_the_manifest_of_an_archive_is_owned_up_to(said: Run) -> None:
    archive = "docker-archive:fixtures/archives/web.docker.tar"

    assert seen(said, archive)["writtenByDreg"] is True
    assert seen(said, f"{MULTI}:single")["writtenByDreg"] is False
    assert "its digest is not found in registries" in said("inspect", archive).out


def test_a_platform_whose_image_was_not_pulled_is_named(said: Run, tmp_path: Path, fixtures: Path) -> None:
    shutil.copytree(fixtures / "layouts/multi", tmp_path / "sparse")
    arm64 = said("resolve", f"{MULTI}:1.4", "--platform", "linux/arm64").out.strip()
    (tmp_path / "sparse/blobs" / arm64.replace(":", "/")).unlink()

    shown = seen(said, f"oci:{tmp_path}/sparse:1.4")
    assert [image["platform"] for image in shown["images"]] == ["linux/amd64", "linux/arm/v7"]
    assert [absent["platform"] for absent in shown["missing"]] == ["linux/arm64/v8"]
    assert "\nlinux/arm64/v8\n  missing      " in said("inspect", f"oci:{tmp_path}/sparse:1.4").out
    assert said("inspect", f"oci:{tmp_path}/sparse:1.4", "--platform", "linux/amd64").code == 0
    assert said("inspect", f"oci:{tmp_path}/sparse:1.4", "--platform", "all").code == 0


@pytest.mark.parametrize("others", [[], ["--platform", "linux/amd64"]])
@pytest.mark.parametrize("output", ["text", "json", "html"])
def test_a_platform_that_was_asked_for_and_was_not_pulled_is_not_found(
    said: Run, tmp_path: Path, fixtures: Path, output: str, others: list[str]
) -> None:
    shutil.copytree(fixtures / "layouts/multi", tmp_path / "sparse")
    arm64 = said("resolve", f"{MULTI}:1.4", "--platform", "linux/arm64").out.strip()
    (tmp_path / "sparse/blobs" / arm64.replace(":", "/")).unlink()
    asked = (f"oci:{tmp_path}/sparse:1.4", *others, "--platform", "linux/arm64")
    done = said("inspect", *asked, "--format", output)

    assert (done.code, "linux/arm64/v8" in done.out) == (4, True)
    assert said("inspect", *asked, "--format", output, "-o", tmp_path / "file").code == 4
    (problem,) = seen(said, *asked)["problems"]
    assert (problem["digest"], problem["severity"]) == (arm64, "error")


def test_what_has_a_sha512_digest_is_shown_by_it(said: Run, build: LayoutBuilder) -> None:
    image = in_sha512(build, build.image())
    index = in_sha512(build, build.index(image))
    build.tag("1", index)
    source = f"oci:{build.write()}"

    for named in (f"{source}:1", source, f"{source}@{index['digest']}"):
        shown = seen(said, named)
        assert (shown["digest"], [each["digest"] for each in shown["images"]]) == (index["digest"], [image["digest"]])
        assert f"  digest {index['digest']}\n" in said("inspect", named).out
    assert said("inspect", named).lines[0] == f"oci:{build.path}@{index['digest']}"


def in_sha512(build: LayoutBuilder, entry: dict[str, Any]) -> dict[str, Any]:
    """Store a document under its sha512 digest alone."""
    body = build.file(entry).read_bytes()
    build.file(entry).unlink()
    moved = {**entry, "digest": f"sha512:{hashlib.sha512(body).hexdigest()}"}
    build.file(moved).parent.mkdir(exist_ok=True)
    build.file(moved).write_bytes(body)
    return moved


def test_bytes_that_are_not_proven_are_not_shown(said: Run) -> None:
    done = said("inspect", "oci:fixtures/layouts/broken/config-digest", "--format", "json")
    [shown] = json.loads(done.out)

    assert done.code == 1
    assert [(image["platform"], image["created"], image["env"]) for image in shown["images"]] == [(None, None, [])]
    assert [(found["document"], found["rule"]) for found in shown["problems"]] == [("the config", "LYT-03")]


def test_entries_of_an_index_that_are_no_images_are_listed(said: Run, tmp_path: Path, fixtures: Path) -> None:
    shutil.copytree(fixtures / "layouts/multi", tmp_path / "layout")
    entries = json.loads((fixtures / "layouts/multi/index.json").read_bytes())["manifests"]
    artifact = {name: entries[3][name] for name in ("mediaType", "digest", "size")}
    index = json.dumps({"schemaVersion": 2, "manifests": [entries[1], artifact]}).encode()
    put_index(tmp_path / "layout", index)

    shown = seen(said, f"oci:{tmp_path}/layout")
    assert shown["platforms"] == ["linux/amd64"]
    assert [other["digest"] for other in shown["others"]] == [artifact["digest"]]
    assert f"other entries\n  {artifact['digest']}\n" in said("inspect", f"oci:{tmp_path}/layout").out


def put_index(layout: Path, index: bytes) -> None:
    """Make an index the only image of a layout."""
    from dreg_client import Digest

    digest = Digest.of(index)
    (layout / "blobs" / digest.replace(":", "/")).write_bytes(index)
    entry = {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest, "size": len(index)}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))


# --- problems, and pages


def test_warnings_of_the_documents_are_told_with_their_rules(said: Run) -> None:
    broken = "oci:fixtures/layouts/broken/diff-ids-do-not-fit:1.4"
    problems = seen(said, broken)["problems"]

    assert [(found["document"], found["rule"], found["severity"]) for found in problems] == [
        ("the manifest of linux/amd64", "CFG-21", "warning"),
    ]
    assert blocks(said, broken)[-1] == [
        "problems",
        "  warning CFG-21 in the manifest of linux/amd64 at $.layers",
        "    found 2 layers, expected one layer for each of the config's 1 diff_ids",
    ]


def test_a_page_goes_to_a_file_whole(said: Run, tmp_path: Path) -> None:
    file = tmp_path / "web.html"
    done = said("inspect", f"{MULTI}:1.4", "--format", "html", "-o", file)
    page = file.read_text("utf-8")

    assert (done.code, done.out, done.err) == (0, "", "")
    assert page.startswith("<!DOCTYPE html>")
    assert page == said("inspect", f"{MULTI}:1.4", "--format", "html").out


def test_where_the_image_is_not_there_no_file_is_written(said: Run, tmp_path: Path) -> None:
    file = tmp_path / "web.html"

    assert said("inspect", f"{MULTI}:1.5", "--format", "html", "-o", file).code == 4
    assert not file.exists()


def test_standard_output_has_a_name_that_can_be_written_to(dreg: Run) -> None:
    page = dreg("inspect", f"{MULTI}:1.4", "--format", "html").out

    assert dreg("inspect", f"{MULTI}:1.4", "--format", "html", "-o", "/dev/stdout").out == page


def test_a_page_is_utf8_whatever_the_locale(dreg: Run, tmp_path: Path) -> None:
    file = tmp_path / "web.html"
    windows = "oci:fixtures/layouts/windows"
    dreg("inspect", windows, "--format", "html", "-o", file)

    assert dreg("inspect", windows, "--format", "html", env={"LC_ALL": "C"}).out == file.read_text("utf-8")


def test_a_file_is_not_styled_for_the_terminal(terminal: Run, said: Run, tmp_path: Path) -> None:
    file = tmp_path / "web.txt"
    terminal("inspect", f"{MULTI}:1.4", "-o", file, columns=40)

    assert file.read_text("utf-8") == said("inspect", f"{MULTI}:1.4").out


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_file_has_what_would_be_printed(said: Run, tmp_path: Path, output: str) -> None:
    file = tmp_path / "web"
    said("inspect", f"{MULTI}:1.4", "--format", output, "-o", file)

    assert file.read_text("utf-8") == said("inspect", f"{MULTI}:1.4", "--format", output).out
