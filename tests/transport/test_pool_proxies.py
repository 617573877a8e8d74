"""Connections through proxies: http, https, and SOCKS5; what each of them is told, and what its replies mean."""

import sys
from base64 import b64encode
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from dreg_client import errors
from dreg_client.protocol.options import Options, Timeouts
from dreg_client.protocol.proxies import Proxy, proxy_of, proxy_text
from dreg_client.values.origin import Origin, Reach
from tests.faultserver import END, Drip, Host, Network, answer, head, network
from tests.transport.pools import AnyPool
from tests.transport.socks_server import NOT_ALLOWED, REFUSED, UNREACHABLE, SocksServer, socks_server

BODY = b"this is the answer"
PASSWORD = "canary-password-7f3a"
NewPool = Callable[..., AnyPool]


@pytest.fixture
def net(tmp_path: Path) -> Generator[Network]:
    with network(tmp_path) as net:
        yield net


def proxy_at(net: Network, scheme: str = "http") -> Host:
    """A proxy that makes tunnels, by TLS itself if asked."""
    proxy = net.host("proxy.test", scheme=scheme, port=3128)
    proxy.tunnel = net._tunnel
    return proxy


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_https_goes_through_a_tunnel(new_pool: NewPool, net: Network, scheme: str) -> None:
    registry = net.host("registry.test").on("/x", answer(BODY))
    proxy = proxy_at(net, scheme)
    pool = new_pool(ca_file=str(net.ca_file), proxy=f"{scheme}://user:p%40ss@proxy.test:3128")

    for _ in range(2):
        got = pool.run_get("https://registry.test/x", headers=(("Authorization", "Basic x"),), nearest=Reach.PUBLIC)
        assert (got.body, got.peer) == (BODY, "")
    [connect] = proxy.requests
    assert str(connect) == "CONNECT registry.test:443"
    assert dict(connect.headers) == {
        "host": "registry.test:443",
        "proxy-authorization": "Basic " + b64encode(b"user:p@ss").decode(),
    }
    assert {heard.target for heard in registry.requests} == {"/x"}
    assert not any(name.startswith("proxy-") for heard in registry.requests for name, _ in heard.headers)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_http_goes_in_absolute_form(new_pool: NewPool, net: Network, scheme: str) -> None:
    proxy = proxy_at(net, scheme).on("/x", answer(BODY))
    pool = new_pool(ca_file=str(net.ca_file), proxy=f"{scheme}://user:pass@proxy.test:3128")

    for _ in range(2):
        got = pool.run_get("http://registry.test:81/x?a=b", nearest=Reach.PUBLIC)
        assert (got.body, got.peer) == (BODY, "")
    assert {str(heard) for heard in proxy.requests} == {"GET http://registry.test:81/x?a=b"}
    assert {heard.header("host") for heard in proxy.requests} == {"registry.test:81"}
    assert {heard.header("proxy-authorization") for heard in proxy.requests} == {"Basic dXNlcjpwYXNz"}
    assert proxy.connections == 1


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (
            "407 No",
            errors.ProxyRefusedError,
            "requires a valid user name and password (407)",
        ),
        ("403 No", errors.ProxyRefusedError, "rejected the connection (403)"),
        ("502 No", errors.ConnectError, "rejected the connection (502)"),
        ("302 No", errors.ProxyRefusedError, "rejected the connection (302)"),
    ],
)
def test_a_proxy_that_refuses_is_named(
    new_pool: NewPool, net: Network, status: str, error: type[errors.ConnectError], said: str
) -> None:
    registry = net.host("registry.test")
    proxy = proxy_at(net).on("*", answer(b"<html>no</html>", status))
    pool = new_pool(proxy=f"http://user:{PASSWORD}@proxy.test:3128")

    with pytest.raises(errors.ConnectError) as raised:
        pool.run_get("https://registry.test/x?secret")
    assert (type(raised.value), raised.value.reason) == (error, f"the proxy proxy.test:3128 (proxy=) {said}")
    assert raised.value.where == "https://registry.test/x"
    assert raised.value.retryable is (error is errors.ConnectError)
    assert (len(proxy.requests), registry.connections) == (1, 0)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ((END,), errors.TransportError),
        ((b"SSH-2.0-OpenSSH\r\n\r\n",), errors.ProtocolError),
        ((Drip(b"HTTP/1.1 100 Continue\r\n\r\n", 1000),), errors.ProtocolError),
        ((head("200 OK", "X: " + "y" * 300_000),), errors.ProtocolError),
        ((Drip(b"x"),), errors.ProtocolError),
    ],
    ids=["nothing", "no HTTP", "interim for ever", "long head", "no end"],
)
def test_a_reply_of_a_proxy_is_bounded(
    new_pool: NewPool, net: Network, said: Any, error: type[errors.TransportError]
) -> None:
    proxy_at(net).on("*", lambda _: said, method="CONNECT")
    pool = new_pool(proxy="http://proxy.test:3128", timeout=Timeouts(connect=20))

    with pytest.raises(error):
        pool.run_get("https://registry.test/x")


