"""Help: every command explains itself, and its examples run as they are written."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Layout
from dreg_client.cli.app import COMMANDS
from dreg_client.cli.app import dreg as group
from tests.commands import put_dreg, run_limited
from tests.partitions.written import two_reports
from tests.registries import PASSWORD, running, with_passwords

Run = Callable[..., Any]
ROOT = Path(__file__).parent.parent.parent


def examples(command: str | None) -> list[str]:
    """The examples in a command's help; a line that ends with a backslash goes on in the next."""
    found = group if command is None else group.get_command(None, command)
    text = (found.help or "").partition("Example")[2]
    return [
        re.sub(r"\s*\\\n\s*", " ", line).strip() for line in re.findall(r"^  (?:.*\\\n)* *[^# ].*$", text, re.MULTILINE)
    ]


EXAMPLES = dict.fromkeys(example for command in [None, *COMMANDS] for example in examples(command))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has what the root of the project has, and a command `dreg` on the PATH."""
    folder = tmp_path_factory.mktemp("bench")
    for name in ("fixtures", "schemas"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "fixtures/layouts/multi", folder / "build/web")
    Layout(folder / "build/web").tag("1.4", "1.3")
    shutil.copytree(ROOT / "fixtures/layouts/releases", folder / "build/releases")
    with Layout(folder / "build/releases") as releases:
        planner = releases.plan().retag("*", "newest", semver="*")
        plan = planner.make()
        planner.apply(plan, journal=folder / "build/changes.jsonl")
    (folder / "build/plan.json").write_text(plan.to_json())
    two_reports(folder / "build/reports")
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


CODES = {"registry.jsonl": 1, "--exit-code": 9}  # a dump that is broken on purpose; changes that would be made
NEEDS_LOGIN = "dreg logout"
PROMPTS = "dreg login registry.example"


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example != PROMPTS])
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
    found = group.get_command(group.make_context("dreg", ["version"]), command)

    assert examples(command)
    assert all("dreg " in example for example in examples(command))
    assert (found.help or "").partition("\n")[0] == COMMANDS[command][1]
    assert re.search(rf"^  {command} +[A-Z]", said("--help").out, re.MULTILINE)


ALL = [
    [],
    *(command.split() for command in COMMANDS),
    *(["schema", name] for name in ("check", "list", "show", "write")),
]


@pytest.mark.parametrize("command", ALL, ids=lambda words: " ".join(words) or "dreg")
def test_help_fits_80_columns(said: Run, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = said(*command, "--help").out

    assert "--debug" in shown
    assert "..." not in shown.replace("SOURCE...", "").replace("REPOSITORY...", "").replace("]...", "").replace(
        "NEW_TAG...", ""
    ).replace("TEMPLATE...", "").replace("[...]", "")
    assert not [line for line in shown.splitlines() if len(line) > 80]


@pytest.mark.parametrize("command", ALL, ids=lambda words: " ".join(words) or "dreg")
def test_help_wraps_between_words_at_40_columns(said: Run, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    words = re.sub(r"\\\n|# ", "", said(*command, "--help").out).split()
    monkeypatch.setenv("COLUMNS", "40")
    shown = said(*command, "--help").out

    assert re.sub(r"\\\n|# ", "", shown).split() == words
    assert not [line for line in shown.splitlines() if len(line) > 40 and len(line.strip(" \\").split()) > 1]


def test_help_on_a_narrow_terminal_puts_descriptions_below_options(terminal: Run) -> None:
    shown = terminal("tags", "--help", columns=40).out

    assert "  --timeout SECONDS\n      Response timeout in seconds\n      (default: 30).\n" in shown


def test_options_are_grouped(said: Run) -> None:
    shown = said("inspect", "--help").out
    titles = re.findall(r"^(\S.*):$", shown, re.MULTILINE)

    assert titles == ["SOURCE is one of these", "Options", "Registry options", "General options"]
    assert shown.index("--platform") < shown.index("Registry options:") < shown.index("--ca-file")
    assert shown.index("--retries") < shown.index("General options:") < shown.index("--debug") < shown.index("--help")


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_imports_no_command(said: Run, option: str) -> None:
    assert said(option).lines[0].startswith("Usage: dreg ")


def test_help_names_stores_exit_codes_and_environment_variables(said: Run) -> None:
    shown = said("--help").out

    for name in ("oci-archive:FILE[:TAG|@DIGEST]", "docker-archive:FILE[:NAME:TAG|:@N]", "DOCKER_CONFIG", "NO_PROXY"):
        assert f"  {name}" in shown.replace(", ", "\n  ")
    for code in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 70, 129, 130, 141, 143):
        assert re.search(rf"^  {code} +[A-Z]", shown, re.MULTILINE)


@pytest.mark.parametrize("words", [[], ["inspect"], ["schema"], ["schema", "write"]])
def test_help_is_a_command_too(said: Run, words: list[str]) -> None:
    assert said("help", *words).out == said(*words, "--help").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["help", "tgas"], "No such command 'tgas' (did you mean 'tags'?); see: dreg --help"),
        (["help", "schema", "ls"], "No such command 'ls'; use dreg schema list; see: dreg schema --help"),
        (["help", "tags", "list"], "dreg tags has no command 'list'; see: dreg tags --help"),
    ],
)
def test_help_of_an_unknown_command_is_a_usage_error(said: Run, words: list[str], message: str) -> None:
    done = said(*words)

    assert (done.code, done.out, done.err) == (2, "", f"dreg: {message}\n")
