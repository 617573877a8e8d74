"""Documents of others and of ours, each with its verdict: fixtures/vectors."""

import json
from pathlib import Path
from typing import Any

import pytest

from dreg_client import DregError, Severity, parse_document, validate

_VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors" / "public.jsonl"
CASES = [json.loads(line) for line in _VECTORS.read_text().splitlines()]


def _raw(case: dict[str, Any]) -> bytes:
    return case["body"].encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_vector_gets_its_verdict(case: dict[str, Any]) -> None:
    report = validate(_raw(case), kind=case["kind"], media_type=case["media_type"] or None)

    assert report.ok is case["valid"], report.problems
    assert report.kind == case["kind"]
    if "rules" in case:
        assert {problem.rule for problem in report.errors} & set(case["rules"])
    for rule in case.get("warns", ()):
        assert rule in {problem.rule for problem in report.warnings}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_parsing_raises_exactly_when_validation_finds_an_error(case: dict[str, Any]) -> None:
    """The fast road of `parse` and the thorough one of `validate` never disagree."""
    try:
        document: Any = parse_document(_raw(case), case["media_type"] or None, kind=case["kind"])
    except DregError:
        assert not case["valid"]
    else:
        assert case["valid"]
        if case["kind"] != "descriptor":
            assert document.raw == _raw(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_no_problem_stands_twice_and_each_names_a_place_and_a_clause(case: dict[str, Any]) -> None:
    problems = validate(_raw(case), kind=case["kind"], media_type=case["media_type"] or None, pedantic=True).problems

    assert len(problems) == len({(problem.rule, problem.path) for problem in problems})
    for problem in problems:
        assert problem.path.startswith("$")
        assert all((problem.clause, problem.expected, problem.found))
        assert problem.severity in Severity
        assert (problem.found + problem.expected + problem.path).isprintable()
