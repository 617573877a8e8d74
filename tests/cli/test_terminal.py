"""On a terminal: colour, unless it is unwanted; lines that fit; a bar on long work, and none in a pipe."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
BROKEN = "fixtures/broken/MAN-05-config-missing.json"
MULTI = "oci:fixtures/layouts/multi:1.4"
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
BAR = "━"


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory, fixtures: Path) -> Path:
    """A dump that takes a second or two: five broken lines among many good ones."""
    path = tmp_path_factory.mktemp("dumps") / "[bold]long:tada:.jsonl"
    lines = (fixtures / "dumps/manifests.jsonl").read_bytes()
    with path.open("wb") as file:
        for _ in range(5):
            file.write(lines * ((6 << 20) // len(lines)) + b"{}\n")
    return path


def test_a_terminal_has_colour(terminal: Run) -> None:
    shown = terminal("validate", BROKEN).out

    assert "\x1b[1;31merror\x1b[0m at $.config" in shown


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_is_left_out_where_it_is_unwanted(terminal: Run, env: dict[str, str]) -> None:
    assert "\x1b" not in terminal("validate", BROKEN, env=env).out


def test_an_empty_no_color_says_nothing(terminal: Run) -> None:
    assert "\x1b[" in terminal("validate", BROKEN, env={"NO_COLOR": ""}).out


def test_a_pipe_has_no_colour(dreg: Run) -> None:
    assert "\x1b" not in dreg("validate", BROKEN, env={"FORCE_COLOR": "1"}).out


@pytest.mark.parametrize("columns", [40, 80])
def test_what_explains_a_problem_fits_the_terminal(terminal: Run, columns: int) -> None:
    shown = ESCAPE.sub("", terminal("validate", "fixtures/broken", columns=columns).out)
    rows = [line for line in shown.splitlines() if line.startswith("    ")]

    assert max(map(len, rows)) <= columns


def test_an_image_fits_80_columns(terminal: Run) -> None:
    for source in (MULTI, "oci:fixtures/layouts/multi:artifact", "docker-archive:fixtures/archives/web.docker.tar"):
        shown = ESCAPE.sub("", terminal("inspect", source).out)

        assert max(map(len, shown.splitlines())) <= 80, shown


def test_a_pipe_has_a_fact_a_line(dreg: Run, terminal: Run) -> None:
    wide = terminal("inspect", MULTI, columns=300).out

    assert dreg("inspect", MULTI).out == ESCAPE.sub("", wide)


def test_long_work_has_a_bar_on_the_terminal(terminal: Run, dump: Path) -> None:
    done = terminal("validate", "--jobs", "1", dump)

    assert done.code == 1
    assert BAR in done.out
    assert done.out.endswith("5 invalid\x1b[0m\n")


def test_the_bar_does_not_read_names_as_markup(terminal: Run, dump: Path) -> None:
    assert "[bold]long:tada:.jsonl" in ESCAPE.sub("", terminal("validate", "--jobs", "1", dump).out)


def test_data_goes_to_its_file_while_the_bar_is_drawn(terminal: Run, dump: Path, tmp_path: Path) -> None:
    done = terminal("validate", "--jobs", "1", "--format", "jsonl", dump, stdout=tmp_path / "out")
    lines = (tmp_path / "out").read_text().splitlines()

    assert BAR in done.out
    assert "GEN-" not in done.out
    assert len(lines) == 6
    assert '"invalid": 5' in lines[-1]


def test_findings_and_the_bar_share_a_terminal(terminal: Run, dump: Path) -> None:
    plain = ESCAPE.sub("", terminal("validate", "--jobs", "1", dump, columns=300).out)

    assert len(re.findall(r"jsonl:\d+: invalid\n", plain)) == 5


@pytest.mark.parametrize("arguments", [["--quiet"], []])
def test_a_pipe_and_the_quiet_have_no_bar(dreg: Run, terminal: Run, dump: Path, arguments: list[str]) -> None:
    if arguments:
        assert BAR not in terminal("validate", "--jobs", "1", *arguments, dump).out
    else:
        assert dreg("validate", "--jobs", "1", dump).err == ""


def test_short_work_has_no_bar(terminal: Run) -> None:
    assert BAR not in terminal("validate", "fixtures/valid").out


def test_bytes_of_strangers_do_not_go_to_a_terminal(terminal: Run) -> None:
    digest = "sha256:79aa310da7d4b7f13fa37b6bb09d075a05d6618e288a8450772fda3d4643ffc3"
    done = terminal("blob", "oci:fixtures/layouts/multi", digest)

    assert done.code == 2
    assert "give -o FILE" in done.out
