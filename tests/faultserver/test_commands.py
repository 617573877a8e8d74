"""A command that is forked ends as one in an interpreter of its own."""

import os
import sys
from pathlib import Path

import pytest

from tests.commands import ROOT, run_dreg, run_limited

ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["--version"], b""),
        (["nonsense"], b""),
        (["tags", "oci:none"], b""),
        (["manifest", f"oci:{ROOT}/fixtures/layouts/multi:1.4"], b""),
        (["validate", "-"], b"[" + b" " * 60_000),
    ],
    ids=["done", "usage", "not found", "bytes", "standard input"],
)
def test_a_forked_command_ends_and_says_what_one_of_its_own_interpreter_does(
    arguments: list[str], stdin: bytes, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "dreg_client.cli", *arguments]
    alone = run_limited(command, input=stdin, capture_output=True, cwd=tmp_path, env=ENVIRONMENT, check=False)
    forked = run_dreg(arguments, stdin=stdin, folder=tmp_path, environment=ENVIRONMENT)

    assert (forked.returncode, forked.stdout, forked.stderr) == (alone.returncode, alone.stdout, alone.stderr)
