"""Looking up names, and connecting to one of several addresses, within one timeout."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from dreg_client import errors
from dreg_client.protocol.options import Timeouts
from tests.faultserver import Network, answer
from tests.raw_server import speaking
from tests.transport.pools import AnyPool

BODY = b"this is the answer"
NewPool = Callable[..., AnyPool]


def resolve(monkeypatch: pytest.MonkeyPatch, **names: list[str]) -> None:
    """Let names, written without `.test`, have several addresses."""
    known = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        name = (host.decode() if isinstance(host, bytes) else host).removesuffix(".test")
        if name not in names:
            return known(host, port, *rest, **named)
        if named.get("flags") == socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [it for address in names[name] for it in known(address, port, *rest, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_the_next_address_is_tried_where_one_is_refused_or_silent(
    tls: AnyPool, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    net.black_hole("hole.test")
    net.host("many.test").on("/x", answer(BODY))
    places = net.places.addresses
    resolve(monkeypatch, many=["45.9.9.9", places["hole.test"], places["many.test"]])
    began = time.monotonic()

    assert tls.run_get("https://many.test/x").body == BODY
    assert 0.2 < time.monotonic() - began < 2


@contextmanager
def opening_late(net: Network, name: str) -> Iterator[None]:
    """Let a host accept connections only after 0.6 seconds, when several addresses are being tried.

    Its queue is full until then. So a connection opens once its first packet is sent again, after a second.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as queue:
        place = listener.getsockname()
        net.places.real.append(place[1])
        net.places.addresses[name] = "45.7.7.7"
        net.places.ports["45.7.7.7:80"] = place[1]
        for _ in range(2):
            waiting = queue.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(place)
        timer = threading.Timer(0.6, serve, (listener, queue))
        timer.start()
        yield
        timer.join()


def serve(listener: socket.socket, queue: ExitStack) -> None:
    """Empty the queue, and answer the first request."""
    queue.close()
    is_answered = False
    while not is_answered:
        with listener.accept()[0] as sock:
            is_answered = bool(sock.recv(65536))
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY))


@pytest.mark.parametrize("others", [1, 2, 4])
def test_trn_60_a_slow_address_is_used_as_soon_as_it_is_open(
    new_pool: NewPool, net: Network, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    net.black_hole("hole.test", 80)
    pool = new_pool(timeout=Timeouts(connect=5))
    with opening_late(net, "slow.test"):
        places = net.places.addresses
        resolve(monkeypatch, many=[places["hole.test"], places["slow.test"], *[places["hole.test"]] * others])
        began = time.monotonic()

        assert pool.run_get("http://many.test/x").body == BODY
        assert 0.8 < time.monotonic() - began < 2, "its first packet was sent again after one second"


@pytest.mark.parametrize("options", [{}, {"proxy": "http://many.test:443"}, {"proxy": "socks5h://many.test:443"}])
def test_trn_36_all_addresses_share_one_timeout(
    new_pool: NewPool, net: Network, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    net.black_hole("hole.test")
    resolve(monkeypatch, many=[net.places.addresses["hole.test"]] * 12)
    pool = new_pool(timeout=Timeouts(connect=1), **options)
    began = time.monotonic()

    with pytest.raises(errors.ConnectError, match="the connection attempt timed out") as raised:
        pool.run_get("https://many.test/x")
    assert raised.value.retryable
    assert 0.9 < time.monotonic() - began < 3
    assert ("many.test" in raised.value.reason) == bool(options), "the error names the proxy"


def test_looking_up_a_name_belongs_to_it_too(new_pool: NewPool, monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*given: Any, **named: Any) -> Any:
        if named.get("flags", sum(given[5:])) & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        time.sleep(0.5)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    pool = new_pool(timeout=Timeouts(connect=0.1))

    with pytest.raises(errors.ConnectError, match="the connection attempt timed out") as raised:
        pool.run_get("http://slow.test/x")
    assert type(raised.value) is errors.ConnectError


def test_a_handshake_belongs_to_the_same_timeout(new_pool: NewPool, net: Network) -> None:
    pool = new_pool(timeout=Timeouts(connect=0.5, read=20))
    with speaking(lambda *_: time.sleep(20)) as server:
        net.places.real.append(server.port)
        with pytest.raises(errors.ConnectError, match="the connection attempt timed out"):
            pool.run_get(f"https://localhost:{server.port}/x")


@pytest.mark.parametrize("order", [1, -1])
def test_a_host_that_refuses_at_one_address_refuses(
    new_pool: NewPool, monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    """The others may be out of reach because this machine has no IPv6."""
    resolve(monkeypatch, many=["127.0.0.1", "255.255.255.255"][::order])

    with pytest.raises(errors.ConnectError, match="connection refused") as raised:
        new_pool().run_get("http://many.test:1/x")
    assert raised.value.refused
