"""Honest JSON: the fast road and the thorough one give the same verdict on any text, and the same tree."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreg_client.errors.problems import Severity
from dreg_client.models.json_text import AmbiguousTextError, read_members, read_object, scan

_VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors" / "public.jsonl"
CASES = [json.loads(line) for line in _VECTORS.read_text().splitlines()]
_NAMES = st.sampled_from(["a", "b", "\\u0061", "é", "\\u00e9", "", "a b", "\\n", '\\"', "layers"])
_NUMBERS = "null true 0 -0 1 1.0 1e5 1E400 -1e400 NaN -Infinity 18446744073709551616 01".split()
_STRINGS = [
    '"x"',
    '" "',
    '"\\u0026"',
    '"&"',
    '"\\u0000"',
    '"\\ud800"',
    '"\\ud83d\\ude00"',
    '"\U0001f600"',
    '"\\/"',
    '"\t"',
]
_SCALARS = st.sampled_from([*_NUMBERS, "1" * 400, *_STRINGS, "[]", "{}"])
_SPACE = st.sampled_from(["", " ", "\n", "\t", "\r\n  "])


def _object(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    member = st.builds(lambda name, a, b, value: f'"{name}"{a}:{b}{value}', _NAMES, _SPACE, _SPACE, values)
    return st.builds(
        lambda members, a, b: f"{{{a}{','.join(members)}{b}}}", st.lists(member, max_size=4), _SPACE, _SPACE
    )


def _list(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda entries, a: f"[{a}{','.join(entries)}]", st.lists(values, max_size=3), _SPACE)


_VALUES = st.recursive(_SCALARS, lambda inner: _object(inner) | _list(inner), max_leaves=8)
_TEXTS = st.builds(
    lambda a, tree, b: a + tree + b, _SPACE, _object(_VALUES), st.sampled_from(["", "\n", " x", "{}", "\0"])
)


def _fast(raw: bytes) -> tuple[bool, Any]:
    try:
        return True, read_object(raw)
    except AmbiguousTextError:
        return False, None


def _thorough(raw: bytes) -> tuple[bool, Any]:
    tree, problems = scan(raw)
    honest = tree is not None and not any(problem.severity is Severity.ERROR for problem in problems)
    return honest, tree if honest else None


def _same(a: object, b: object) -> bool:
    return repr(a) == repr(b)  # 1 and 1.0 and True are equal, and yet not the same


@settings(max_examples=500)
@given(text=_TEXTS)
def test_both_roads_agree_on_any_text(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")

    fast, thorough = _fast(raw), _thorough(raw)

    assert fast[0] is thorough[0]
    assert _same(fast[1], thorough[1])


@given(raw=st.binary(max_size=80))
def test_both_roads_agree_on_any_bytes(raw: bytes) -> None:
    assert _fast(raw)[0] is _thorough(raw)[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_both_roads_agree_on_a_vector(case: dict[str, Any]) -> None:
    raw = case["body"].encode("utf-8", "surrogatepass")

    fast, thorough = _fast(raw), _thorough(raw)

    assert fast[0] is thorough[0]
    assert _same(fast[1], thorough[1])


@given(
    tree=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
            max_leaves=6,
        ),
    ),
    indent=st.none() | st.integers(0, 3),
    ascii_only=st.booleans(),
)
def test_what_others_write_is_read_as_they_meant_it(tree: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    raw = json.dumps(tree, indent=indent, ensure_ascii=ascii_only).encode()

    assert _same(read_object(raw), tree)
    assert _same(read_members(raw), tree)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": "b', "unterminated string at line 1, column 7"),
        ('{"a": "\t"}', "invalid control character at line 1, column 8"),
        ("hello", "no JSON value at line 1, column 1"),
    ],
)
def test_the_position_of_an_error_is_named_once(text: str, found: str) -> None:
    _, problems = scan(text.encode())

    assert [problem.found for problem in problems] == [found]
