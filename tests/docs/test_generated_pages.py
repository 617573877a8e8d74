"""The generated pages of the documentation are current; a stale page is reported with what to run."""

from pathlib import Path

import pytest

from dreg_client.schemagen import NAMES, families
from dreg_client.schemagen.folder import check_files
from generate_pages import COMMAND, DOCS, generated_pages, main

INDEXES = {f"{folder}/index.md" for folder in ("documents", "rules", "reference")} | {"all-pages.md"}


def test_the_pages_of_this_checkout_are_current() -> None:
    stale = [f"{found.path} {found.reason}\n{found.difference}" for found in check_files(DOCS, generated_pages())]

    assert not stale, "\n".join([*stale, f"run: {COMMAND}"])


def test_each_schema_and_each_family_of_rules_has_a_page() -> None:
    due = {f"documents/{name}.md" for name in NAMES} | {f"rules/{family.name}.md" for family in families()}

    assert generated_pages().keys() == due | INDEXES | {"reference/command-line.md"}


def test_check_exits_with_1_and_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--docs", str(tmp_path)]) == 0
    assert main(["--check", "--docs", str(tmp_path)]) == 0
    (tmp_path / "rules/gen.md").write_text("# GEN\n")
    capsys.readouterr()

    assert main(["--check", "--docs", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "-# GEN" in out
    assert out.splitlines()[-1].endswith(f"run: {COMMAND}")


def test_a_page_that_is_current_is_not_written_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--docs", str(tmp_path)])
    capsys.readouterr()

    assert main(["--docs", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
