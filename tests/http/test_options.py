"""What the doors to a registry are given, and what they say of what they do not take."""

import base64
import copy
import pickle
from typing import Any

import httpx
import pytest

from dreg_client import AsyncRegistry, Credential, Registry, Timeouts, errors
from dreg_client.errors import InvalidReferenceError
from tests.doors import Door, repository
from tests.http.documents import image, refusal

BASIC = "Basic " + base64.b64encode(b"ada:pw-canary").decode()
DOORS = pytest.mark.parametrize("kind", [Registry, AsyncRegistry])


def test_credentials_may_be_a_pair(door: Door) -> None:
    def registry(request: Any) -> Any:
        return image(request) if request.headers.get("authorization") == BASIC else basic()

    for given in (("ada", "pw-canary"), Credential("ada", "pw-canary")):
        door.run(registry, lambda registry: repository(registry).get_manifest("1.4"), credentials=given)


def basic() -> Any:
    return refusal(401, **{"WWW-Authenticate": 'Basic realm="x"'})


@DOORS
@pytest.mark.parametrize(
    "given",
    ["ada:pw-canary", 7, ("ada",), b"ada", httpx.BasicAuth("ada", "pw-canary")],
    ids=["text", "number", "one", "bytes", "httpx"],
)
def test_d_04_other_credentials_are_told_what_is_due(kind: Any, given: Any) -> None:
    with pytest.raises(
        TypeError,
        match=r"^credentials= takes a pair \(user, .*Credentials\.default\(\), not \w+; ",
    ) as refused:
        kind("https://registry.example", credentials=given)
    assert "canary" not in str(refused.value)


@DOORS
@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (("ada", None), "the password must be a str, not None; is its environment variable set?"),
        ((None, "pw-canary"), "the user name must be a str, not None; is its environment variable set?"),
        (("ada", ""), "the password must not be empty; is its environment variable set?"),
        (("", "pw-canary"), "the user name must not be empty; is its environment variable set?"),
        (("ada", 7), "the password must be a str, not int"),
    ],
)
def test_an_unusable_part_of_a_pair_is_named(kind: Any, given: Any, reason: str) -> None:
    with pytest.raises((TypeError, ValueError)) as refused:
        kind("https://registry.example", credentials=given)
    assert str(refused.value) == f"credentials=: {reason}"


@DOORS
@pytest.mark.parametrize("given", [(3, 10), httpx.Timeout(10, connect=3)], ids=["requests", "httpx"])
def test_timeouts_of_other_libraries_are_told_what_to_write(kind: Any, given: Any) -> None:
    with pytest.raises(TypeError, match=r"; write timeout=Timeouts\(connect=3, read=10\)$"):
        kind("https://registry.example", timeout=given)


@DOORS
@pytest.mark.parametrize(
    ("url", "name", "expected"),
    [
        ("localhost:5077", "localhost:5077/testns/web", r"without the registry: repository\('testns/web'\)$"),
        ("localhost:5077", "localhost:5077/web:1", r"the registry and the tag: repository\('web'\).get_image\('1'\)$"),
        ("docker.io", "docker.io/library/web", r"without the registry: repository\('library/web'\)$"),
        ("localhost:5077", "other:5000/web", "lower-case letters, digits and separators"),
    ],
)
def test_the_name_of_a_repository_has_no_registry(kind: Any, url: str, name: str, expected: str) -> None:
    with pytest.raises(InvalidReferenceError, match=expected):
        kind(url).repository(name)


@DOORS
def test_what_gives_no_tokens_is_no_auth_service(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"auth_service= takes an object with request_token\(scope\), not tuple"):
        kind("https://registry.example", auth_service=("ada", "pw"))


@pytest.mark.parametrize("name", ["connect", "read", "write", "pool", "whole"])
def test_timeouts_are_numbers_of_seconds(name: str) -> None:
    for wrong in (None, "5", (1, 2), True):
        with pytest.raises(TypeError, match=f"{name} must be a number of seconds, .*not {type(wrong).__name__}"):
            Timeouts(**{name: wrong})  # type: ignore[arg-type]
    for impossible in (-1, 0, float("nan"), float("-inf")):
        with pytest.raises(ValueError, match=f"{name} must be a number of seconds, .*not {impossible}"):
            Timeouts(**{name: impossible})
    for possible in (5, 0.5, float("inf")):
        assert getattr(Timeouts(**{name: possible}), name) == possible


@DOORS
def test_timeout_is_checked_when_it_is_given(kind: Any) -> None:
    for wrong in (None, "5", (1, 2)):
        with pytest.raises(TypeError, match="timeout= must be Timeouts, or a number of seconds"):
            kind("https://registry.example", timeout=wrong)
    for impossible in (-1, 0, float("nan")):
        with pytest.raises(ValueError, match="timeout= must be Timeouts, or a number of seconds"):
            kind("https://registry.example", timeout=impossible)
        with pytest.raises(ValueError, match="deadline= must be None, or a number of seconds, more than 0"):
            kind("https://registry.example", deadline=impossible)
    for impossible in (-1, float("nan")):
        with pytest.raises(ValueError, match="max_retry_after= must be a number of seconds, at least 0"):
            kind("https://registry.example", max_retry_after=impossible)


@DOORS
def test_what_holds_a_password_is_not_pickled_or_copied(kind: Any) -> None:
    registry = kind("https://registry.example", credentials=("ada", "pw-canary"))

    for holder in (registry, registry.repository("acme/web"), registry._client):
        for act in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot be pickled or copied"):
                act(holder)


@DOORS
def test_auth_and_credentials_are_not_both_given(kind: Any) -> None:
    with pytest.raises(ValueError, match="auth or credentials, not both"):
        kind.build_with_manual_client("https://registry.example", auth=("a", "b"), credentials=("c", "d"))


@DOORS
@pytest.mark.parametrize("url", [123, None, b"https://registry.example"])
def test_what_is_no_text_names_no_registry(kind: Any, url: Any) -> None:
    with pytest.raises(TypeError, match=f"must be a str: a URL such as .*; not {type(url).__name__}$"):
        kind(url)


@DOORS
@pytest.mark.parametrize("url", ["", " "])
def test_an_empty_text_names_no_registry(kind: Any, url: str) -> None:
    with pytest.raises(errors.InvalidReferenceError, match=r"expected a URL such as .* localhost:5000$"):
        kind(url)


@DOORS
def test_a_path_behind_a_host_is_a_repository_and_no_base(kind: Any) -> None:
    with pytest.raises(errors.InvalidReferenceError) as failure:
        kind("localhost:5000/acme/web/")
    assert "for a repository, write Registry('localhost:5000').repository('acme/web'); " in str(failure.value)
    assert kind("https://localhost:5000/acme/web/").url == "https://localhost:5000/acme/web"
    assert kind("localhost:5000/v2/").url == "http://localhost:5000"


def test_no_text_of_options_shows_a_password() -> None:
    from dreg_client.protocol.options import Options

    assert "canary" not in repr(Options(credentials=("ada", "pw-canary")))


@pytest.mark.parametrize("token", ["tok canary", "tok-canary\r\nX-Evil: 1", "t\u00f6k-canary"])
def test_a_service_that_gives_what_cannot_be_sent_is_told(door: Door, token: str) -> None:
    class Service:
        def request_token(self, scope: str) -> str:
            return token

    with pytest.raises(errors.TokenError, match="characters that are not allowed in a header") as refused:
        door.run(lambda _: basic(), lambda registry: repository(registry).get_manifest("1.4"), auth_service=Service())
    assert "canary" not in str(refused.value)
    assert len(door.seen) == 1
