"""What README.md and docs/ show runs as it is written, from the root of the checkout."""

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^(?:.* && )?(?:\.venv/bin/)?(dreg [^#\n]*fixtures/[^#\n]*)", re.MULTILINE)

BLOCKS = [
    pytest.param(found[1], id=f"{page.name}-{page.read_text()[: found.start()].count(chr(10)) + 1}")
    for page in PAGES
    for found in _BLOCK.finditer(page.read_text())
]
COMMANDS = sorted({line.strip() for page in PAGES for line in _COMMAND.findall(page.read_text())})


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_prints_what_it_says(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    printed = io.StringIO()

    with contextlib.redirect_stdout(printed):
        exec(compile(block, "<example>", "exec"), {"__name__": "example"})  # noqa: S102 (our own pages)

    said = [line.strip().removeprefix("#> ") for line in block.splitlines() if line.strip().startswith("#> ")]
    assert printed.getvalue().splitlines() == said


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_pages_succeeds(command: str) -> None:
    program = [sys.executable, "-c", "from dreg_client.cli import main; main()", *shlex.split(command)[1:]]

    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    assert not done.stderr


def test_the_first_command_of_the_readme_sets_up_validates_and_inspects() -> None:
    first = re.search(r"```sh\n(.*)\n```", PAGES[0].read_text())

    assert first is not None
    setup, *commands = first[1].split(" && ")
    assert setup == ".ci/setup"
    assert [command.split()[:2] for command in commands] == [
        [".venv/bin/dreg", "validate"],
        [".venv/bin/dreg", "inspect"],
    ]
