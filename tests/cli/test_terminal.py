"""On a terminal: colour, unless it is unwanted; lines that fit; a bar on long work, and none in a pipe."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_limited
from tests.raw_server import speaking
from tests.transport import pieces
from tests.transport.pieces import Server

Run = Callable[..., Any]
BROKEN = "fixtures/broken/MAN-05-config-missing.json"
MULTI = "oci:fixtures/layouts/multi:1.4"
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
BAR = "━"
_PROGRAM = (
    "import dreg_client.cli.progress as p, dreg_client.cli.drawn_line as d; "
    "p._PATIENCE = p._PAUSE = d._PATIENCE = d._PAUSE = 0; from dreg_client.cli import main; main()"
)
IMPATIENT = [sys.executable, "-c", _PROGRAM]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, fixtures: Path) -> Path:
    """Twenty documents, a quarter of them broken; its name is markup to rich."""
    path = tmp_path_factory.mktemp("documents") / "[bold]:tada:"
    path.mkdir()
    good = (fixtures / "valid/oci-manifest.json").read_bytes()
    for number in range(20):
        (path / f"{number:02}.json").write_bytes(good if number % 4 else b"[]")
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


def test_long_work_has_a_bar_on_the_terminal(terminal: Run, tmp_path: Path, fixtures: Path) -> None:
    lines = (fixtures / "dumps/manifests.jsonl").read_bytes()
    (tmp_path / "long.jsonl").write_bytes(lines * ((20 << 20) // len(lines)))
    done = terminal("validate", "--jobs", "1", tmp_path / "long.jsonl")

    assert done.code == 0
    assert BAR in done.out
    assert "20.0" in done.out
    assert "valid" in done.out.splitlines()[-1]


def test_the_bar_does_not_read_names_as_markup(terminal: Run, folder: Path) -> None:
    assert "[bold]:tada:" in ESCAPE.sub("", terminal("validate", folder, command=IMPATIENT).out)


@pytest.mark.parametrize("columns", [30, 40, 60, 80])
def test_the_bar_keeps_to_one_line(terminal: Run, folder: Path, columns: int) -> None:
    shown = terminal("validate", folder, columns=columns, command=IMPATIENT).out

    assert BAR in shown
    assert shown.count("\x1b[1A") <= 1, "the cursor moves up only to remove the bar at the end"


def test_data_goes_to_its_file_while_the_bar_is_drawn(terminal: Run, folder: Path, tmp_path: Path) -> None:
    done = terminal("validate", "--format", "jsonl", folder, stdout=tmp_path / "out", command=IMPATIENT)
    lines = (tmp_path / "out").read_text().splitlines()

    assert BAR in done.out
    assert "GEN-" not in done.out
    assert len(lines) == 21
    assert '"invalid": 5' in lines[-1]


def test_partitions_are_counted_on_one_line(terminal: Run, folder: Path, tmp_path: Path) -> None:
    run = ["validate", folder, "--format", "parquet", "-o"]
    done = terminal(*run, tmp_path / "out", columns=120, command=IMPATIENT)
    quiet = terminal(*run, tmp_path / "quiet", "--quiet", command=IMPATIENT)

    assert "1 partition, 20 documents," in ESCAPE.sub("", done.out)
    assert "1 partition" not in quiet.out


def test_findings_and_the_bar_share_a_terminal(terminal: Run, folder: Path) -> None:
    shown = ESCAPE.sub("", terminal("validate", folder, columns=300, command=IMPATIENT).out)

    assert len(re.findall(r"\d\d.json: invalid\n", shown)) == 5
    assert shown.endswith("20 checked: 15 valid, 5 invalid\n")


@pytest.mark.parametrize("arguments", [["--quiet"], ["--quiet", "--format", "json"]])
def test_the_quiet_have_no_bar(terminal: Run, folder: Path, arguments: list[str]) -> None:
    assert BAR not in terminal("validate", *arguments, folder, command=IMPATIENT).out


def test_a_pipe_has_no_bar(folder: Path) -> None:
    done = run_limited([*IMPATIENT, "validate", str(folder)], capture_output=True, check=False)

    assert done.returncode == 1
    assert done.stderr == b""
    assert BAR.encode() not in done.stdout


def test_without_rich_there_is_no_bar(terminal: Run, folder: Path) -> None:
    without = [*IMPATIENT[:2], "import sys; sys.modules['rich'] = None; " + IMPATIENT[2]]
    done = terminal("validate", folder, command=without)

    assert done.code == 1
    assert BAR not in done.out
    assert "Traceback" not in done.out


def test_a_blob_has_a_bar_also_if_it_goes_to_standard_output(terminal: Run, tmp_path: Path) -> None:
    with speaking(Server()) as server:
        blob = ["blob", f"localhost:{server.port}/acme/web@{pieces.DIGEST}", "--anonymous"]
        piped = terminal(*blob, stdout=tmp_path / "piped", command=IMPATIENT)
        written = terminal(*blob, "-o", tmp_path / "written", command=IMPATIENT)

    for done, name in ((piped, "piped"), (written, "written")):
        assert done.code == 0
        assert BAR in done.out
        assert f"/{len(pieces.BLOB) / (1 << 20):.1f} MiB" in ESCAPE.sub("", done.out)
        assert (tmp_path / name).read_bytes() == pieces.BLOB


def test_short_work_has_no_bar(terminal: Run) -> None:
    assert BAR not in terminal("validate", "fixtures/valid").out


def test_a_blob_is_not_written_to_a_terminal(terminal: Run) -> None:
    digest = "sha256:79aa310da7d4b7f13fa37b6bb09d075a05d6618e288a8450772fda3d4643ffc3"
    done = terminal("blob", "oci:fixtures/layouts/multi", digest)

    assert done.code == 2
    assert "use -o FILE or a pipe" in done.out
