"""Errors as JSON name their source, whether a command takes one source or several; advice is for the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.layout.conftest import LayoutBuilder
from tests.raw_server import answer, saying, speaking

Run = Callable[..., Any]
NONE = "oci:fixtures/layouts/multi:none"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+json"


@pytest.mark.parametrize("command", ["history", "referrers", "resolve", "platforms", "inspect", "validate"])
def test_an_error_as_json_names_its_source(said: Run, command: str) -> None:
    told = said(command, NONE, "--format", "json")

    failure = json.loads(told.err)
    assert (failure["source"], failure["exitCode"], told.code) == (NONE, 4, 4)
    assert not failure["message"].startswith(NONE), "it is a member of its own"


def test_an_error_of_an_image_that_is_written_to_a_file_names_its_source(said: Run, tmp_path: Path) -> None:
    told = said("inspect", NONE, "--format", "json", "-o", tmp_path / "image.json")
    assert json.loads(told.err)["source"] == NONE


def test_an_error_of_a_registry_names_it_without_a_password(said: Run) -> None:
    with speaking(saying(answer(b"", "418 Teapot"))) as server:
        address = server.url.removeprefix("http://")
        assert json.loads(said("repos", address, "--format", "json").err)["source"] == address
    for registry in (f"http://me:secret@{address}", f"me:secret@{address}"):
        told = said("repos", registry, "--format", "json").err
        assert "source" in json.loads(told)
        assert "secret" not in told


@pytest.mark.parametrize("command", ["inspect", "config", "platforms", "history"])
def test_schema_1_is_explained_in_words_of_the_command_line(said: Run, tmp_path: Path, command: str) -> None:
    build = LayoutBuilder(tmp_path / "layout")
    history = [{"v1Compatibility": '{"id": "a"}'}]
    layers = [{"blobSum": f"sha256:{'ab' * 32}"}]
    about = {"schemaVersion": 1, "name": "web", "tag": "1", "architecture": "amd64"}
    old = build.document({**about, "fsLayers": layers, "history": history, "signatures": []}, SCHEMA_1)
    build.tag("old", old)
    told = said(command, f"oci:{build.write()}:old").err

    assert "print it with: dreg manifest NAME" in told
    assert "parse_manifest" not in told


@pytest.mark.parametrize("status", ["405 No", "418 Teapot", "500 No", "503 No", "206 Partial Content"])
def test_only_a_tag_that_does_not_exist_is_looked_for_in_the_list_of_tags(said: Run, status: str) -> None:
    with speaking(saying(answer(b"", status))) as server:
        told = said("manifest", f"{server.url.removeprefix('http://')}/acme/web:1", "--retries", "0").err
    assert status[:3] in told
    assert "dreg tags" not in told
    assert "media_type=" not in told