def test_a_proxy_has_the_timeout_for_connecting(new_pool: NewPool, net: Network) -> None:
    def slow(_: Any) -> Generator[bytes]:
        import time

        for octet in head("200 OK", "X: " + "y" * 100):
            yield bytes([octet])
            time.sleep(0.1)

    proxy_at(net).on("*", slow, method="CONNECT")
    pool = new_pool(proxy="http://proxy.test:3128", timeout=Timeouts(connect=0.5))

    with pytest.raises(errors.ConnectError, match="the connection attempt timed out"):
        pool.run_get("https://registry.test/x")


def test_a_proxy_that_is_not_there_is_named_without_its_password(new_pool: NewPool, net: Network) -> None:
    pool = new_pool(proxy=f"http://user:{PASSWORD}@proxy.test:3128")

    with pytest.raises(errors.UnknownHostError) as raised:
        pool.run_get("https://registry.test/x")
    assert PASSWORD not in repr(raised.value)


def test_an_https_proxy_must_be_trusted(new_pool: NewPool, net: Network) -> None:
    proxy = proxy_at(net, "https")
    pool = new_pool(proxy=f"https://user:{PASSWORD}@proxy.test:3128", insecure=True)

    with pytest.raises(errors.TLSError):
        pool.run_get("https://registry.test/x")
    assert proxy.requests == []


# --- SOCKS5


@pytest.fixture
def socks(net: Network) -> Generator[SocksServer]:
    with socks_server() as server:
        net.places.real.append(server.port)
        yield server


def behind(socks: SocksServer, net: Network, scheme: str) -> Host:
    """A registry that only the proxy knows."""
    host = net.host("registry.test", scheme=scheme).on("/x", answer(BODY))
    socks.routes[f"registry.test:{ {'http': 80, 'https': 443}[scheme] }"] = host.port
    del net.places.addresses["registry.test"]
    return host


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", ["socks5", "socks5h"])
def test_a_socks_proxy_resolves_the_name(
    new_pool: NewPool, net: Network, socks: SocksServer, kind: str, scheme: str
) -> None:
    host = behind(socks, net, scheme)
    pool = new_pool(ca_file=str(net.ca_file), proxy=f"{kind}://localhost:{socks.port}")

    for _ in range(2):
        got = pool.run_get(f"{scheme}://registry.test/x", nearest=Reach.PUBLIC)
        assert (got.body, got.peer) == (BODY, "")
    assert len(socks.asked) == 1
    assert {heard.target for heard in host.requests} == {"/x"}


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_socks_proxy_is_given_addresses_as_such(
    new_pool: NewPool, net: Network, socks: SocksServer, address: str
) -> None:
    socks.routes[f"{address}:80"] = behind(socks, net, "http").port
    pool = new_pool(proxy=f"socks5://localhost:{socks.port}")

    url = f"http://[{address}]/x" if ":" in address else f"http://{address}/x"
    assert pool.run_get(url).body == BODY
    assert socks.asked == [f"{address}:80"]


def test_a_socks_proxy_gets_its_password(new_pool: NewPool, net: Network, socks: SocksServer) -> None:
    behind(socks, net, "http")
    socks.password = b"user:p@ss"

    assert new_pool(proxy=f"socks5://user:p%40ss@localhost:{socks.port}").run_get("http://registry.test/x").body == BODY
    for wrong in ("", "user:wrong@"):
        with pytest.raises(errors.ProxyRefusedError, match="requires a valid user name and password"):
            new_pool(proxy=f"socks5://{wrong}localhost:{socks.port}").run_get("http://registry.test/x")


@pytest.mark.parametrize(
    ("code", "retryable"), [(NOT_ALLOWED, False), (UNREACHABLE, True), (REFUSED, True), (99, False)]
)
def test_a_socks_proxy_that_refuses_is_named(
    new_pool: NewPool, net: Network, socks: SocksServer, code: int, retryable: bool
) -> None:
    socks.code = code
    with pytest.raises(errors.ConnectError, match=r"the proxy localhost:.* rejected the connection") as raised:
        new_pool(proxy=f"socks5://localhost:{socks.port}").run_get("http://registry.test/x")
    assert (raised.value.retryable, raised.value.refused) == (retryable, code == REFUSED)


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05", b"\x05\x07", b"\x05\x00\x05\x00\x00\x09\x00"]
)
def test_what_is_not_socks_is_an_error(new_pool: NewPool, net: Network, socks: SocksServer, reply: bytes) -> None:
    socks.reply = reply
    with pytest.raises(errors.TransportError):
        new_pool(proxy=f"socks5://localhost:{socks.port}").run_get("http://registry.test/x")


def test_a_password_that_socks_cannot_send_is_a_mistake(new_pool: NewPool, net: Network, socks: SocksServer) -> None:
    with pytest.raises(errors.ConfigError) as raised:
        new_pool(proxy=f"socks5://user:{PASSWORD * 20}@localhost:{socks.port}").run_get("http://registry.test/x")
    assert PASSWORD not in str(raised.value)


