"""Help: every command explains itself, and its examples run as they are written."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dreg_client.cli.app import COMMANDS
from dreg_client.cli.app import dreg as group
from tests.commands import put_dreg, run_limited
from tests.registries import PASSWORD, running, with_passwords

Run = Callable[..., Any]
ROOT = Path(__file__).parent.parent.parent


def examples(command: str | None) -> list[str]:
    """The examples in a command's help; a line that ends with a backslash goes on in the next."""
    found = group if command is None else group.get_command(None, command)
    text = (found.help or "").partition("Example")[2]
    return [
        re.sub(r"\s*\\\n\s*", " ", line).strip() for line in re.findall(r"^  (?:.*\\\n)*.*\S.*$", text, re.MULTILINE)
    ]


EXAMPLES = dict.fromkeys(example for command in [None, *COMMANDS] for example in examples(command))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has what the root of the project has, and a command `dreg` on the PATH."""
    folder = tmp_path_factory.mktemp("bench")
    for name in ("fixtures", "schemas"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "password.txt").write_text(f"{PASSWORD}\n")
    (folder / "bin").mkdir()
    return folder


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What stands in examples for a registry, and where there is one."""
    with running(tmp_path_factory.mktemp("open")) as open_to_all:
        open_to_all.seed()
        with with_passwords(tmp_path_factory.mktemp("passwords")) as wants_password:
            yield {"localhost:5000": open_to_all.address, "registry.example": wants_password.address}


CODES = {"registry.jsonl": 1}  # a dump that is broken on purpose
NEEDS_LOGIN = "dreg logout"


@pytest.mark.parametrize("example", [example for example in EXAMPLES if "(asks" not in example])
def test_an_example_runs_as_it_is_written(bench: Path, addresses: dict[str, str], example: str) -> None:
    script = f"{LOGIN}; {example}" if NEEDS_LOGIN in example else example
    for name, address in addresses.items():
        script = script.replace(name, address)
    env = os.environ | {"PATH": f"{bench}/bin:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(bench)}
    command = ["bash", "-euo", "pipefail", "-c", script]
    inherited = [put_dreg(bench / "bin")]
    done = run_limited(command, cwd=bench, env=env, pass_fds=inherited, capture_output=True, text=True, check=False)

    assert done.returncode == next((code for name, code in CODES.items() if name in example), 0), done.stderr


LOGIN = next(example for example in EXAMPLES if "--password-stdin" in example)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_examples_and_a_summary(said: Run, command: str) -> None:
    assert examples(command)
    assert all("dreg " in example for example in examples(command))
    assert re.search(rf"^  {command} +[A-Z]", said("--help").out, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_80_columns_but_for_digests(terminal: Run, command: str) -> None:
    shown = terminal(command, "--help").out

    assert "--debug" in shown
    assert not [line for line in shown.splitlines() if len(line) > 80 and "sha256:" not in line]


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_imports_no_command(said: Run, option: str) -> None:
    assert said(option).lines[0].startswith("Usage: dreg ")


@pytest.mark.parametrize(("word", "meant"), [("tgas", "tags"), ("repo", "repos"), ("valdiate", "validate")])
def test_a_command_that_there_is_not_is_told_from_what_was_meant(said: Run, word: str, meant: str) -> None:
    told = said(word)

    assert told.code == 2
    assert f"No such command '{word}'. Did you mean '{meant}'?" in told.err
    assert "Did you mean" not in said("xyzzy").err
