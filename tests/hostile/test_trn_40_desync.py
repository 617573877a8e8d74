"""Bytes behind an answer never become the next one: through proxies, and by a caller's transport (TRN-40)."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, suppress
from typing import Any

import httpx
import pytest

from dreg_client import AsyncHTTPTransport, HTTPTransport, errors
from tests.faultserver import Host, Network, Piece, answer, chunked, head, sentence
from tests.hostile.registry import TAGS, listed, registry_at
from tests.hostile.ways import Way
from tests.transport.socks_server import socks_server

FIRST = "/v2/acme/first/tags/list"
JSON = "Content-Type: application/json"
EVIL = answer(sentence({"name": "acme/web", "tags": ["EVIL"]}), "200 OK", JSON)
NAMES = sentence({"name": "acme/first", "tags": ["1"]})
ANSWERS: dict[str, bytes] = {
    "200": answer(NAMES, "200 OK", JSON),
    "200 in chunks": chunked(NAMES, headers=(JSON,)),
    "204": head("204 No Content"),
    "304": head("304 Not Modified", "Content-Length: 5"),
    "404": answer(b"{}", "404 Not Found", JSON),
    "404 in chunks": chunked(b"{}", status="404 Not Found"),
    "401": answer(b"", "401 Unauthorized"),
    "307": answer(b"", "307 Temporary Redirect", "Location: /v2/acme/first/moved"),
}
PROXIES = ["none", "http", "https", "socks5"]


@pytest.fixture
def places() -> Generator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def _proxied(way: Way, net: Network, places: ExitStack, proxy: str, scheme: str) -> Host:
    """Put a proxy between; return the host that answers: the proxy itself where it gets the requests."""
    way.registry = f"{scheme}://registry.test"
    registry = registry_at(net, scheme=scheme).on(TAGS, listed("1.4"))
    if proxy == "none":
        return registry
    if proxy == "socks5":
        server = places.enter_context(socks_server())
        server.routes[f"registry.test:{443 if scheme == 'https' else 80}"] = registry.port
        net.places.real.append(server.port)
        way.options["proxy"] = f"socks5://127.0.0.1:{server.port}"
        return registry
    host = net.host("proxy.test", scheme=proxy, port=3128)
    host.tunnel = net._tunnel
    way.options["proxy"] = f"{proxy}://proxy.test:3128"
    return host.on(TAGS, listed("1.4")) if scheme == "http" else registry


def _tags_after(way: Way) -> Any:
    """The tags that a client is given after it was answered something else, whatever that was."""

    def both(registry: Any) -> Any:
        if way.name == "tasks":
            return _by_tasks(registry)
        with suppress(errors.DregError):
            registry.repository("acme/first").tags()
        return registry.repository("acme/web").tags()

    return way.do(both).value


async def _by_tasks(registry: Any) -> Any:
    with suppress(errors.DregError):
        await registry.repository("acme/first").tags()
    return await registry.repository("acme/web").tags()


@pytest.mark.parametrize("said", ANSWERS)
@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_trn_40_through_a_proxy_they_are_no_answer(
    library_way: Way, net: Network, places: ExitStack, proxy: str, scheme: str, said: str
) -> None:
    host = _proxied(library_way, net, places, proxy, scheme)
    host.on(FIRST, ANSWERS[said] + EVIL * 3)

    assert _tags_after(library_way) == ("1.4",)


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_trn_40_without_them_a_connection_is_kept(
    library_way: Way, net: Network, places: ExitStack, proxy: str, scheme: str
) -> None:
    host = _proxied(library_way, net, places, proxy, scheme)
    host.on(FIRST, ANSWERS["200"])

    assert _tags_after(library_way) == ("1.4",)
    assert {heard.connection for heard in host.requests} == {1}


Transport = Callable[[Way, Network], Any]


def httpx_s_own(way: Way, net: Network) -> Any:
    return (httpx.AsyncHTTPTransport if way.name == "tasks" else httpx.HTTPTransport)()


def httpx_s_through_a_proxy(way: Way, net: Network) -> Any:
    kind = httpx.AsyncHTTPTransport if way.name == "tasks" else httpx.HTTPTransport
    return kind(proxy="http://proxy.test:3128")


def our_own(way: Way, net: Network) -> Any:
    return AsyncHTTPTransport() if way.name == "tasks" else HTTPTransport()


def _answering(way: Way, net: Network, transport: Transport) -> Host:
    host = registry_at(net, scheme="http").on(TAGS, listed("1.4"))
    if transport is httpx_s_through_a_proxy:
        host = net.proxy().on(TAGS, listed("1.4"))
    way.registry = "http://registry.test"
    way.options |= {"transport": transport(way, net), "ca_file": None}
    return host


@pytest.mark.parametrize("said", ANSWERS)
@pytest.mark.parametrize("transport", [httpx_s_own, httpx_s_through_a_proxy, our_own])
def test_trn_40_by_a_caller_s_transport_they_are_no_answer(
    library_way: Way, net: Network, transport: Transport, said: str
) -> None:
    host = _answering(library_way, net, transport)
    spoken: tuple[Piece, ...] = (ANSWERS[said] + EVIL * 3,)
    host.on(FIRST, spoken)

    assert _tags_after(library_way) == ("1.4",)
    assert {heard.header("connection") for heard in host.requests} == {None if transport is our_own else "close"}


@pytest.mark.parametrize(
    ("transport", "keep_alive", "connections"),
    [(httpx_s_own, False, 2), (httpx_s_own, True, 1), (httpx_s_through_a_proxy, False, 2), (our_own, False, 1)],
)
def test_trn_40_a_caller_may_say_that_connections_are_kept(
    library_way: Way, net: Network, transport: Transport, keep_alive: bool, connections: int
) -> None:
    host = _answering(library_way, net, transport)
    host.on(FIRST, ANSWERS["200"])
    library_way.options["keep_alive"] = keep_alive

    assert _tags_after(library_way) == ("1.4",)
    assert max(heard.connection for heard in host.requests) == connections
