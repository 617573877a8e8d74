"""Text of others that GitHub Actions would interpret as workflow commands: CLI-17, CLI-18."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.commands import run_dreg
from tests.faultserver import Network, refusal
from tests.hostile.registry import INDEX, MANIFESTS, OCI_INDEX, TAGS, document, registry_at

WEB = "registry.test/acme/web"
COMMANDS = ["::add-mask::x", "  ::set-output name=a::b", "##[error]x", "a ##[add-path]/tmp", "::stop-commands::x"]
_COMMAND = re.compile(rb"(?m)^\s*::|##\[")


def run(net: Network, *words: str, actions: str = "true") -> "subprocess.CompletedProcess[bytes]":
    environment = {**net.environment(), "GITHUB_ACTIONS": actions}
    options = ["--ca-file", str(net.ca_file), "--retries", "0"]
    return run_dreg([words[0], *options, *words[1:]], environment=environment)


def no_commands(done: "subprocess.CompletedProcess[bytes]") -> None:
    assert done.stdout + done.stderr
    for written in (done.stdout, done.stderr):
        assert not _COMMAND.search(written), written


@pytest.fixture
def index(net: Network) -> bytes:
    """An index with workflow commands in its annotations, in a registry whose messages are some, too."""
    annotations = {"first": "x", **{text: text for text in COMMANDS}}
    raw = json.dumps({**json.loads(INDEX), "annotations": annotations}).encode()
    host = registry_at(net).on(f"{MANIFESTS}/all", document(raw, OCI_INDEX))
    said = "\n".join(COMMANDS)
    host.on("/v2/no/such/tags/list", refusal("404 No", said, said)).on(TAGS, refusal("403 No", "DENIED", said))
    return raw


@pytest.mark.parametrize("words", [["inspect", f"{WEB}:all"], ["tags", "registry.test/no/such"], ["tags", WEB]])
@pytest.mark.parametrize("form", ["text", "json"])
def test_cli_17_no_text_of_others_is_a_workflow_command(
    net: Network, index: bytes, words: list[str], form: str
) -> None:
    no_commands(run(net, *words, "--format", form))


def test_cli_17_json_keeps_its_meaning(net: Network, index: bytes) -> None:
    [here] = json.loads(run(net, "inspect", f"{WEB}:all", "--format", "json").stdout)
    [there] = json.loads(run(net, "inspect", f"{WEB}:all", "--format", "json", actions="").stdout)

    assert here == there
    assert here["annotations"] == json.loads(index)["annotations"]


def test_cli_17_elsewhere_the_text_is_as_it_was(net: Network, index: bytes) -> None:
    shown = run(net, "inspect", f"{WEB}:all", actions="").stdout.decode()

    for text in COMMANDS:
        assert text in shown


def test_cli_17_bytes_that_are_asked_for_stay_as_they_are(net: Network, index: bytes) -> None:
    assert run(net, "manifest", f"{WEB}:all").stdout == index


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("form", ["text", "json", "jsonl", "github"])
def test_cli_17_nor_is_the_name_of_a_file(net: Network, tmp_path: Path, name: str, form: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / f"{name.replace('/', '|')}.json").write_text("{}")
    done = run_dreg(
        ["validate", ".", "--format", form], folder=folder, environment={**net.environment(), "GITHUB_ACTIONS": "true"}
    )

    assert done.returncode == 1
    if form != "github":
        no_commands(done)
    else:
        assert all(line.startswith(b"::error file=") for line in done.stdout.splitlines())
        assert b"##[" not in done.stdout


# --- annotations


FILES = {
    "100%.json": "100%25.json",
    "a,b:c.json": "a%2Cb%3Ac.json",
    "a::error::b.json": "a%3A%3Aerror%3A%3Ab.json",
    "a\nb\r.json": "a\\nb\\r.json",
    "%0A::add-mask.json": "%250A%3A%3Aadd-mask.json",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("actions", ["true", ""])
def test_cli_18_values_of_annotations_are_escaped(net: Network, tmp_path: Path, name: str, actions: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    key = "%0A::add-mask::x,y\n::error::"
    (folder / name).write_text(json.dumps({**json.loads(INDEX), "annotations": {key: 1}}))
    done = run_dreg(
        ["validate", ".", "--format", "github"],
        folder=folder,
        environment={**net.environment(), "GITHUB_ACTIONS": actions},
    )

    lines = done.stdout.decode().splitlines()
    assert done.returncode == 1
    assert lines
    for line in lines:
        properties, message = re.fullmatch("::error (.*?)::(.*)", line).groups()  # type: ignore[union-attr]
        assert f"file={FILES[name]}," in properties
        assert [part.partition("=")[0] for part in properties.split(",")] == ["file", "title"]
        assert re.fullmatch("([^%]|%25)*", message)
        assert re.fullmatch("([^%:,]|%25|%3A|%2C)*", properties.partition("title=")[2])


# --- CLI-80


@pytest.mark.parametrize("actions", ["true", ""])
def test_cli_80_an_annotation_contains_no_older_command(net: Network, tmp_path: Path, actions: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "##[error]x.json").write_text(json.dumps({**json.loads(INDEX), "annotations": {"##[error]%y": 1}}))
    (folder / "##[error]z.jsonl").write_bytes(b"{}\n")
    done = run_dreg(
        ["validate", ".", "--format", "github", "missing##[error]"],
        folder=folder,
        environment={**net.environment(), "GITHUB_ACTIONS": actions},
    )

    assert b"\\u0023#[error]x.json" in done.stdout
    assert b"\\u0023#[error]%25y" in done.stdout
    assert b"##[" not in done.stdout
