"""What README.md and docs/ show passes `mypy --strict`, as somebody has it who copies it."""

import sys
from pathlib import Path

import pytest

from tests.commands import run_limited
from tests.docs.pages import EXAMPLES, ROOT


@pytest.mark.parametrize("config", ["", str(ROOT / "pyproject.toml")], ids=["plain", "with pydantic's plugin"])
def test_the_examples_pass_a_strict_type_checker(config: str, tmp_path: Path) -> None:
    for example in EXAMPLES:
        name = example.place.replace("-", "_").replace(".md", "")
        (tmp_path / f"{name}.py").write_text(example.text)
    # Those of jsonschema come by a package of their own, as the guide says; nothing else is without types.
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--disable-error-code=import-untyped"]

    done = run_limited(
        [*command, f"--config-file={config}", "."], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"no issues found in {len(EXAMPLES)} source files" in done.stdout
