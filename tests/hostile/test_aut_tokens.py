"""What token servers answer, how long tokens are used, and that many ask once: AUT-11, AUT-13, AUT-14, 4.4."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any

import pytest

from dreg_client import AsyncRegistry, Credential, Registry, Timeouts, errors
from tests.faultserver import END, RESET, Heard, Host, Network, Piece, answer, challenge, chunked, refusal
from tests.hostile.proof import (
    BASIC,
    LISTED,
    PLAIN,
    PULL,
    WHO,
    bearer,
    given,
    token_registry_at,
    token_server_at,
    wanting,
)
from tests.hostile.registry import DIGEST, MANIFEST, MANIFESTS, TAGS, document, registry_at
from tests.hostile.secrets import PASSWORD, REFRESH, TOKEN
from tests.hostile.ways import Way, refused

HTML = answer(f"<html>{PASSWORD} {TOKEN}</html>".encode(), "200 OK", "Content-Type: text/html")
NO_TOKENS: dict[str, Piece | tuple[Piece, ...]] = {
    "a page": HTML,
    "nothing": answer(b"", "200 OK", *PLAIN),
    "an empty object": answer(b"{}", "200 OK", *PLAIN),
    "a list": answer(json.dumps([TOKEN]).encode(), "200 OK", *PLAIN),
    "a number": answer(b'{"token": 7}', "200 OK", *PLAIN),
    "an empty token": given(""),
    "a token twice": answer(f'{{"token": "{TOKEN}", "token": "{REFRESH}"}}'.encode(), "200 OK", *PLAIN),
    "a line in a token": given(f"{TOKEN}\r\nX-Evil: 1"),
    "a NUL in a token": given(f"{TOKEN}\0"),
    "letters that no header has": given(f"{TOKEN}\u2028\u00e4"),
    "no UTF-8": answer(b'{"token": "' + TOKEN.encode() + b'\xff"}', "200 OK", *PLAIN),
    "deep nesting": answer(b'{"a":' * 5000 + b"1" + b"}" * 5000, "200 OK", *PLAIN),
    "64 KiB and a byte": given(padding="x" * (64 * 1024 - len(json.dumps({"token": TOKEN, "padding": ""})) + 1)),
    "10 MiB": given(padding="x" * 10 * 1024 * 1024),
    "10 MiB in chunks": chunked(*[b"x" * 1024 * 1024] * 10, headers=PLAIN),
    "no content": answer(b"", "204 No Content"),
    "a teapot": answer(TOKEN.encode(), "418 I'm a teapot"),
}


@pytest.mark.parametrize("said", NO_TOKENS.values(), ids=NO_TOKENS)
def test_aut_11_what_is_no_token_is_an_error_that_shows_nothing_of_it(
    library_way: Way, net: Network, said: Piece | tuple[Piece, ...]
) -> None:
    registry = token_registry_at(net)
    auth = token_server_at(net, "auth.registry.test", said)
    library_way.credentials, library_way.options = WHO, {"retries": 4}

    refused(library_way.tags(), errors.TokenError)
    assert len(auth.requests) == 1
    assert registry.secrets == []
    assert len(registry.requests) == 1


@pytest.mark.parametrize("said", ["a page", "10 MiB"])
def test_aut_11_also_for_the_command_line(way: Way, net: Network, said: str) -> None:
    token_registry_at(net)
    auth = token_server_at(net, "auth.registry.test", NO_TOKENS[said])
    way.credentials = WHO

    outcome = refused(way.tags(), errors.TokenError)
    assert "html" not in outcome.text
    assert len(auth.requests) == 1


def test_aut_11_of_two_tokens_the_first_named_by_the_specification_counts(library_way: Way, net: Network) -> None:
    registry = token_registry_at(net)
    token_server_at(net, "auth.registry.test", given(access_token=REFRESH))

    assert library_way.tags().value == ("1.4",)
    assert registry.secrets == [f"Bearer {TOKEN}"]


def test_aut_11_an_answer_of_64_kib_is_read(library_way: Way, net: Network) -> None:
    token_registry_at(net)
    padding = "x" * (64 * 1024 - len(json.dumps({"token": TOKEN, "padding": ""})))
    token_server_at(net, "auth.registry.test", given(padding=padding))

    assert library_way.tags().value == ("1.4",)


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("who", [None, Credential(*WHO), Credential(identity_token=REFRESH)])
def test_aut_11_a_refusal_that_repeats_what_it_was_sent_is_not_repeated(
    library_way: Way, net: Network, status: int, who: Credential | None
) -> None:
    registry = token_registry_at(net)
    repeated = refusal(status, "UNAUTHORIZED", f"{PASSWORD} {REFRESH} {BASIC}", f"X-Said: {REFRESH}")
    auth = token_server_at(net, "auth.registry.test", repeated)
    library_way.options = {"retries": 4, "credentials": who}

    refused(library_way.tags(), errors.UnauthorizedError)
    assert len(auth.requests) == 1
    assert len(registry.requests) == 1


@pytest.mark.parametrize("who", [Credential(*WHO), Credential(identity_token=REFRESH)])
@pytest.mark.parametrize("fault", [RESET, END, answer(REFRESH.encode(), 503), answer(REFRESH.encode(), 500)])
def test_aut_11_a_token_server_that_fails_is_asked_again_as_often_as_was_said(
    library_way: Way, net: Network, fault: Piece, who: Credential
) -> None:
    token_registry_at(net)
    auth = token_server_at(net, "auth.registry.test", fault, given())
    library_way.options = {"retries": 1, "credentials": who}

    assert library_way.tags().value == ("1.4",)
    assert len(auth.requests) == 2


def test_4_4_a_token_that_is_refused_is_replaced_once(library_way: Way, net: Network) -> None:
    registry = token_registry_at(net)
    auth = token_server_at(net, "auth.registry.test", given("old"), given())
    library_way.credentials = WHO

    refused(library_way.tags(), errors.UnauthorizedError)
    assert registry.secrets == ["Bearer old"]
    assert len(auth.requests) == 1


def _afresh(way: Way, *names: str) -> Any:
    """The tags of repositories, asked for one after another of one client."""

    def ask(registry: Any) -> Any:
        found = []
        for name in names:
            registry.repository(name).refresh()
            found.append(registry.repository(name).tags())
        return found

    async def ask_as_task(registry: Any) -> Any:
        found = []
        for name in names:
            registry.repository(name).refresh()
            found.append(await registry.repository(name).tags())
        return found

    return ask_as_task if way.name == "tasks" else ask


@pytest.mark.parametrize("then", [TOKEN, "refused-again"])
def test_4_4_a_token_that_the_registry_takes_no_more_is_replaced_once(
    library_way: Way, net: Network, then: str
) -> None:
    registry = registry_at(net)
    taken = ["Bearer first", f"Bearer {TOKEN}"]

    def said(heard: Heard) -> Piece:
        if heard.header("authorization") == taken[0]:
            taken.pop(0)  # it is taken once
            return LISTED
        return challenge(bearer())

    registry.on(TAGS, said)
    auth = token_server_at(net, "auth.registry.test", given("first"), given(then))
    library_way.credentials = WHO
    outcome = library_way.do(_afresh(library_way, "acme/web", "acme/web"))

    if then == TOKEN:
        assert outcome.value == [("1.4",), ("1.4",)]
    else:
        refused(outcome, errors.UnauthorizedError)
    assert registry.secrets == ["Bearer first", "Bearer first", f"Bearer {then}"]
    assert len(auth.requests) == 2


def test_4_4_a_token_is_for_its_repository_and_kept_nowhere(library_way: Way, net: Network) -> None:
    registry = token_registry_at(net)
    wanting(registry, bearer(scope="repository:acme/other:pull"), "Bearer other", path="/v2/acme/other/tags/list")
    auth = token_server_at(net, "auth.registry.test", given(), given("other"))
    before = {net.ca_file, *net.folder.rglob("*")}
    library_way.credentials = WHO

    outcome = library_way.do(_afresh(library_way, "acme/web", "acme/other", "acme/web"))
    assert outcome.value == [("1.4",)] * 3
    assert [asked.query["scope"] for asked in auth.requests] == [[PULL], ["repository:acme/other:pull"]]
    assert registry.secrets == [f"Bearer {TOKEN}", "Bearer other", f"Bearer {TOKEN}"]
    assert set(net.folder.rglob("*")) == before


# --- many at once


@dataclass
class Expiring:
    """A registry that takes the first token until it is told that it has expired, then another one.

    Attributes:
        registry: The registry.
        auth: Its token server.
        expired: Whether the first token is over.
    """

    net: Network
    registry: Host = field(init=False)
    auth: Host = field(init=False)
    expired: bool = False

    def __post_init__(self) -> None:
        self.registry = registry_at(self.net).on(f"{MANIFESTS}/1.4", self._said)
        self.auth = token_server_at(self.net, "auth.registry.test", given("first"), given(), given("one too many"))

    def _said(self, heard: Heard) -> Piece:
        fits = f"Bearer {TOKEN}" if self.expired else "Bearer first"
        return document(MANIFEST) if heard.header("authorization") == fits else challenge(bearer())

    def options(self, **more: Any) -> dict[str, Any]:
        patient = Timeouts(connect=60, read=120, pool=120, whole=300)  # of many at once, some wait
        return {"ca_file": str(self.net.ca_file), "credentials": Credential(*WHO), "timeout": patient, **more}


def test_aut_14_50_threads_whose_token_just_expired_ask_for_one(net: Network) -> None:
    world, start = Expiring(net), Barrier(50)

    with (
        Registry("https://registry.test", **world.options()) as opened,
        ThreadPoolExecutor(50) as threads,
    ):
        web = opened.repository("acme/web")
        assert web.get_manifest("1.4").digest == DIGEST
        world.expired = True

        def ask(_: int) -> Any:
            start.wait(timeout=60)
            return web.get_manifest("1.4").digest

        assert set(threads.map(ask, range(50))) == {DIGEST}
    assert len(world.auth.requests) == 2
    assert world.registry.secrets.count(f"Bearer {TOKEN}") == 50


def test_aut_14_200_tasks_whose_token_just_expired_ask_for_one(net: Network) -> None:
    world = Expiring(net)

    async def ask() -> set[Any]:
        async with AsyncRegistry("https://registry.test", **world.options()) as opened:
            web = opened.repository("acme/web")
            assert (await web.get_manifest("1.4")).digest == DIGEST
            world.expired = True
            return {one.digest for one in await asyncio.gather(*(web.get_manifest("1.4") for _ in range(200)))}

    assert asyncio.run(ask()) == {DIGEST}
    assert len(world.auth.requests) == 2
    assert world.registry.secrets.count(f"Bearer {TOKEN}") == 200


def test_aut_14_where_the_one_that_asks_fails_the_others_ask_themselves(net: Network) -> None:
    world, start = Expiring(net), Barrier(10)
    world.auth.on("/token", given("first"), refusal(500, "UNKNOWN"), given())

    with (
        Registry("https://registry.test", **world.options(retries=0)) as opened,
        ThreadPoolExecutor(10) as threads,
    ):
        web = opened.repository("acme/web")
        web.get_manifest("1.4")
        world.expired = True

        def ask(_: int) -> object:
            start.wait(timeout=60)
            try:
                return web.get_manifest("1.4").digest
            except errors.DregError as failure:
                return type(failure)

        came = list(threads.map(ask, range(10)))
    assert sorted(map(str, came)) == sorted([*[str(DIGEST)] * 9, str(errors.ServerError)])
    assert len(world.auth.requests) == 3
