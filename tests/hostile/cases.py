"""The table of cases, `docs/hostile-cases.md`, and the tests whose names carry them.

`python -m tests.hostile.cases` updates the last column of the page, and lists the cases that lack a test or a row.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs/hostile-cases.md"
LATER = ("planned with push", "planned with copy", "planned with writing layouts", "planned")
"""What the column has in place of tests, or after them; `planned` alone is removed once there is a test."""

_ROW = re.compile(r"^\| (?P<name>[A-Z]{3,4}-\d{2,3}) \| (?P<comes>.+) \| (?P<does>.+) \| (?P<tests>[^|]*) \|$")
_TEST = re.compile(r"^ *(?:async )?def (test_\w+)", re.MULTILINE)
_NAME = re.compile(r"(?<![a-z])(ref|mdl|trn|aut|dld|tag|upl|lay|copy|val|cli)_(\d{2,3})(?!\d)")


@dataclass(frozen=True)
class Case:
    """A row.

    Attributes:
        name: The id.
        comes: The attack.
        does: The reaction of dreg-client.
        tests: The files with tests, and what is planned.
    """

    name: str
    comes: str
    does: str
    tests: str

    @property
    def later(self) -> str:
        """The feature that it is planned with; empty if all of it exists."""
        return next((words for words in LATER if self.tests.endswith(words)), "")

    def __str__(self) -> str:
        return f"| {self.name} | {self.comes} | {self.does} | {self.tests} |"


def rows() -> list[Case]:
    """Return the rows of the page."""
    found = (_ROW.match(line) for line in PAGE.read_text(encoding="utf-8").splitlines())
    return [Case(**row.groupdict()) for row in found if row]


@cache
def tests() -> dict[str, list[str]]:
    """Return the files with tests of each case, found by the names of tests."""
    found: dict[str, set[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for name in _named(path):
            found.setdefault(name, set()).add(path.relative_to(TESTS).as_posix())
    return {name: sorted(files) for name, files in found.items()}


def _named(path: Path) -> Iterator[str]:
    for test in _TEST.findall(path.read_text(encoding="utf-8")):
        for family, number in _NAME.findall(test):
            yield f"{family.upper()}-{number}"


def filled(case: Case) -> Case:
    """Return the row with its existing tests."""
    files = [f"`{file}`" for file in tests().get(case.name, [])]
    later = "" if files and case.later == LATER[-1] else case.later
    column = "; ".join(filter(None, [", ".join(files), later])) or "none"
    return Case(case.name, case.comes, case.does, column)


def page() -> str:
    """Return the page with the existing tests."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cases = (_ROW.match(line) for line in lines)
    return "".join(
        f"{filled(Case(**row.groupdict())) if row else line}\n" for row, line in zip(cases, lines, strict=True)
    )


def missing() -> dict[str, list[str]]:
    """Return the cases that lack a row or a test."""
    cases = {case.name: filled(case) for case in rows()}
    return {
        "without a row": sorted(set(tests()) - set(cases)),
        "without a test": [name for name, case in cases.items() if case.tests == "none"],
        "planned": [name for name, case in cases.items() if case.later == LATER[-1]],
    }


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    for what, names in missing().items():
        sys.stdout.write(f"{what}: {', '.join(names) or 'nothing'}\n")
