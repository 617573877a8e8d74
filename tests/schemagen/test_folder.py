"""A folder of schemas is that of the models today; where it is not, `check` says what differs and what to run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client.cli.app import run
from dreg_client.errors import FileError
from dreg_client.schemagen import NAMES, check, write
from dreg_client.schemagen.schemas import FILE_NAMES

ROOT = Path(__file__).parents[2]
REGENERATE = "run: dreg schema write schemas"


def test_the_schemas_of_this_checkout_are_current() -> None:
    stale = [f"{found.path} {found.reason}\n{found.difference}" for found in check(ROOT / "schemas")]

    assert not stale, "\n".join([*stale, REGENERATE])


def test_there_is_a_file_for_each_schema_and_for_what_is_written_otherwise(tmp_path: Path) -> None:
    written = write(tmp_path / "new/schemas")

    names = {str(path.relative_to(tmp_path / "new/schemas")) for path in written}
    expected = {f"{name}.json" for name in (*NAMES, *FILE_NAMES)}
    assert expected <= names
    assert names - expected == {
        f"serialization/{name}.json" for name in NAMES if name not in {"descriptor", "image-layout", "legacy-manifest"}
    }


def test_what_is_current_is_not_written_again(tmp_path: Path) -> None:
    write(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}

    assert write(tmp_path) == ()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == times


def test_a_stale_schema_is_told_with_its_difference(tmp_path: Path) -> None:
    write(tmp_path)
    file = tmp_path / "descriptor.json"
    file.write_text(file.read_text().replace('"minimum": 0', '"minimum": 1'))

    (stale,) = check(tmp_path)

    assert stale.path == file
    assert '-      "minimum": 1,' in stale.difference.splitlines()
    assert '+      "minimum": 0,' in stale.difference.splitlines()


def test_a_schema_that_is_missing_and_a_file_that_is_none_are_told(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "descriptor.json").unlink()
    (tmp_path / "helm-chart.json").write_text("{}")

    assert [(found.path.name, found.reason) for found in check(tmp_path)] == [
        ("descriptor.json", "is missing"),
        ("helm-chart.json", "is not a generated schema; delete it"),
    ]


def test_a_file_that_is_no_text_is_stale_and_written_anew(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "descriptor.json").write_bytes(b"\xff\xfe")

    assert [found.reason for found in check(tmp_path)] == ["is out of date"]
    assert write(tmp_path) == (tmp_path / "descriptor.json",)
    assert check(tmp_path) == ()


def test_where_nothing_can_be_written_one_error_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(FileError, match="cannot be"):
        write(tmp_path / "file/schemas")


# --- the command line


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[Any, str, str]]:
    def run_here(*words: str | Path) -> tuple[Any, str, str]:
        with pytest.raises(SystemExit) as leaving:
            run([str(word) for word in words])
        return leaving.value.code, *capsys.readouterr()

    return run_here


def test_check_exits_with_1_and_says_what_to_run(told: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "schemas"
    assert told("schema", "write", folder)[0] == 0
    assert told("schema", "check", folder) == (0, f"{folder} is up to date\n", "")
    (folder / "descriptor.json").write_text("{}\n")

    code, out, _ = told("schema", "check", folder)

    assert code == 1
    assert "-{}" in out
    assert out.splitlines()[-1].endswith(f"run: dreg schema write {folder}")


@pytest.mark.parametrize("mode", ["validation", "serialization"])
@pytest.mark.parametrize("name", NAMES)
def test_show_prints_the_file_to_the_letter(told: Callable[..., Any], name: str, mode: str) -> None:
    file = ROOT / ("schemas" if mode == "validation" else "schemas/serialization") / f"{name}.json"
    code, out, _ = told("schema", "show", name, "--mode", mode)

    assert code == 0
    if file.exists():
        assert out == file.read_text()
    assert '"$id": "https://' in out


def test_list_names_all_of_them(told: Callable[..., Any]) -> None:
    assert [line.split()[0] for line in told("schema", "list")[1].splitlines()] == [*NAMES, *FILE_NAMES]


def test_a_name_that_is_none_is_a_usage_error(told: Callable[..., Any]) -> None:
    code, out, err = told("schema", "show", "helm-chart")

    assert (code, out) == (2, "")
    assert "oci-manifest" in err


def test_without_a_command_it_is_a_usage_error_of_one_line(told: Callable[..., Any]) -> None:
    code, out, err = told("schema")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "dreg schema --help" in err
