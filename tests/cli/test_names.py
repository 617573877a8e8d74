"""File names of every kind: as pre-commit passes them, and as nobody should have named them."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
NAMES = {
    b"with space.json": "with space.json",
    b"line\nbreak.json": "line\\nbreak.json",
    b"caf\xe9.json": "caf\\xe9.json",
    "ünï-名.json".encode(): "ünï-名.json",
    b"\x1b[31mred.json": "\\x1b[31mred.json",
    b"back\\slash.json": "back\\slash.json",
}


@pytest.mark.parametrize(("name", "shown"), NAMES.items())
def test_a_name_is_shown_on_one_line_of_printable_characters(
    dreg: Run, tmp_path: Path, name: bytes, shown: str
) -> None:
    (tmp_path / os.fsdecode(name)).write_text("{}")
    done = dreg("validate", name, cwd=tmp_path)

    assert done.code == 1
    assert done.lines[0] == f"{shown}: invalid"


@pytest.mark.parametrize("style", ["json", "jsonl", "github"])
def test_programs_are_given_every_name(dreg: Run, tmp_path: Path, style: str) -> None:
    for name in NAMES:
        (tmp_path / os.fsdecode(name)).write_text("{}")
    done = dreg("validate", "--format", style, *NAMES, cwd=tmp_path)

    assert done.code == 1
    assert done.out.isascii() or style == "github"
    if style == "json":
        names = [found["source"] for found in json.loads(done.out)["documents"]]
        assert names == [os.fsdecode(name).replace("\udce9", "\\xe9") for name in NAMES]


@pytest.mark.parametrize("name", [*NAMES, b"no\xffsuch"])
def test_a_name_of_nothing_is_told_in_one_line(dreg: Run, tmp_path: Path, name: bytes) -> None:
    done = dreg("validate", name, cwd=tmp_path)

    assert done.code == 4
    assert done.err.count("\n") == 1
    assert done.err.rstrip("\n").isprintable()


def test_cli_11_a_name_that_begins_with_a_dash_stands_behind_two(dreg: Run, tmp_path: Path) -> None:
    (tmp_path / "-x.json").write_text("{}")

    assert dreg("validate", "-x.json", cwd=tmp_path).code == 2
    assert dreg("validate", "--", "-x.json", cwd=tmp_path).lines[0] == "-x.json: invalid"
    assert dreg("inspect", "--", "-x").code == 2


def test_hundreds_of_names_are_one_run(dreg: Run, tmp_path: Path, fixtures: Path) -> None:
    raw = (fixtures / "valid/oci-manifest.json").read_bytes()
    names = [f"{number:03}.json" for number in range(500)]
    for name in names:
        (tmp_path / name).write_bytes(raw)

    assert dreg("validate", "--quiet", *names, cwd=tmp_path).out == ""
    assert dreg("validate", *names, cwd=tmp_path).out == "500 checked: 500 valid\n"
