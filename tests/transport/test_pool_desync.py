"""Bytes behind a response never become the next response: directly, through proxies, over TLS."""

import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from dreg_client import errors
from tests.faultserver import Heard, Host, Network, Piece, answer, chunked, head, network
from tests.transport.pools import AnyPool

GOOD = b"this is the answer"
EVIL = answer(b"this is not") * 3
LARGE = bytes(range(256)) * 8_192
RESPONSES = {
    "200": answer(b"body"),
    "404": answer(b"no", "404 Not Found"),
    "204": head("204 No Content"),
    "304": head("304 Not Modified", "Content-Length: 5"),
    "empty": answer(b""),
    "chunked": chunked(b"body", b"more"),
    "trailers": chunked(b"body", end=b"0\r\nX: y\r\n\r\n"),
    "large": answer(LARGE),
    "large part": answer(LARGE, "206 Partial Content"),
    "large in chunks": chunked(LARGE),
}
WAYS = {
    "http": "http://registry.test",
    "https": "https://registry.test",
    "http by proxy": "http://registry.test",
    "https by proxy": "https://registry.test",
    "http by https proxy": "http://registry.test",
    "https by https proxy": "https://registry.test",
}


@pytest.fixture
def net(tmp_path: Path) -> Generator[Network]:
    with network(tmp_path) as net:
        yield net


def way_to(net: Network, way: str) -> tuple[Host, dict[str, Any]]:
    """The host that answers, and the options that lead to it."""
    options = {"ca_file": str(net.ca_file), "trust_env": False}
    registry = net.host("registry.test", scheme=WAYS[way].partition(":")[0])
    if not way.endswith("proxy"):
        return registry, options
    scheme = "https" if "https proxy" in way else "http"
    proxy = net.host("proxy.test", scheme=scheme, port=3128)
    proxy.tunnel = net._tunnel
    return (proxy if way.startswith("http ") else registry), {**options, "proxy": f"{scheme}://proxy.test:3128"}


Evil = Callable[[bytes, threading.Event], Callable[[Heard], Any]]


def at_once(said: bytes, sent: threading.Event) -> Callable[[Heard], list[Piece]]:
    sent.set()
    return lambda _: [said + EVIL]


def in_a_piece_of_its_own(said: bytes, sent: threading.Event) -> Callable[[Heard], Generator[Piece]]:
    def pieces(_: Heard) -> Generator[Piece]:
        yield said
        time.sleep(0.02)
        try:
            yield EVIL
        finally:
            sent.set()

    return pieces


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize("evil", [at_once, in_a_piece_of_its_own])
def test_bytes_behind_a_response_are_never_the_next_response(
    new_pool: Callable[..., AnyPool], net: Network, way: str, response: str, evil: Evil
) -> None:
    host, options = way_to(net, way)
    sent = threading.Event()
    host.on("/first", evil(RESPONSES[response], sent)).on("/second", answer(GOOD))
    pool = new_pool(**options)

    assert pool.run_get(f"{WAYS[way]}/first").status == int(RESPONSES[response][9:12])
    assert sent.wait(20)
    if evil is in_a_piece_of_its_own:
        pool.wait_for_bytes()  # a proxy passes them on
    assert pool.run_get(f"{WAYS[way]}/second").body == GOOD
    assert [heard.connection for heard in host.requests] == [1, 2]


@pytest.mark.parametrize("way", WAYS)
def test_without_such_bytes_a_connection_is_kept(new_pool: Callable[..., AnyPool], net: Network, way: str) -> None:
    host, options = way_to(net, way)
    for path, said in RESPONSES.items():
        host.on(f"/{path.replace(' ', '-')}", said)
    pool = new_pool(**options)

    for path, said in RESPONSES.items():
        assert pool.run_get(f"{WAYS[way]}/{path.replace(' ', '-')}").status == int(said[9:12])
    assert {heard.connection for heard in host.requests} == {1}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_bytes_behind_the_head_of_a_tunnel_are_an_error(
    new_pool: Callable[..., AnyPool], net: Network, scheme: str
) -> None:
    registry = net.host("registry.test")
    proxy = net.host("proxy.test", scheme=scheme, port=3128)
    proxy.on("registry.test:443", head("200 Connection established") + EVIL, method="CONNECT")
    proxy.on("*", head("200 Connection established") + EVIL, method="CONNECT")
    pool = new_pool(ca_file=str(net.ca_file), proxy=f"{scheme}://proxy.test:3128")

    with pytest.raises(errors.ProtocolError):
        pool.run_get("https://registry.test/")
    assert registry.connections == 0
