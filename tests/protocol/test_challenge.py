"""`WWW-Authenticate` by RFC 9110, and what of a scope is asked for."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client.errors import ChallengeError
from dreg_client.protocol.www_authenticate import parse_challenges, scope_to_request

REALM = 'realm="https://auth.example/token"'


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([f'Bearer {REALM},service="a",scope="b c"'], [("bearer", {"service": "a", "scope": "b c"})]),
        ([f"BEARER {REALM}"], [("bearer", {})]),
        ([f'Bearer {REALM} , service = "a"'], [("bearer", {"service": "a"})]),
        ([f"Bearer {REALM}, error=insufficient_scope"], [("bearer", {"error": "insufficient_scope"})]),
        (["Basic", f"Bearer {REALM}"], [("basic", {}), ("bearer", {})]),
        ([f'Basic realm="x, y", Bearer {REALM}'], [("basic", {"realm": "x, y"}), ("bearer", {})]),
        (['Basic realm="a \\"b\\" \\\\c"'], [("basic", {"realm": 'a "b" \\c'})]),
        (["Negotiate dG9rZW4=, Basic realm=x"], [("negotiate", {}), ("basic", {"realm": "x"})]),
        (["Negotiate, , Basic realm=x,,"], [("negotiate", {}), ("basic", {"realm": "x"})]),
        (["Bearer realm=https://auth.example/token,service=a"], [("bearer", {"service": "a"})]),
        (['Bearer service="a;b=c",scope="repository:x:pull,push"'], [("bearer", {"scope": "repository:x:pull,push"})]),
        ([], []),
        (["  "], []),
    ],
)
def test_aut_07_challenges_are_read_by_their_grammar(lines: list[str], found: list[tuple[str, dict[str, str]]]) -> None:
    challenges = parse_challenges(lines)

    assert [challenge.scheme for challenge in challenges] == [scheme for scheme, _ in found]
    for challenge, (_, parameters) in zip(challenges, found, strict=True):
        assert parameters.items() <= challenge.parameters.items()


@pytest.mark.parametrize(
    "line",
    [
        'Bearer realm="x',
        'Bearer realm="a",realm="b"',
        'Bearer realm="a"service="b"',
        '"Bearer"',
        "=x",
        "\x00",
    ],
)
def test_aut_07_what_breaks_the_grammar_is_refused(line: str) -> None:
    with pytest.raises(ChallengeError):
        parse_challenges([line])


@pytest.mark.parametrize("filler", [",", " ", ", ", 'a="', "a ", "\\", '"', "a=b,"])
def test_aut_07_long_nonsense_takes_no_time(filler: str) -> None:
    began = time.process_time()
    for text in (filler * 100_000, f"Bearer {filler * 2000}"):
        with suppress(ChallengeError):
            parse_challenges([text])
    assert time.process_time() - began < 1


@given(st.text(alphabet='abB=",\\ \t;/:', max_size=60))
def test_aut_07_any_text_is_read_or_refused(text: str) -> None:
    try:
        challenges = parse_challenges([text])
    except ChallengeError:
        return
    assert all(challenge.scheme == challenge.scheme.lower() for challenge in challenges)


@pytest.mark.parametrize(
    ("challenged", "own", "method", "asked"),
    [
        ("repository:a/b:pull", "repository:a/b:pull", "GET", "repository:a/b:pull"),
        ("repository:a/b:pull,push", "repository:a/b:pull", "GET", "repository:a/b:pull"),
        ("repository:a/b:*", "repository:a/b:delete", "DELETE", "repository:a/b:*"),
        ("repository:a/b:push,pull", "repository:a/b:delete", "DELETE", "repository:a/b:push,pull"),
        ("repository:a/b:delete", "repository:a/b:pull,push", "PUT", "repository:a/b:pull,push"),
        ("repository:c/d:pull", "repository:a/b:pull", "GET", "repository:a/b:pull"),
        ("repository:host:5000/a/b:pull", "repository:a/b:pull", "GET", "repository:a/b:pull"),
        ("registry:catalog:*", "registry:catalog:*", "GET", "registry:catalog:*"),
        ("", "repository:a/b:pull", "GET", "repository:a/b:pull"),
        ("repository:a/b:pull", "", "GET", ""),
    ],
)
def test_q_22_aut_15_the_scope_is_ours_and_no_more_than_is_needed(
    challenged: str, own: str, method: str, asked: str
) -> None:
    assert scope_to_request(challenged, own, method) == asked
