"""`dreg tags --digests` and `--created`: a row for each tag, with as much as is known of it."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.layout.conftest import LayoutBuilder
from tests.raw_server import answer, speaking
from tests.registries import LAYOUT, RunningRegistry

Run = Callable[..., Any]
MULTI = "oci:fixtures/layouts/multi"
LINUX = ["--platform", "linux/amd64"]


@pytest.fixture
def build(tmp_path: Path) -> LayoutBuilder:
    """A layout to assemble."""
    return LayoutBuilder(tmp_path / "layout")


def table(said: Run, *arguments: str) -> list[dict[str, Any]]:
    [found] = json.loads(said("tags", *arguments, "--format", "json").out)
    return list(found["tags"])


def test_digests_are_those_that_resolve_prints(said: Run) -> None:
    for row in (line.split() for line in said("tags", MULTI, "--digests").lines):
        assert said("resolve", f"{MULTI}:{row[0]}").out.strip() == row[1]
    [row] = table(said, MULTI, "--digests", "--include", "single")
    assert row == {
        "tag": "single",
        "digest": said("resolve", f"{MULTI}:single").out.strip(),
        "platform": None,
        "size": 4338,
    }


def test_columns_are_aligned_and_show_what_was_requested(said: Run) -> None:
    lines = said("tags", MULTI, "--created", *LINUX).lines

    assert len({line.index("sha256:") for line in lines}) == 1
    assert lines[1].endswith("  4.2 KiB  2024-05-20T08:00:00.123456789Z")
    assert lines[-1].startswith("artifact  sha256:"), "an artifact has the date of its annotation"
    assert lines[-1].endswith("  784 B    2024-05-20T08:00:00Z")
    without = said("tags", MULTI, "--digests", *LINUX).lines
    assert without == [line.rsplit(maxsplit=1)[0].rstrip() for line in lines]


def test_the_size_of_an_image_is_that_of_its_manifest_config_and_layers(said: Run) -> None:
    [row] = table(said, MULTI, "--digests", "--include", "single")
    raw = said("manifest", f"{MULTI}:single").out
    manifest = json.loads(raw)

    parts = [manifest["config"], *manifest["layers"]]
    assert row["size"] == len(raw.encode()) + sum(part["size"] for part in parts)


def test_an_index_is_measured_by_one_platform(said: Run) -> None:
    arm = table(said, MULTI, "--digests", "--include", "1.4", "--platform", "linux/arm64")
    none = table(said, MULTI, "--created", "--include", "1.4", "--platform", "linux/s390x")

    assert [(row["platform"], row["digest"]) for row in arm] == [
        ("linux/arm64/v8", said("resolve", f"{MULTI}:1.4").out.strip())
    ]
    assert [(row["platform"], row["size"], row["created"]) for row in none] == [(None, None, None)]
    assert said("tags", MULTI, *LINUX).code == 2


@pytest.mark.parametrize(
    "source", ["docker-archive:fixtures/archives/web.docker.tar", "oci-archive:fixtures/archives/multi.oci.tar"]
)
def test_archives_have_the_same_table(said: Run, source: str) -> None:
    [row] = table(said, source, "--created", *LINUX)

    assert row["digest"].startswith("sha256:")
    assert row["size"] > 0
    assert row["created"].startswith("2024-05-20")


def test_a_registry_has_the_same_table_as_a_layout(said: Run, own_registry: RunningRegistry) -> None:
    for tag in ("1.4", "single", "artifact"):
        own_registry.push(LAYOUT, tag, f"acme/web:{tag}")
    web = f"{own_registry.address}/acme/web"

    for columns in (["--digests", *LINUX], ["--created", *LINUX]):
        there, here = table(said, web, *columns), table(said, MULTI, *columns, "--exclude", "nested")
        assert {row["tag"]: row for row in there} == {row["tag"]: row for row in here}
    assert said("tags", web, MULTI, "--digests", "--include", "single").lines[0].startswith(f"{web}:single  sha256:")


def test_a_tag_that_cannot_be_read_keeps_its_digest_and_hides_no_other(said: Run, build: LayoutBuilder) -> None:
    broken = build.document({"schemaVersion": 2}, "application/vnd.oci.image.manifest.v1+json")
    build.tag("broken", broken)
    build.tag("good", build.image())
    source = f"oci:{build.write()}"
    told = said("tags", source, "--digests", "--format", "json")
    [found] = json.loads(told.out)

    assert told.code == 1
    assert [(row["tag"], row["size"] is None) for row in found["tags"]] == [("broken", True), ("good", False)]
    assert found["tags"][0]["digest"] == broken["digest"]
    assert json.loads(told.err)["source"] == f"{source}:broken"
    assert said("tags", source, "--digests").lines[0] == f"broken  {broken['digest']}  -"


def test_if_all_tags_fail_for_one_cause_the_exit_code_is_that_of_the_cause(said: Run, build: LayoutBuilder) -> None:
    for tag in ("1", "2"):
        image = build.image()
        build.tag(tag, image)
    source = f"oci:{build.write()}"
    build.file(image).unlink()

    assert said("tags", source).code == 0
    assert said("tags", source, "--digests").code == 4


def test_a_digest_that_is_known_to_be_wrong_is_not_shown(said: Run) -> None:
    lie = f"Docker-Content-Digest: sha256:{'0' * 64}"

    def registry(head: bytes, connection: socket.socket) -> bool:
        is_list = b"/tags/list" in head
        body = b'{"tags": ["1"]}' if is_list else b'{"schemaVersion": 2, "manifests": []}'
        media_type = f"Content-Type: {'application/json' if is_list else 'application/vnd.oci.image.index.v1+json'}"
        said = answer(body, "200 OK", media_type, lie)
        connection.sendall(said[: -len(body)] if head.startswith(b"HEAD") else said)
        return True

    with speaking(registry) as server:
        web = f"{server.url.removeprefix('http://')}/acme/web"
        told, as_json = said("tags", web, "--digests"), said("tags", web, "--digests", "--format", "json")

    assert told.code == as_json.code == 5
    assert told.out == "1  -  -\n"
    assert json.loads(as_json.out)[0]["tags"][0]["digest"] is None
    assert told.err.startswith(f"dreg: {web}:1: ")
    assert json.loads(as_json.err)["source"] == f"{web}:1"


def test_errors_of_tags_begin_with_the_tag(said: Run, build: LayoutBuilder) -> None:
    image = build.image()
    build.tag("gone", image)
    build.tag("good", build.image("linux/arm64"))
    source = f"oci:{build.write()}"
    build.file(image).unlink()

    assert said("tags", source, "--digests").err.startswith(f"dreg: {source}:gone: ")
    for command in ("resolve", "platforms", "inspect"):
        told = said(command, f"{source}:good", f"{source}:none").err
        assert told.startswith(f"dreg: {source}:none: "), command


def test_a_date_that_is_not_valid_is_a_warning_that_names_its_tag(said: Run, build: LayoutBuilder) -> None:
    build.tag("config", build.image(created="yesterday"))
    dated = {"org.opencontainers.image.created": "\x1b[31mtoday"}
    build.tag("artifact", build.manifest(build.blob(b"{}", "application/x.y"), annotations=dated))
    source = f"oci:{build.write()}"
    told = said("tags", source, "--created", *LINUX)

    assert [line.split()[-1] for line in told.lines] == ["-", "-"]
    config, artifact = told.err.splitlines()
    assert config.startswith(f"dreg: warning: {source}:config: sha256:")
    assert "TIM-01" in config
    assert artifact.startswith(f"dreg: warning: {source}:artifact: ")
    assert artifact.isprintable()
    assert [row["created"] for row in table(said, source, "--created", *LINUX)] == [None, None]
