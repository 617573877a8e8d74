"""The table of advisories, generated from the docstrings of the tests in this directory.

`python -m tests.advisories.table` writes `docs/advisories.md`.
"""

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs/advisories.md"
TOP = """\
# Advisories

This page lists vulnerabilities that were published for registry clients and for the HTTP libraries that they use. For
each of them, a test attacks dreg-client in the same way, and fails if dreg-client has the same weakness.
[Hostile cases](hostile-cases.md) describes how dreg-client reacts to each kind of attack.

The tests are in `tests/advisories`. To run them, install the development dependencies with `.ci/setup dev`, then run
`.venv/bin/pytest tests/advisories`. `.venv/bin/python -m tests.advisories.table` generates
this page from the docstrings of the tests.

| advisory | what happened | in which tools | what dreg-client does | test | hostile cases |
| --- | --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Row:
    """The advisories that a test covers.

    Attributes:
        names: The ids of the advisories.
        projects: The affected tools.
        wrong: What happened.
        here: What dreg-client does.
        cases: The ids of the hostile cases.
        file: The file name of the test.
    """

    names: tuple[str, ...]
    projects: str
    wrong: str
    here: str
    cases: tuple[str, ...]
    file: str

    def __str__(self) -> str:
        cells = ", ".join(self.names), self.wrong, self.projects, self.here, f"`{self.file}`", ", ".join(self.cases)
        return f"| {' | '.join(cells)} |"


def row_of(path: Path) -> Row:
    """Return the row of a test, from the four paragraphs of its docstring: advisories and tools, what happened, what
    dreg-client does, hostile cases.
    """
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraphs = [" ".join(paragraph.split()) for paragraph in said.split("\n\n")]
    assert len(paragraphs) == 4, f"{path.name}: the docstring must have four paragraphs"
    names, _, projects = paragraphs[0].partition(": ")
    cases = tuple(re.findall(r"[A-Z]{3}-\d\d", paragraphs[3]))
    return Row(tuple(names.split(", ")), projects, paragraphs[1], paragraphs[2], cases, path.name)


def rows() -> list[Row]:
    """Return all rows, sorted by file name."""
    return [row_of(path) for path in sorted(FOLDER.glob("test_*.py")) if path.name != "test_all_there.py"]


def page() -> str:
    """Return the page in Markdown."""
    return TOP + "".join(f"{row}\n" for row in rows())


def file_of(name: str) -> str:
    """Return the file name of the test whose first advisory has this name."""
    return f"test_{re.sub(r'[^a-z0-9]+', '_', name.lower())}.py"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name}: {len(rows())} rows\n")
