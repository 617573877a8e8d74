"""Data goes to standard output and nothing else does; what cannot be written is an error, not a traceback."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_limited

Run = Callable[..., Any]
COMMAND = [sys.executable, "-m", "dreg_client.cli"]
MULTI = "oci:fixtures/layouts/multi"
BLOB = "sha256:79aa310da7d4b7f13fa37b6bb09d075a05d6618e288a8450772fda3d4643ffc3"


@pytest.mark.parametrize(
    "arguments",
    [
        ["tags", MULTI],
        ["inspect", f"{MULTI}:1.4"],
        ["validate", "fixtures/valid"],
        ["validate", "fixtures/broken/MAN-05-config-missing.json"],
        ["--help"],
    ],
)
def test_what_was_asked_for_goes_to_standard_output_alone(said: Run, arguments: list[str]) -> None:
    done = said(*arguments)

    assert done.out
    assert done.err == ""


@pytest.mark.parametrize("arguments", [["tags", "oci:no/such"], ["inspect", "--no-such"], ["blob", MULTI]])
def test_errors_go_to_standard_error_alone(said: Run, arguments: list[str]) -> None:
    done = said(*arguments)

    assert done.out == ""
    assert done.err


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["validate", "fixtures/valid"], ["manifest", f"{MULTI}:1.4"]])
def test_a_full_disk_is_an_error(arguments: list[str], unbuffered: str) -> None:
    env = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("wb") as full:
        done = run_limited([*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, env=env, check=False)

    assert done.returncode == 5
    assert done.stderr == b"dreg: standard output: No space left on device\n"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_enough_is_no_error(unbuffered: str) -> None:
    env = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = run_limited([*COMMAND, "tags", MULTI], stdout=pipe, stderr=subprocess.PIPE, env=env, check=False)

    assert done.returncode == 141
    assert done.stderr == b""


def test_a_closed_standard_error_breaks_nothing() -> None:
    command = f'"{sys.executable}" -m dreg_client.cli tags oci:no/such 2>&-'
    done = run_limited(["sh", "-c", command], capture_output=True, check=False)

    assert done.returncode == 4
    assert done.stdout + done.stderr == b""


@pytest.mark.parametrize("command", ["tags", "blob"])
def test_what_a_closed_standard_output_did_not_take_is_an_error(command: str) -> None:
    words = f"{command} {MULTI}@{BLOB}" if command == "blob" else f"{command} {MULTI}"
    done = run_limited(
        ["sh", "-c", f'"{sys.executable}" -m dreg_client.cli {words} >&-'], capture_output=True, check=False
    )

    assert done.returncode == 5
    assert done.stderr == b"dreg: standard output is closed\n"


def test_whoever_writes_nothing_needs_no_standard_output(tmp_path: Path) -> None:
    target = tmp_path / "layer"
    words = f'blob {MULTI}@{BLOB} -o "{target}"'
    done = run_limited(
        ["sh", "-c", f'"{sys.executable}" -m dreg_client.cli {words} >&-'], capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert target.stat().st_size > 0


@pytest.mark.parametrize(
    "words", ["validate -", "blob put localhost:1/acme/web -", "manifest put localhost:1/acme/web:1 -"]
)
def test_a_closed_standard_input_is_not_read(words: str) -> None:
    command = f'"{sys.executable}" -m dreg_client.cli {words} <&-'
    done = run_limited(["sh", "-c", command], capture_output=True, check=False)

    assert done.returncode == 5
    assert done.stderr == b"dreg: standard input is closed\n"


def test_a_locale_without_the_characters_spells_them(dreg: Run, tmp_path: Path) -> None:
    (tmp_path / "naïve-名.json").write_text("{}")
    done = dreg("validate", tmp_path, env={"PYTHONIOENCODING": "ascii"})

    assert done.code == 1
    assert "na\\xefve-\\u540d.json: invalid" in done.out


def test_standard_input_is_a_document(dreg: Run, fixtures: Path) -> None:
    good = dreg("validate", "-", stdin=(fixtures / "valid/oci-manifest.json").read_bytes())
    bad = dreg("validate", "-", stdin=b"[")

    assert (good.code, good.out) == (0, "1 checked: 1 valid\n")
    assert (bad.code, bad.lines[0]) == (1, "-: invalid")
