"""The page of cases and the tests agree: no case lacks a test, and no test lacks its case."""

import re

from tests.hostile.cases import PAGE, missing, page, rows

ADVICE = "update the last column of the page, and list what is missing: .venv/bin/python -m tests.hostile.cases"


def test_each_case_in_a_test_s_name_has_a_row() -> None:
    assert missing()["without a row"] == [], f"add rows to docs/{PAGE.name}; {ADVICE}"


def test_each_row_has_a_test_or_is_planned() -> None:
    assert missing()["without a test"] == [], ADVICE


def test_the_page_names_the_existing_tests() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), ADVICE


def test_each_case_has_one_row() -> None:
    names = [case.name for case in rows()]

    assert sorted(set(names)) == sorted(names)


def test_each_case_that_a_promise_names_exists() -> None:
    promises = (PAGE.parents[1] / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\b[A-Z]{3,4}-\d{2,3}\b", promises))

    assert len(named) > 50
    assert named - {case.name for case in rows()} == set()
