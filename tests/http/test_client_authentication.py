"""Both clients against a server that wants to know who asks."""

import logging
from typing import Any

import pytest

from dreg_client import errors
from dreg_client.protocol.messages import Request
from dreg_client.protocol.options import FoundCredential
from tests.answering import ADA, GET, Heard, in_turn, registry, sent, with_tokens
from tests.flavours import Flavour
from tests.raw_server import answer


def test_a_challenge_is_answered_by_a_token_and_the_next_request_has_it_from_the_start(flavour: Flavour) -> None:
    with registry(with_tokens) as at:
        first, second = sent(flavour, at.url, GET, GET, credentials=ADA)

    assert (first.body, second.body) == (b"hello", b"hello")
    token = "GET /token?service=s&scope=repository%3Aa%3Apull"
    assert at.targets == ["GET /v2/a/tags/list", token, "GET /v2/a/tags/list", "GET /v2/a/tags/list"]
    assert [heard.authorization for heard in at.heard] == ["", ADA.basic, *["Bearer tok-canary"] * 2]


def test_an_anonymous_token_needs_no_credential(flavour: Flavour) -> None:
    with registry(with_tokens) as at:
        (response,) = sent(flavour, at.url, GET)

    assert response.body == b"hello"
    assert at.heard[1].authorization == ""


def test_aut_14_many_requests_ask_for_a_token_once(flavour: Flavour) -> None:
    async def job(url: str) -> list[int]:
        async with flavour.client(url, credentials=ADA) as client:
            statuses: list[int] = []

            async def one() -> None:
                statuses.append((await client.send(GET)).status)

            await flavour.all([one] * 20)
            return statuses

    with registry(with_tokens) as at:
        assert flavour.run(lambda: job(at.url)) == [200] * 20
        assert sum(heard.target.startswith("/token") for heard in at.heard) == 1


def test_a_password_that_is_refused_is_not_sent_twice(flavour: Flavour) -> None:
    with registry(in_turn(answer(b"", "401 Unauthorized", "WWW-Authenticate: Basic realm=x"))) as at:
        first, second = sent(flavour, at.url, GET, GET, credentials=ADA)

    assert [heard.authorization for heard in at.heard] == ["", ADA.basic, ADA.basic]
    assert first.status == second.status == 401
    assert "the user 'ada' was rejected" in first.advice
    assert not first.anonymous


def test_an_anonymous_request_that_is_denied_says_so(flavour: Flavour) -> None:
    with registry(in_turn(answer(b"", "401 Unauthorized", "WWW-Authenticate: Basic realm=x"))) as at:
        (response,) = sent(flavour, at.url, GET)

    assert response.anonymous
    assert "credentials=(user, password)" in response.advice


def test_a_credential_is_looked_up_once_for_a_repository(flavour: Flavour) -> None:
    class Source:
        def __init__(self) -> None:
            self.asked: list[tuple[str, str]] = []

        def find(self, registry: str, repository: str = "") -> FoundCredential:
            self.asked.append((registry, repository))
            return FoundCredential(ADA)

    source = Source()
    with registry(with_tokens) as at:
        sent(flavour, at.url, GET, GET, credentials=source)

        assert source.asked == [(at.url.partition("://")[2], "a")]
    assert at.heard[1].authorization == ADA.basic


@pytest.mark.parametrize("is_async", [False, True])
def test_a_service_s_token_is_sent(flavour: Flavour, is_async: bool) -> None:
    class Service:
        def request_token(self, scope: str) -> Any:
            return self.later() if is_async else "tok-canary"

        async def later(self) -> str:
            return "tok-canary"

    with registry(with_tokens) as at:
        if is_async and flavour.name == "threads":
            (result,) = sent(flavour, at.url, GET, auth_service=Service())
            assert isinstance(result, errors.TokenError)
            assert "use the async client" in str(result)
        else:
            (result,) = sent(flavour, at.url, GET, auth_service=Service())
            assert result.body == b"hello"
            assert [heard.authorization for heard in at.heard] == ["", "Bearer tok-canary"]


def test_aut_15_a_foreign_scope_is_warned_of_once(flavour: Flavour, caplog: pytest.LogCaptureFixture) -> None:
    def answering(heard: Heard) -> bytes:
        challenged = with_tokens(heard)
        return challenged.replace(b'service="s"', b'service="s",scope="registry:catalog:*"')

    other = Request("GET", "/v2/b/tags/list", "repository:b:pull")
    with registry(answering) as at, caplog.at_level(logging.WARNING, "dreg_client"):
        sent(flavour, at.url, GET, other)

    assert [record.message for record in caplog.records if "registry:catalog" in record.message][1:] == []
    assert "scope=repository%3Aa%3Apull" in at.heard[1].target


def test_aut_25_secrets_that_an_error_response_repeats_are_blanked(flavour: Flavour) -> None:
    def answering(heard: Heard) -> bytes:
        if not heard.authorization:
            return answer(b"", "401 Unauthorized", "WWW-Authenticate: Basic realm=x")
        return answer(f"no: {heard.authorization}".encode(), "403 Forbidden")

    with registry(answering) as at:
        (response,) = sent(flavour, at.url, GET, credentials=ADA)

    assert (response.status, response.body) == (403, b"no: Basic ***")
