"""Parsing raises exactly when validation finds an error."""

import json
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dreg_client import DregError, parse_document, validate
from tests.changes import changed_text, changed_tree

_VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors" / "public.jsonl"
CASES = [json.loads(line) for line in _VECTORS.read_text().splitlines()]


def agree(raw: bytes, kind: str | None, media_type: str | None) -> None:
    report = validate(raw, kind=kind, media_type=media_type, pedantic=True)
    try:
        parse_document(raw, media_type, kind=kind)  # type: ignore[call-overload]
    except DregError:
        assert not report.ok
    else:
        assert report.ok
    assert len({(problem.rule, problem.path) for problem in report.problems}) == len(report.problems)


@settings(max_examples=1500)
@given(
    case=st.sampled_from(CASES),
    served=st.sampled_from(CASES),
    named=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_a_changed_document_is_judged_alike(
    case: dict[str, Any], served: dict[str, Any], named: bool, random: Random
) -> None:
    kind = case["kind"] if named else None
    raw = case["body"].encode("utf-8", "surrogatepass")
    try:
        raw = changed_tree(json.loads(raw), random)
    except (ValueError, TypeError, AttributeError):  # no text of an object
        raw = changed_text(raw, random)

    agree(raw, kind, None)
    agree(raw, kind, served["media_type"] or None)


@settings(max_examples=1500)
@given(case=st.sampled_from(CASES), random=st.randoms(use_true_random=False))
def test_a_changed_text_is_judged_alike(case: dict[str, Any], random: Random) -> None:
    agree(changed_text(case["body"].encode("utf-8", "surrogatepass"), random), case["kind"], None)
