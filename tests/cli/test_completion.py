"""Completion: the scripts load, and ask dreg by the way that they name."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_limited

Run = Callable[..., Any]
COMPLETE = """
source <(dreg completion bash)
COMP_WORDS=({words}) COMP_CWORD={position}
_dreg_completion dreg
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def test_bash_completes_commands(tmp_path: Path) -> None:
    assert set(completed(tmp_path, "dreg", "val")) == {"validate"}
    assert {"tags", "inspect", "blob"} <= set(completed(tmp_path, "dreg", ""))


def test_bash_completes_options_and_their_values(tmp_path: Path) -> None:
    assert "--platform" in completed(tmp_path, "dreg", "inspect", "--p")
    assert set(completed(tmp_path, "dreg", "tags", "--format", "j")) == {"json"}


def test_bash_completes_kinds_of_stores(tmp_path: Path) -> None:
    assert set(completed(tmp_path, "dreg", "inspect", "o")) == {"oci:", "oci-archive:"}


def completed(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last word."""
    (folder / "dreg").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dreg_client.cli "$@"\n')
    (folder / "dreg").chmod(0o755)
    script = COMPLETE.format(words=" ".join(f"'{word}'" for word in words), position=len(words) - 1)
    env = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
    done = run_limited(["bash", "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("shell", "env", "expected"),
    [
        ("zsh", {"COMP_WORDS": "dreg val", "COMP_CWORD": "1"}, "validate"),
        ("fish", {"COMP_WORDS": "dreg val", "COMP_CWORD": "val"}, "validate"),
    ],
)
def test_zsh_and_fish_are_answered(dreg: Run, shell: str, env: dict[str, str], expected: str) -> None:
    done = dreg(env={**env, "_DREG_COMPLETE": f"{shell}_complete"})

    assert (done.code, done.err) == (0, "")
    assert expected in done.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_asks_by_the_variable_that_dreg_reads(said: Run, shell: str) -> None:
    assert f"_DREG_COMPLETE={shell}_complete" in said("completion", shell).out


def test_a_shell_that_is_not_known_is_a_mistake(said: Run) -> None:
    assert said("completion", "tcsh").code == 2
