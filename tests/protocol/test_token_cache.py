"""How long a token is used, by a clock that stands still unless it is moved (AUT-13), and for which requests."""

import json
from typing import Any

import pytest

from dreg_client import Credential, errors
from dreg_client.protocol.auth import Hint, KnownChallenge, challenge_of
from dreg_client.protocol.messages import Headers, Request, Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.tokens import TokenCache, TokenRequest, parse_token, token_hop

ADA = Credential("ada", "s3cr3t-canary")
IDENTITY = Credential(identity_token="identity-canary")  # noqa: S106 (a canary)
REGISTRY = RegistryURL.parse("https://registry.example")
REQUEST = Request("GET", "/v2/a/tags/list", "repository:a:pull")
BEARER = 'Bearer realm="https://registry.example/token",service="s"'


def known(challenge: str = BEARER, request: Request = REQUEST) -> KnownChallenge:
    response = Response(401, Headers([("WWW-Authenticate", challenge)]), url="https://registry.example/v2/a/tags/list")
    found = challenge_of(request, response)
    assert found is not None
    return found


def wanted(credential: Credential | None = ADA, challenge: str = BEARER) -> TokenRequest:
    return TokenRequest(REGISTRY, known(challenge), credential)


def answered(status: int = 200, headers: dict[str, str] | None = None, **body: Any) -> Response:
    raw = json.dumps(body).encode()
    return Response(status, Headers((headers or {}).items()), raw, "https://registry.example/token", REGISTRY.url)


