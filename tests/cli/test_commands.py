"""Each command prints what the store holds: the thing itself, and nothing else."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MULTI = "oci:fixtures/layouts/multi"
Run = Callable[..., Any]


def test_tags_are_listed_in_the_order_of_the_layout(said: Run) -> None:
    assert said("tags", MULTI).lines == ["1.4", "single", "nested", "artifact"]
    [found] = json.loads(said("tags", MULTI, "--format", "json").out)
    assert found == {"source": MULTI, "tags": ["1.4", "single", "nested", "artifact"]}


def test_tags_of_an_archive_are_its_references(said: Run) -> None:
    assert said("tags", "docker-archive:fixtures/archives/legacy.docker.tar").lines == ["acme/web:1.4"]


def test_resolve_prints_the_digest_that_a_tag_names(said: Run, fixtures: Path) -> None:
    listed = json.loads((fixtures / "layouts/multi/index.json").read_bytes())["manifests"][0]

    assert said("resolve", f"{MULTI}:1.4").out == f"{listed['digest']}\n"
    assert json.loads(said("resolve", f"{MULTI}:1.4", "--format", "json").out) == [
        {"source": f"{MULTI}:1.4", **{name: listed[name] for name in ("mediaType", "digest", "size")}}
    ]


def test_resolve_goes_on_to_the_manifest_of_a_platform(said: Run, fixtures: Path) -> None:
    index = said("manifest", f"{MULTI}:1.4").out
    arm64 = json.loads(index)["manifests"][1]

    assert said("resolve", f"{MULTI}:1.4", "--platform", "linux/arm64").out == f"{arm64['digest']}\n"


@pytest.mark.parametrize(
    ("command", "source"),
    [
        ("manifest", f"{MULTI}:1.4"),
        ("manifest", f"{MULTI}:artifact"),
        ("manifest", "oci:fixtures/layouts/umoci"),
        ("manifest", "oci-archive:fixtures/archives/multi.oci.tar"),
    ],
)
def test_a_manifest_comes_byte_for_byte(said: Run, command: str, source: str) -> None:
    octets = said(command, source).out.encode()

    assert f"sha256:{hashlib.sha256(octets).hexdigest()}\n" == said("resolve", source).out


def test_a_config_comes_byte_for_byte(said: Run) -> None:
    manifest = json.loads(said("manifest", f"{MULTI}:1.4", "--platform", "linux/arm/v7").out)
    octets = said("config", f"{MULTI}:1.4", "--platform", "linux/arm/v7").out.encode()

    assert f"sha256:{hashlib.sha256(octets).hexdigest()}" == manifest["config"]["digest"]


def test_platforms_are_listed_as_the_index_orders_them(said: Run) -> None:
    assert said("platforms", f"{MULTI}:1.4").lines == ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"]
    assert said("platforms", f"{MULTI}:nested").lines == ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"]
    assert said("platforms", f"{MULTI}:single").lines == ["linux/amd64"]


def test_history_has_each_step_with_the_size_of_its_layer(said: Run) -> None:
    lines = said("history", f"{MULTI}:single").lines

    assert lines[0].split(maxsplit=3) == ["301", "B", "79aa310da7d4", "ADD file:5f3c8e21 in /"]
    assert lines[1].split(maxsplit=1) == ["-", 'CMD ["sh"]']


def test_history_for_programs_has_both_what_was_written_and_what_it_means(said: Run) -> None:
    first = json.loads(said("history", f"{MULTI}:single", "--format", "json").out)[0]

    assert first["createdBy"].startswith("/bin/sh -c #(nop)")
    assert first["instruction"] == "ADD file:5f3c8e21 in /"
    assert first["size"] == 301


def test_the_reference_of_an_archive_may_be_its_place(said: Run) -> None:
    archive = "docker-archive:fixtures/archives/legacy.docker.tar"

    assert said("resolve", f"{archive}:@0").out == said("resolve", f"{archive}:acme/web:1.4").out


def test_an_entry_whose_name_is_no_tag_is_asked_for_by_ref_name(said: Run) -> None:
    assert said("resolve", MULTI, "--ref-name", "single").out == said("resolve", f"{MULTI}:single").out


def test_version_names_what_dreg_stands_on(said: Run) -> None:
    words = [line.split()[0] for line in said("version").lines]

    assert words == ["dreg-client", "pydantic", "orjson", "httpx", "httpx2", "click", "rich", "Python", "platform"]
    assert [*json.loads(said("version", "--format", "json").out)] == words


@pytest.mark.parametrize("arguments", [["--version"], ["version"]])
def test_the_version_is_that_of_the_package(said: Run, arguments: list[str]) -> None:
    from dreg_client import __version__

    assert __version__ in said(*arguments).lines[0].split()


def test_a_broken_document_comes_raw(said: Run, fixtures: Path) -> None:
    broken = "oci:fixtures/layouts/broken/swapped-media-type"

    assert said("manifest", broken).code == 1
    assert json.loads(said("manifest", broken, "--raw").out)["mediaType"] == (
        "application/vnd.docker.distribution.manifest.v2+json"
    )


def test_local_is_the_platform_of_this_machine(said: Run) -> None:
    from dreg_client import Platform

    by_name = said("resolve", f"{MULTI}:1.4", "--platform", str(Platform.local()))

    assert said("resolve", f"{MULTI}:1.4", "--platform", "local").out == by_name.out
