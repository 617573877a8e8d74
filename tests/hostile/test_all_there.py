"""The page of cases and the tests are held together: no case without a test, no test without its case."""

import re

from tests.hostile.cases import PAGE, missing, page, rows

ADVICE = "write the page's last column anew, and see what is missing: .venv/bin/python -m tests.hostile.cases"


def test_each_case_in_a_test_s_name_has_a_row() -> None:
    assert missing()["without a row"] == [], f"add rows to docs/{PAGE.name}; {ADVICE}"


def test_each_row_has_a_test_or_says_what_it_comes_with() -> None:
    assert missing()["without a test"] == [], ADVICE


def test_the_page_names_the_tests_that_there_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), ADVICE


def test_each_case_has_one_row() -> None:
    names = [case.name for case in rows()]

    assert sorted(set(names)) == sorted(names)


def test_what_is_promised_is_shown_by_cases_that_there_are() -> None:
    promises = (PAGE.parents[1] / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\b[A-Z]{3}-\d\d\b", promises))

    assert len(named) > 50
    assert named - {case.name for case in rows()} == set()
