"""SOCKS5 proxies that lie, stall or refuse (TRN-23; RFC 1928, RFC 1929)."""

import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from dreg_client import errors
from dreg_client.protocol.options import Timeouts
from tests.faultserver import Network, redirect
from tests.hostile.registry import TAGS, registry_at
from tests.hostile.secrets import PASSWORD, USER
from tests.hostile.ways import Way, refused
from tests.transport.socks_server import socks_server

NO_PASSWORD, WITH_PASSWORD, GRANTED = b"\x05\x00", b"\x05\x02", b"\x01\x00"
CONNECTED = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"
FORGED = b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"tags":["evil"]}'


@dataclass
class LyingProxy:
    """A proxy that answers each message of a client with the next of its replies, and then waits.

    Attributes:
        port: Its port.
        replies: What it answers, in order.
        pause: Seconds between two bytes of a reply.
        closes: Whether it closes the connection after the last reply.
        heard: What it received.
        connections: How many clients connected.
    """

    port: int
    replies: tuple[bytes, ...] = ()
    pause: float = 0.0
    closes: bool = False
    heard: bytes = b""
    connections: int = 0
    clients: list[socket.socket] = field(default_factory=list)

    def serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            for reply in self.replies:
                self.heard += client.recv(65536)
                for piece in [reply] if not self.pause else [bytes([octet]) for octet in reply]:
                    client.sendall(piece)
                    time.sleep(self.pause)
            while not self.closes and (data := client.recv(65536)):
                self.heard += data

    def accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                client.settimeout(20)
                self.connections += 1
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()


@contextmanager
def lying(net: Network) -> Generator[LyingProxy]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = LyingProxy(listener.getsockname()[1])
        net.places.real.append(proxy.port)
        threading.Thread(target=proxy.accept, args=(listener,), daemon=True).start()
        yield proxy
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(net: Network) -> Generator[LyingProxy]:
    with lying(net) as proxy:
        yield proxy


Use = Callable[[str], None]


@pytest.fixture
def use(library_way: Way, proxy: LyingProxy) -> Use:
    """Make the proxy that of all requests, with or without a password."""

    def use(who: str) -> None:
        library_way.options |= {"proxy": f"socks5://{who}localhost:{proxy.port}", "retries": 1}

    return use


@pytest.mark.parametrize(
    "replies",
    [
        (b"HTTP/1.1 200 Connection established\r\n\r\n",),
        (b"\x04\x5a",),
        (WITH_PASSWORD,),
        (b"\x05\x01",),
        (b"\x05\xff",),
        (NO_PASSWORD, b"\x04\x00\x00\x01\x7f\x00\x00\x01\x00\x50"),
        (NO_PASSWORD, b"\x05\x00\x00\x09\x7f\x00\x00\x01\x00\x50" + b"x" * 300),
        (NO_PASSWORD, b"\x05\x00\x00\x03\xff" + b"\xff" * 257),
    ],
    ids=["HTTP", "SOCKS4", "a password", "GSSAPI", "no method", "another version", "no address", "no name"],
)
def test_a_socks_proxy_that_lies_is_refused_once(
    library_way: Way, net: Network, proxy: LyingProxy, use: Use, replies: tuple[bytes, ...]
) -> None:
    registry = registry_at(net)
    proxy.replies, proxy.closes = replies, True
    use("")

    refused(library_way.tags(), errors.ConnectError)
    assert (registry.connections, proxy.connections) == (0, 1)


def test_a_socks_proxy_that_wants_no_password_is_not_told_it(
    library_way: Way, net: Network, proxy: LyingProxy, use: Use
) -> None:
    proxy.replies = (NO_PASSWORD, CONNECTED)
    use(f"{USER}:{PASSWORD}@")

    refused(library_way.tags(), errors.ProxyRefusedError)
    assert proxy.heard == b"\x05\x01\x02"


def test_a_socks_proxy_that_rejects_the_password_is_asked_once(
    library_way: Way, net: Network, proxy: LyingProxy, use: Use
) -> None:
    proxy.replies = (WITH_PASSWORD, b"\x01\x01")
    use(f"{USER}:{PASSWORD}@")

    failed = refused(library_way.tags(), errors.ProxyRefusedError)
    assert PASSWORD not in failed.text
    assert proxy.connections == 1


def test_what_a_socks_proxy_sends_in_place_of_tls_is_no_response(
    library_way: Way, net: Network, proxy: LyingProxy, use: Use
) -> None:
    library_way.credentials = ("grace", "another-password")
    proxy.replies = (NO_PASSWORD, CONNECTED + FORGED)
    use("")

    refused(library_way.tags(), errors.TLSError)
    assert b"/v2/" not in proxy.heard


@pytest.mark.parametrize(
    "replies",
    [(), (NO_PASSWORD,), (NO_PASSWORD, CONNECTED[:5]), (NO_PASSWORD, CONNECTED)],
    ids=["at once", "after the method", "in its reply", "in TLS"],
)
def test_a_socks_proxy_that_stalls_has_the_timeout_for_connecting(
    library_way: Way, net: Network, proxy: LyingProxy, use: Use, replies: tuple[bytes, ...]
) -> None:
    proxy.replies = replies
    use("")
    library_way.options |= {"timeout": Timeouts(connect=0.5), "retries": 0}

    failed = refused(library_way.tags(), errors.ConnectError)
    assert "the connection attempt timed out" in failed.text


def test_a_socks_proxy_that_drips_has_the_timeout_for_connecting(
    library_way: Way, net: Network, proxy: LyingProxy, use: Use
) -> None:
    proxy.replies, proxy.pause = (NO_PASSWORD, b"\x05\x00\x00\x03\xff" + b"x" * 257), 0.1
    use("")
    library_way.options |= {"timeout": Timeouts(connect=1), "retries": 0}

    failed = refused(library_way.tags(), errors.ConnectError)
    assert "the connection attempt timed out" in failed.text


@pytest.mark.parametrize(
    ("code", "attempts"), [(1, 2), (2, 1), (3, 2), (4, 2), (5, 2), (6, 2), (7, 1), (8, 1), (99, 1)]
)
def test_a_socks_proxy_that_refuses_is_asked_again_only_if_that_may_pass(
    library_way: Way, net: Network, proxy: LyingProxy, use: Use, code: int, attempts: int
) -> None:
    registry = registry_at(net)
    proxy.replies = (NO_PASSWORD, bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0]))
    use("")

    library_way.tags()
    assert "rejected the connection" in str(library_way.failures[-1])
    assert (registry.connections, proxy.connections) == (0, attempts)


def test_behind_a_socks_proxy_a_host_is_judged_by_its_name(library_way: Way, net: Network) -> None:
    registry = registry_at(net).on(TAGS, redirect("https://169.254.169.254/latest/meta-data"))
    with socks_server() as proxy:
        proxy.routes["registry.test:443"] = registry.port
        net.places.real.append(proxy.port)
        library_way.options["proxy"] = f"socks5://localhost:{proxy.port}"

        refused(library_way.tags(), errors.BlockedAddressError)
    assert proxy.asked == ["registry.test:443"]
