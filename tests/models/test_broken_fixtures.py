"""Documents that break one rule each: fixtures/broken."""

import json
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Severity, validate
from dreg_client.models.rules import CLAUSES

_BROKEN = Path(__file__).parents[2] / "fixtures" / "broken"
ROWS = [json.loads(line) for line in (_BROKEN / "index.jsonl").read_text().splitlines()]

# Rules that no document of its own can break: what is due of bytes, of sizes, of layouts as a whole, what is accepted,
# and what is only noted.
_ELSEWHERE = {
    "GEN-05",
    "GEN-07",
    "GEN-09",
    "GEN-11",
    "GEN-13",
    "ANN-03",
    "PLT-04",
    "MAN-11",
    "SC1-01",
    "IDX-04",
    "IDX-05",
}
_ELSEWHERE |= {"IDX-09", "IDX-10", "CFG-21"} | {rule for rule in CLAUSES if rule.startswith(("LYT-", "STO-"))}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_a_broken_document_is_told_by_its_rule_its_place_and_its_severity(row: dict[str, Any]) -> None:
    report = validate((_BROKEN / row["file"]).read_bytes(), kind=row["kind"] or None)

    told = {(problem.rule, problem.path, str(problem.severity)) for problem in report.problems}
    assert (row["rule"], row["path"], row["severity"]) in told, report.problems
    assert report.ok is (row["severity"] != "error")


@pytest.mark.parametrize("row", [row for row in ROWS if row["severity"] == "error"], ids=lambda row: row["file"])
def test_nothing_else_is_an_error_in_it(row: dict[str, Any]) -> None:
    report = validate((_BROKEN / row["file"]).read_bytes(), kind=row["kind"] or None)

    assert {problem.rule for problem in report.errors} == {row["rule"]}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_a_problem_names_its_clause_and_says_what_was_found_and_expected(row: dict[str, Any]) -> None:
    for problem in validate((_BROKEN / row["file"]).read_bytes(), kind=row["kind"] or None, pedantic=True).problems:
        assert problem.clause == CLAUSES[problem.rule]
        assert problem.found.isprintable()
        assert len(problem.found) < 200
        assert problem.expected
        assert problem.severity in Severity


def test_every_rule_that_a_document_can_break_has_a_broken_document() -> None:
    assert {row["rule"] for row in ROWS} | _ELSEWHERE >= set(CLAUSES)


@pytest.mark.parametrize("path", sorted((_BROKEN.parent / "valid").glob("*.json")), ids=lambda path: path.name)
def test_a_valid_document_has_no_problem(path: Path) -> None:
    assert validate(path.read_bytes()).problems == ()


@pytest.mark.parametrize("path", sorted((_BROKEN.parent / "configs").glob("*.json")), ids=lambda path: path.name)
def test_a_valid_config_has_no_error(path: Path) -> None:
    assert validate(path.read_bytes(), kind="image-config").ok
