"""The table of advisories: each test here says in its docstring what it replays, and the page is made of these.

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

Published advisories of registry clients and of the HTTP libraries below them, each replayed in small against
dreg-client: the test of a row fails where the weakness is here. What a case asks for stands in
[Hostile cases](hostile-cases.md).

After `.ci/setup dev`, which installs what tests need, `.venv/bin/pytest tests/advisories` runs them all. The page is
made of what the tests say of themselves:
`.venv/bin/python -m tests.advisories.table`.

| advisory | of | what went wrong there | here | cases | test |
| --- | --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Row:
    """What a test replays.

    Attributes:
        names: The ids of the advisories.
        projects: Whose they are.
        wrong: What went wrong there.
        here: What prevents it here.
        cases: The ids of the cases.
        file: The name of the test's file.
    """

    names: tuple[str, ...]
    projects: str
    wrong: str
    here: str
    cases: tuple[str, ...]
    file: str

    def __str__(self) -> str:
        cells = ", ".join(self.names), self.projects, self.wrong, self.here, ", ".join(self.cases), f"`{self.file}`"
        return f"| {' | '.join(cells)} |"


def row_of(path: Path) -> Row:
    """What a test says of itself, in four paragraphs: advisories and projects, what went wrong, what is here, cases."""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraphs = [" ".join(paragraph.split()) for paragraph in said.split("\n\n")]
    assert len(paragraphs) == 4, f"{path.name}: four paragraphs are due"
    names, _, projects = paragraphs[0].partition(": ")
    cases = tuple(re.findall(r"[A-Z]{3}-\d\d", paragraphs[3]))
    return Row(tuple(names.split(", ")), projects, paragraphs[1], paragraphs[2], cases, path.name)


def rows() -> list[Row]:
    """All rows, by the names of their files."""
    return [row_of(path) for path in sorted(FOLDER.glob("test_*.py")) if path.name != "test_all_there.py"]


def page() -> str:
    """The page."""
    return TOP + "".join(f"{row}\n" for row in rows())


def file_of(name: str) -> str:
    """The file of an advisory that comes first in its row."""
    return f"test_{re.sub(r'[^a-z0-9]+', '_', name.lower())}.py"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name}: {len(rows())} rows\n")
