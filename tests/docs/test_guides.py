"""A guide works from top to bottom: all its examples run in order, in one folder, with one registry."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.docs.pages import ADDRESS, PAGES, STORAGE, Example, shown
from tests.docs.test_examples import shell_in
from tests.registries import RunningRegistry, running

GUIDES = [page for page in PAGES if page.parent.name in {"guides", "coming-from"}]
_BLOCK = re.compile(r"^```(python|sh|bash|sql|toml|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILES = {"[[sync]]": "mirror.toml", "[[policy]]": "tags.toml"}
"""The files that guides name, by a table that they contain."""
_TRANSCRIPT = re.compile(r"\$ (dreg .*)\n((?:.+\n)+)")


@dataclass(frozen=True)
class Block:
    """A block of a page: its language, its text, and the line that it begins at."""

    language: str
    text: str
    line: int


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in _BLOCK.finditer(text):
        yield Block(found[1], found[2], text[: found.start()].count("\n") + 1)


def _rows(query: str) -> list[str]:
    """Return the rows of a query of DuckDB, as the pages show them."""
    with duckdb.connect() as connection:
        return [" ".join(map(str, row)) for row in connection.execute(query).fetchall()]


@pytest.fixture
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    with running(tmp_path_factory.mktemp("registry")) as started:
        started.seed()
        yield started


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REGISTRY_PASSWORD", "secret")
    return tmp_path


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_a_guide_works_from_top_to_bottom(page: Path, registry: RunningRegistry, folder: Path) -> None:
    run = shell_in(folder)

    for block in _blocks(page):
        here = f"{page.name}, line {block.line}"
        text = block.text.replace(ADDRESS, registry.address).replace(STORAGE, str(registry.root / "storage"))
        match block.language:
            case "python":
                example = Example(here, text)
                assert example.printed(ADDRESS) == Example(here, block.text).says, here
            case "sh" if "fixtures/serve.sh" in text:
                pass  # the registry is running already
            case "sh" | "bash":
                done = run(text)
                assert done.returncode == 0, f"{here}: {done.stdout}{done.stderr}"
            case "sql":
                assert _rows(text) == re.findall(r"^--> (.+)$", text, re.MULTILINE), here
            case "toml" if names := [name for table, name in _FILES.items() if table in text]:
                (folder / names[0]).write_text(text)
            case _ if transcript := _TRANSCRIPT.fullmatch(text):
                done = run(transcript[1])
                assert shown(done.stdout + done.stderr) == shown(transcript[2]), here