class Clocked:
    """A cache, and its clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.cache = TokenCache(lambda: self.now)

    def is_used_until(self, seconds: float, **body: Any) -> bool:
        """Whether the token of a response, requested at 0, is used until then, and not any longer."""
        token = parse_token(answered(**body | {"token": "t"}), Hint())
        self.cache.put("key", token.value, requested=0.0, expires_in=token.expires_in)
        self.now = seconds - 0.1
        before = self.cache.get("key")
        self.now = seconds + 0.1
        return (before, self.cache.get("key")) == ("t", "")


@pytest.mark.parametrize(
    ("life", "seconds"),
    [
        *((300, 290), (None, 50), (0, 50), (1, 50), (59, 50), (61, 51), (-1, 50), ("300", 50), (True, 50), (300.5, 50)),
        *((3600, 3590), (3601, 3590), (10**300, 3590), (1e308, 50), (float("1e15"), 50)),
    ],
)
def test_aut_13_a_token_is_used_until_ten_seconds_before_its_end(life: Any, seconds: int) -> None:
    assert Clocked().is_used_until(seconds, **({} if life is None else {"expires_in": life}))


@pytest.mark.parametrize("issued_at", ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "yesterday", 7, None, {}])
def test_aut_13_when_a_token_says_it_was_made_does_not_matter(issued_at: Any) -> None:
    assert Clocked().is_used_until(290, expires_in=300, issued_at=issued_at)


def test_aut_13_a_life_begins_when_the_token_is_requested() -> None:
    clocked = Clocked()
    clocked.now = 200.0
    clocked.cache.put("key", "t", requested=0.0, expires_in=300)
    assert clocked.cache.get("key") == "t"
    clocked.now = 290.1
    assert clocked.cache.get("key") == ""


def test_a_refused_token_is_not_used_again() -> None:
    cache = Clocked().cache
    cache.put("key", "t1", requested=0.0, expires_in=300)

    assert cache.get("key", refused="t1") == ""
    assert cache.get("key", refused="t0") == "t1"


def test_the_cache_does_not_grow_without_end() -> None:
    cache = Clocked().cache
    for number in range(1001):
        cache.put(number, "t", requested=0.0, expires_in=300)

    assert cache.get(1000) == cache.get(1) == "t"
    assert cache.get(0) == ""


def test_a_token_is_for_its_registry_realm_service_scope_and_credential() -> None:
    other_registry = RegistryURL.parse("https://other.example")
    keys = {
        wanted().key,
        TokenRequest(other_registry, known(), ADA).key,
        wanted(challenge=BEARER.replace("/token", "/other")).key,
        wanted(challenge=BEARER.replace('"s"', '"t"')).key,
        TokenRequest(REGISTRY, known(request=Request("PUT", "/", "repository:a:pull,push")), ADA).key,
        wanted(None).key,
        wanted(Credential("ada", "another")).key,
    }

    assert len(keys) == 7
    assert wanted().key == wanted().key
    assert "canary" not in repr(keys)


def test_a_token_is_requested_by_get_with_the_password() -> None:
    hop = token_hop(wanted(), (("User-Agent", "x"),), Options())

    assert (hop.method, hop.url) == ("GET", "https://registry.example/token?service=s&scope=repository%3Aa%3Apull")
    assert dict(hop.headers) == {"User-Agent": "x", "Authorization": ADA.basic}


def test_an_anonymous_token_is_requested_without_a_credential() -> None:
    assert token_hop(wanted(None), (("User-Agent", "x"),), Options()).headers == (("User-Agent", "x"),)


def test_an_identity_token_is_sent_in_a_form_and_never_in_a_url() -> None:
    hop = token_hop(wanted(IDENTITY), (), Options())

    assert (hop.method, hop.url) == ("POST", "https://registry.example/token")
    assert b"grant_type=refresh_token" in hop.body
    assert b"refresh_token=identity-canary" in hop.body
    assert b"scope=repository%3Aa%3Apull" in hop.body
    assert "canary" not in repr(hop)


def test_a_realm_keeps_its_query() -> None:
    realm, url = "https://registry.example/token?a=b", "https://registry.example/token?a=b&service=s&"

    assert token_hop(wanted(challenge=f'Bearer realm="{realm}",service="s"'), (), Options()).url.startswith(url)


@pytest.mark.parametrize(
    ("realm", "error"),
    [
        ("http://registry.example/token", errors.InsecureDowngradeError),
        ("https://tokens.other.test/token", errors.CrossOriginError),
        ("https://127.0.0.1/token", errors.BlockedAddressError),
        ("https://registry.example/token#x", errors.ChallengeError),
        ("https://registry.example/token#", errors.ChallengeError),
        ("file:///etc/passwd", errors.ChallengeError),
    ],
)
def test_aut_01_to_03_a_token_server_is_not_anywhere(realm: str, error: type[errors.DregError]) -> None:
    with pytest.raises(error):
        token_hop(wanted(challenge=f'Bearer realm="{realm}"'), (), Options())


def test_a_trusted_token_server_gets_the_credential() -> None:
    elsewhere = wanted(challenge='Bearer realm="https://tokens.other.test/token"')

    assert (
        dict(token_hop(elsewhere, (), Options(trusted_token_hosts=("tokens.other.test",))).headers)["Authorization"]
        == ADA.basic
    )


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_denied_credential_is_an_error_with_the_hint_and_without_the_body(status: int) -> None:
    with pytest.raises(errors.UnauthorizedError) as failure:
        parse_token(answered(status, errors="s3cr3t-canary"), Hint("log in", anonymous=True))

    assert "access denied" in str(failure.value)
    assert "log in" in str(failure.value)
    assert "canary" not in str(failure.value)
    assert failure.value.anonymous
    assert failure.value.status == status


@pytest.mark.parametrize(
    ("status", "error"), [(429, errors.RateLimitedError), (503, errors.ServerError), (404, errors.TokenError)]
)
def test_a_token_server_that_fails_is_named(status: int, error: type[errors.DregError]) -> None:
    with pytest.raises(error) as failure:
        parse_token(answered(status, {"X-Echo": "canary"}, errors="canary"), Hint())

    assert "canary" not in str(failure.value)


@pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": 7}, {"token": "a b"}])
def test_aut_11_a_response_without_a_valid_token_is_an_error(body: dict[str, Any]) -> None:
    with pytest.raises(errors.TokenError):
        parse_token(answered(**body), Hint())
