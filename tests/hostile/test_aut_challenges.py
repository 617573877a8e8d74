"""What registries ask for, and what they are answered: AUT-07 to AUT-09, AUT-15, AUT-16."""

import logging
from typing import Any

import pytest

from dreg_client import Credential, errors
from tests.faultserver import Heard, Network, Piece, answer, challenge, head, redirect, refusal
from tests.hostile.proof import AUTH, BASIC, PULL, WHO, bearer, given, token_registry_at, token_server_at, wanting
from tests.hostile.registry import BASE, MANIFESTS, TAGS, listed, registry_at
from tests.hostile.secrets import REFRESH, TOKEN
from tests.hostile.ways import Way, refused

REALM = f'realm="{AUTH}"'


def asking(*lines: str) -> bytes:
    """A refusal with these challenges, one a line."""
    return refusal("401 Unauthorized", "UNAUTHORIZED", "who?", *(f"WWW-Authenticate: {line}" for line in lines))


@pytest.mark.parametrize(
    "lines",
    [
        ["Negotiate", "Basic realm=x", f'Bearer {REALM},service="registry.test"'],
        [f'Basic realm="a, Bearer b=c", Bearer {REALM} , service = "registry.test"'],
        [f'BEARER {REALM},service="registry.test",error="in\\"valid\\""'],
        [f"Bearer realm={AUTH},service=registry.test"],
        [f', ,Bearer {REALM},, service="registry.test",'],
    ],
)
def test_aut_07_challenges_of_any_form_are_answered_by_a_token(
    library_way: Way, net: Network, lines: list[str]
) -> None:
    def said(heard: Heard) -> Piece:
        return listed("1.4") if heard.header("authorization") == f"Bearer {TOKEN}" else asking(*lines)

    registry = registry_at(net).on(TAGS, said)
    auth = token_server_at(net)
    library_way.credentials = WHO

    assert library_way.tags().value == ("1.4",)
    assert auth.requests[0].query["service"] == ["registry.test"]
    assert registry.secrets == [f"Bearer {TOKEN}"]
    assert auth.secrets == [BASIC]


BROKEN = {
    "an open quote": f'Bearer realm="{AUTH}',
    "a parameter twice": f'Bearer {REALM},realm="https://stranger.example/token"',
    "no separator": f'Bearer {REALM}service="x"',
    "no scheme": f'realm="{AUTH}"',
    "an unknown scheme": "Digest realm=x",
    "no realm": 'Bearer service="x"',
    "a realm that is no URL": 'Bearer realm="token"',
    "a realm with a password": 'Bearer realm="https://ada:canary-password-7f3a@auth.registry.test/token"',
    "a realm of another kind": 'Bearer realm="file:///etc/passwd"',
    "a realm over two lines": 'Bearer realm="https://auth.registry.test/to ken"',
    "60,000 bytes": f'Bearer {REALM},service="{"x" * 60_000}"',
    "60,000 commas": f"{',' * 60_000}Bearer {REALM}",
    "60,000 spaces": f"Bearer{' ' * 60_000}{REALM}",
    "60,000 quotes": 'Bearer a="' + '"' * 60_000,
    "60,000 escapes": 'Bearer a="' + "\\" * 60_000,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_aut_07_what_cannot_be_read_is_not_answered(library_way: Way, net: Network, text: str) -> None:
    registry = registry_at(net).on(TAGS, asking(text))
    auth = token_server_at(net)
    library_way.credentials, library_way.options = WHO, {"retries": 4}

    refused(library_way.tags(), errors.ChallengeError)
    assert auth.connections == 0
    assert registry.secrets == []
    assert len(registry.requests) == 1


def test_aut_07_nor_by_the_command_line(way: Way, net: Network) -> None:
    registry = registry_at(net).on(TAGS, asking(BROKEN["an open quote"]))
    way.credentials, way.options = WHO, {"retries": 4}

    refused(way.tags(), errors.ChallengeError)
    assert registry.secrets == []
    assert len(registry.requests) == 1


@pytest.mark.parametrize("asks", ["Basic realm=x", bearer("http://registry.test/token")])
@pytest.mark.parametrize(
    "who", [Credential(*WHO), Credential(identity_token=REFRESH), Credential(registry_token=TOKEN)]
)
def test_aut_08_no_secret_goes_over_plain_http_unasked(
    library_way: Way, net: Network, asks: str, who: Credential
) -> None:
    registry = wanting(registry_at(net, scheme="http"), asks)
    library_way.registry, library_way.options = "http://registry.test", {"credentials": who}

    refused(library_way.tags(), errors.InsecureDowngradeError)
    assert registry.secrets == []
    assert registry.asked == [f"GET {TAGS}"]


def test_aut_08_whoever_trusts_the_network_says_so(way: Way, net: Network) -> None:
    registry = wanting(registry_at(net, scheme="http"), "Basic realm=x", BASIC)
    way.registry, way.credentials = "http://registry.test", WHO
    way.options = {"plain_http": True}

    assert way.tags().error is None
    assert registry.secrets == [BASIC]


def test_aut_09_a_password_that_is_asked_for_instead_of_a_token_goes_to_the_registry_alone(
    library_way: Way, net: Network
) -> None:
    registry = token_registry_at(net)
    registry.on(f"{MANIFESTS}/1.4", challenge("Basic realm=x"))
    auth = token_server_at(net)
    cdn = net.host("cdn.test").on("/page", challenge("Basic realm=x"))
    library_way.credentials = WHO

    def both(registry: Any) -> Any:
        web = registry.repository("acme/web")
        return web.tags(), web.get_manifest("1.4")

    async def afterwards(registry: Any) -> Any:
        web = registry.repository("acme/web")
        return await web.tags(), await web.get_manifest("1.4")

    refused(library_way.do(afterwards if library_way.name == "tasks" else both), errors.UnauthorizedError)
    assert set(registry.secrets) <= {f"Bearer {TOKEN}", BASIC}
    assert len(registry.asked) <= 4
    assert auth.secrets == [BASIC]

    registry.on(TAGS, redirect("https://cdn.test/page"))
    refused(library_way.tags(), errors.UnauthorizedError)
    assert cdn.secrets == []


def test_aut_09_and_never_over_plain_http(library_way: Way, net: Network) -> None:
    registry = registry_at(net, scheme="http").on(TAGS, challenge("Basic realm=x"))
    registry.on("/token", given())
    library_way.registry, library_way.credentials = "http://registry.test", WHO

    refused(library_way.tags(), errors.InsecureDowngradeError)
    assert registry.secrets == []


FOREIGN = ["repository:acme/other:pull", "registry:catalog:*", f"{PULL} repository:a:push", "*", "a b  c"]


@pytest.mark.parametrize("scope", FOREIGN)
def test_aut_15_a_token_is_for_what_we_do_and_no_more(
    library_way: Way, net: Network, scope: str, caplog: pytest.LogCaptureFixture
) -> None:
    wanting(registry_at(net), bearer(scope=scope), f"Bearer {TOKEN}")
    auth = token_server_at(net)
    library_way.credentials = WHO

    with caplog.at_level(logging.WARNING):
        assert library_way.tags().value == ("1.4",)
    assert [asked.query["scope"] for asked in auth.requests] == [[PULL]]
    warned = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warned) == 1
    assert repr(scope) in warned[0]


