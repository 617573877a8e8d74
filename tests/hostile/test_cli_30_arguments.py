"""Arguments, names of files and variables that make a command fail, or its output unsafe: CLI-30 to CLI-33."""

import json
import os
import subprocess
import sys
from pathlib import Path
from time import process_time

import pytest

from tests.commands import run_dreg, run_limited
from tests.faultserver import Network
from tests.hostile.registry import TAGS, listed, registry_at

WEB = "registry.test/acme/web"
STEERS = "\x1b[31m\u202e\n::error::x"


def run(net: Network, *words: str, folder: Path | None = None) -> "subprocess.CompletedProcess[bytes]":
    environment = {**net.environment(), "GITHUB_ACTIONS": "true"}
    return run_dreg(words, environment=environment, folder=folder)


# --- CLI-30: filters of tags

ODD_VERSIONS = ("1.2.3-01", "1.0-00.0", "1-0.00", "1.2.3-0000", "1.2.3--1", "01.2", "9" * 128, "1." + "9" * 100)


@pytest.mark.parametrize("within", ["^1", "*", ">=0.0.0-0", "1.x || 2.x"])
def test_cli_30_no_tag_of_a_registry_ends_a_search_for_versions(net: Network, within: str) -> None:
    registry_at(net).on(TAGS, listed("1.4", *ODD_VERSIONS, "1.5"))
    done = run(net, "tags", "--ca-file", str(net.ca_file), "--retries", "0", "--semver", within, WEB)

    assert (done.returncode, done.stderr) == (0, b"")
    assert {b"1.4", b"1.5"} <= {*done.stdout.split()}


@pytest.mark.parametrize("option", ["--include", "--exclude", "--semver"])
@pytest.mark.parametrize(
    "text", ["1 " * 20_000, "[!" * 20_000, "*a" * 10_000 + "b", "a" * 100_000], ids=lambda text: text[:2]
)
def test_cli_30_a_filter_that_is_longer_than_any_tag_is_rejected(net: Network, option: str, text: str) -> None:
    registry_at(net)
    done = run(net, "tags", option, text, WEB)

    assert (done.returncode, done.stdout) == (2, b"")
    assert b"at most 1024 characters" in done.stderr
    assert len(done.stderr) < 500


@pytest.mark.parametrize("glob", ["*a" * 60 + "b", "?*" * 60 + "b", "[a-z]*" * 30 + "!", "[!" * 500])
def test_cli_30_no_pattern_takes_long(glob: str) -> None:
    from dreg_client.copying.tag_filter import TagFilter

    start = process_time()
    assert not TagFilter(include=(glob,)).has("a" * 128)
    assert process_time() - start < 2


# --- CLI-31: names and contents of files


def safe(done: "subprocess.CompletedProcess[bytes]") -> None:
    written = (done.stdout + done.stderr).decode()

    assert [sign for sign in written if not sign.isprintable() and sign != "\n"] == []
    assert not any(line.lstrip().startswith("::") for line in written.splitlines())


@pytest.mark.parametrize("name", [STEERS, os.fsdecode(b"caf\xe9")], ids=["control characters", "bytes"])
def test_cli_31_a_folder_of_schemas_may_have_any_name(net: Network, tmp_path: Path, name: str) -> None:
    missing = run(net, "schema", "check", name, folder=tmp_path)
    written = run(net, "schema", "write", name, folder=tmp_path)
    again = run(net, "schema", "write", name, folder=tmp_path)
    (tmp_path / name / "descriptor.json").write_text(f"{{}}\n{STEERS}\n::error::x")
    (tmp_path / name / f"{STEERS[:6]}.json").write_text("{}")
    stale = run(net, "schema", "check", name, folder=tmp_path)

    assert [done.returncode for done in (missing, written, again, stale)] == [1, 0, 0, 1]
    for done in (missing, written, again, stale):
        safe(done)


def test_cli_31_what_is_no_schema_is_not_read(net: Network, tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    os.mkfifo(tmp_path / "schemas" / "descriptor.json")
    done = run(net, "schema", "check", "schemas", folder=tmp_path)
    (tmp_path / "schemas" / "descriptor.json").unlink()
    with (tmp_path / "schemas" / "descriptor.json").open("wb") as sparse:
        sparse.truncate(1 << 40)
    large = run(net, "schema", "check", "schemas", folder=tmp_path)

    assert done.returncode == 5
    assert b"not a regular file" in done.stderr
    assert large.returncode == 1
    assert b"too large" in large.stdout


NAME = os.fsdecode(b"a\xff\xc3")


@pytest.mark.parametrize(
    "words",
    [
        ["inspect", f"oci:{NAME}:1.4"],
        ["tags", f"oci:{NAME}"],
        ["platforms", f"docker-archive:{NAME}/x"],
        ["validate", f"oci:{NAME}"],
        ["validate", f"no{NAME}"],
        ["tags", "--ca-file", f"{NAME}/x", WEB],
    ],
    ids=["inspect", "tags", "platforms", "layout", "file", "certificates"],
)
def test_cli_31_messages_in_json_are_valid_unicode(net: Network, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / NAME).mkdir()
    done = run(net, *words, "--format", "json", folder=tmp_path)

    assert done.returncode in {2, 4, 5}
    assert b"\\udc" not in done.stdout + done.stderr
    assert "\\xff" in json.loads(done.stderr.splitlines()[-1])["message"]


# --- CLI-32: the variables of completion

SHELLS = ["bash", "zsh", "fish"]


def completing(net: Network, redirection: str, **variables: str) -> "subprocess.CompletedProcess[bytes]":
    return run_limited(
        ["sh", "-c", f'exec "{sys.executable}" -m dreg_client.cli {redirection}'],
        capture_output=True,
        env=net.environment(**variables),
        check=False,
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_cli_32_completion_without_a_command_line_is_silent(net: Network, shell: str) -> None:
    for variables in ({}, {"COMP_WORDS": "dreg '"}, {"COMP_WORDS": "dreg tags", "COMP_CWORD": "x"}):
        done = completing(net, "", _DREG_COMPLETE=f"{shell}_complete", **variables)

        assert done.returncode in {0, 1}
        assert done.stderr == b""


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full", ">&- 2>&- <&-"])
@pytest.mark.parametrize("action", ["bash_complete", "fish_source"])
def test_cli_32_output_that_is_not_taken_is_silent(net: Network, action: str, redirection: str) -> None:
    done = completing(net, redirection, _DREG_COMPLETE=action, COMP_WORDS="dreg ", COMP_CWORD="")

    assert done.returncode == 1
    assert done.stderr == b""


# --- CLI-33: very long arguments

LONG = "A" * 200_000


@pytest.mark.parametrize(
    "words",
    [
        ["tags", "--retries", LONG, WEB],
        ["inspect", "--format", LONG, WEB],
        ["inspect", f"--{LONG}", WEB],
        ["inspect", LONG],
        ["schema", "show", LONG],
        ["rule", LONG],
        ["repos", LONG],
        [LONG],
    ],
    ids=["number", "choice", "option", "source", "name", "rule", "registry", "command"],
)
def test_cli_33_an_error_does_not_repeat_a_very_long_argument(net: Network, words: list[str]) -> None:
    done = run(net, *words)

    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr) < 6000
    assert done.stderr.startswith(b"dreg: ")