def test_socks_without_its_library_says_what_to_install(new_pool: NewPool, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = new_pool(proxy="socks5://proxy.test")
    monkeypatch.delitem(sys.modules, f"dreg_client.{pool.package}.socks", raising=False)
    monkeypatch.setitem(sys.modules, "socksio", None)

    with pytest.raises(errors.MissingLibraryError, match="pip install socksio"):
        pool.run_get("http://registry.test/x")


# --- which proxy


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("proxy.test:3128", Proxy("http", "proxy.test", 3128)),
        ("http://proxy.test", Proxy("http", "proxy.test", 80)),
        ("HTTPS://Proxy.Test/", Proxy("https", "proxy.test", 443)),
        ("socks5h://[::1]", Proxy("socks5h", "::1", 1080)),
        ("http://us%3Aer:p%2Fss@proxy.test:1", Proxy("http", "proxy.test", 1, "us:er", "p/ss")),
        ("http://user:p@ss[@proxy.test:1", Proxy("http", "proxy.test", 1, "user", "p@ss[")),
        (" http://proxy.test:3128/\n", Proxy("http", "proxy.test", 3128)),
    ],
)
def test_a_proxy_is_named_by_a_url(text: str, expected: Proxy) -> None:
    assert proxy_of(Origin.of("https://registry.test"), Options(proxy=text)) == expected


@pytest.mark.parametrize(
    "text", ["ftp://{}@p.test", "http://{}@", "http://{}@p.test:x", "http://{}@p.test:99999", "://{}"]
)
def test_what_is_not_the_url_of_a_proxy_is_a_mistake(text: str) -> None:
    with pytest.raises(errors.ConfigError) as raised:
        Proxy.parse(text.format(PASSWORD))
    assert PASSWORD not in str(raised.value)
    assert PASSWORD not in repr(Proxy.parse(f"http://user:{PASSWORD}@proxy.test"))


NO_PROXY_URLS = [
    "http://ada:{}#x@proxy.test:3128",
    "http://ada:12#{}@proxy.test:3128",
    "http://ada:12/{}@proxy.test:3128",
    "http://ada:12?{}@proxy.test:3128",
    "http://{}#@proxy.test",
    "http://ada:{}@proxy.test:0",
    "http://ada:{}@pro xy.test",
    "http://ada:{}@pröxy.test",
    "http://ada:{}@[::1:3128",
    "http://ada:{}\x1b@proxy.test",
    "http://ada:{}\udcff@proxy.test",
    "http://ada:{}%ff@proxy.test",
    "socks5://ada:{}" + "x" * 256 + "@proxy.test",
]


def test_a_network_with_an_impossible_mask_names_its_variable() -> None:
    proxy = {"HTTPS_PROXY": "http://proxy.test:1"}
    for entry in ("10.0.0.0/99", "10.0.0.0/x", "fd00::/129", "a.test,10.0.0.0/33"):
        for name in ("NO_PROXY", "no_proxy"):
            for url in ("https://registry.test", "https://10.0.0.1", "https://a.test"):
                with pytest.raises(errors.ConfigError, match=f"^{name}: .* is not a valid network"):
                    proxy_text(Origin.of(url), {**proxy, name: entry})
    assert proxy_text(Origin.of("https://registry.test"), {"NO_PROXY": "10.0.0.0/99"}) == ""
    assert proxy_text(Origin.of("https://registry.test"), {**proxy, "NO_PROXY": "http://x/y a.test/b"})
    assert not proxy_text(Origin.of("https://10.1.2.3"), {**proxy, "NO_PROXY": "fd00::/8,10.0.0.0/8"})


@pytest.mark.parametrize("text", NO_PROXY_URLS)
@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_a_variable_with_a_url_that_names_no_proxy_is_named_without_its_content(
    new_pool: NewPool, monkeypatch: pytest.MonkeyPatch, text: str, variable: str
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, text.format(PASSWORD))
    pool = new_pool()

    with pytest.raises(errors.ConfigError, match=f"^{variable}: ") as raised:
        pool.run_get("https://registry.test/x")
    assert PASSWORD not in f"{raised.value!r} {raised.value.__cause__} {raised.value.__context__}"
    with pytest.raises(errors.ConfigError, match=r"^proxy=: "):
        new_pool(proxy=text.format(PASSWORD)).run_get("https://registry.test/x")


def test_a_proxy_that_cannot_be_reached_is_named(new_pool: NewPool) -> None:
    pool = new_pool(proxy=f"http://ada:{PASSWORD}@localhost:1")

    with pytest.raises(errors.ConnectError, match=r"the proxy localhost:1 \(proxy=\): cannot connect: ") as raised:
        pool.run_get("https://registry.test/x")
    assert PASSWORD not in str(raised.value)


def test_the_environment_names_proxies_unless_it_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://proxy.test")
    monkeypatch.setenv("NO_PROXY", "internal.test")
    public, internal = Origin.of("https://registry.test"), Origin.of("https://internal.test")

    assert proxy_of(public, Options()) == Proxy("socks5", "proxy.test", 1080)
    assert proxy_of(internal, Options()) is None
    assert proxy_of(public, Options(trust_env=False)) is None