def test_aut_15_more_of_the_same_repository_is_not_asked_for_either(library_way: Way, net: Network) -> None:
    wanting(registry_at(net), bearer(scope="repository:acme/web:*"), f"Bearer {TOKEN}")
    auth = token_server_at(net)

    assert library_way.tags().value == ("1.4",)
    assert [asked.query["scope"] for asked in auth.requests] == [[PULL]]


def test_aut_15_also_by_the_command_line(way: Way, net: Network) -> None:
    wanting(registry_at(net), bearer(scope=FOREIGN[0]), f"Bearer {TOKEN}")
    auth = token_server_at(net)

    outcome = way.tags()
    assert outcome.kind is None
    assert [asked.query["scope"] for asked in auth.requests] == [[PULL]]
    assert way.name != "command line" or "acme/other" in outcome.text


REFUSALS = {
    401: (errors.UnauthorizedError, "UNAUTHORIZED"),
    403: (errors.DeniedError, "DENIED"),
    404: (errors.NotFoundError, "NAME_UNKNOWN"),
}


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("asked", ["tags", "manifest", "repositories"])
def test_aut_16_what_may_not_be_seen_is_no_empty_list(library_way: Way, net: Network, status: int, asked: str) -> None:
    kind, code = REFUSALS[status]
    registry = net.host("registry.test").on("*", refusal(status, code))
    library_way.options = {"retries": 4}

    def names(registry: Any) -> Any:
        return list(registry.catalog())

    async def names_as_task(registry: Any) -> Any:
        return [name async for name in registry.catalog()]

    match asked:
        case "tags":
            outcome = library_way.tags()
        case "manifest":
            outcome = library_way.manifest("1.4")
        case _:
            outcome = library_way.do(names_as_task if library_way.name == "tasks" else names)
    refused(outcome, errors.UnsupportedError if (asked, status) == ("repositories", 404) else kind)
    assert len(registry.requests) == 1


@pytest.mark.parametrize("status", REFUSALS)
def test_aut_16_nor_for_the_command_line(way: Way, net: Network, status: int) -> None:
    kind, code = REFUSALS[status]
    registry = net.host("registry.test").on("*", refusal(status, code))
    way.options = {"retries": 4}

    outcome = way.tags()
    assert outcome.kind is kind
    assert len(registry.requests) == 1
    if way.name == "command line":
        assert outcome.value == b""
        assert outcome.exit_code == (4 if status == 404 else 3)


@pytest.mark.parametrize("status", [403, 404])
def test_aut_16_with_a_token_too(library_way: Way, net: Network, status: int) -> None:
    kind, code = REFUSALS[status]
    registry = registry_at(net).on(TAGS, challenge(bearer()), refusal(status, code))
    auth = token_server_at(net)
    library_way.credentials, library_way.options = WHO, {"retries": 4}

    assert library_way.tags().kind is kind
    assert len(registry.requests) == 2
    assert len(auth.requests) == 1


def test_aut_16_a_refusal_without_a_challenge_is_not_answered(library_way: Way, net: Network) -> None:
    registry = registry_at(net).on(f"{BASE}/*", answer(b"", 401), head(401, "Content-Length: 0"))
    library_way.credentials = WHO

    refused(library_way.tags(), errors.UnauthorizedError)
    assert registry.secrets == []
    assert registry.asked == [f"GET {TAGS}", "GET /v2/"], "it may have a challenge there"
