"""The network of tests is one: names lead to hosts, faults happen as they are said, and nothing else is reached."""

import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.commands import run_limited
from tests.faultserver import END, RESET, STALL, Drip, Network, answer, network
from tests.faultserver.network import shown


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    with network(tmp_path) as up:
        yield up


def asked(net: Network, name: str, port: int, path: str = "/x") -> bytes:
    """What a host says until it ends."""
    with socket.create_connection((name, port), timeout=20) as plain:
        context = ssl.create_default_context(cafile=str(net.ca_file))
        connection = context.wrap_socket(plain, server_hostname=name) if port == 443 else plain
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        connection.settimeout(20)
        said = b""
        while octets := connection.recv(65536):
            said += octets
        if connection is not plain:
            connection.close()
        return said


@pytest.mark.parametrize(("scheme", "port"), [("https", 443), ("http", 80), ("http", 8080)])
def test_a_name_leads_to_its_host_and_every_byte_is_kept(net: Network, scheme: str, port: int) -> None:
    host = net.host("a.test", scheme=scheme, port=port).on("/x", (answer(b"hello"), END))

    assert asked(net, "a.test", port).endswith(b"hello")
    assert host.asked == ["GET /x"]
    assert bytes(host.octets) == host.requests[0].raw


def test_a_host_has_a_public_address(net: Network) -> None:
    net.host("a.test", scheme="http")
    with socket.create_connection(("a.test", 80)) as connection:
        assert connection.getpeername() == ("45.0.0.1", 80)


def test_what_no_test_names_is_not_reached(net: Network) -> None:
    with pytest.raises(socket.gaierror):
        socket.create_connection(("pypi.org", 443))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("8.8.8.8", 53))


def test_faults_happen_as_they_are_said(net: Network) -> None:
    net.host("a.test", scheme="http").on("/reset", (b"HTTP/1.1 200 OK\r\n", RESET)).on("/drip", (Drip(b"ab", 3), END))

    assert asked(net, "a.test", 80, "/drip") == b"ababab"
    with pytest.raises(ConnectionResetError):
        asked(net, "a.test", 80, "/reset")


def test_a_host_that_stalls_lets_go_when_its_client_leaves(net: Network) -> None:
    host = net.host("a.test", scheme="http").on("/x", (b"HTTP/1.1 200 OK\r\n", STALL))
    with socket.create_connection(("a.test", 80), timeout=20) as connection:
        connection.sendall(b"GET /x HTTP/1.1\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 200 OK\r\n"
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(100)
    host.wait_until_idle()
    assert host.opened == 0


def test_a_host_that_never_takes_a_connection(net: Network) -> None:
    net.black_hole("hole.test")
    with pytest.raises(TimeoutError):
        socket.create_connection(("hole.test", 443), timeout=0.3)


@pytest.mark.parametrize(
    "certificate",
    [shown("a.test", expired=True), shown("b.test"), shown("a.test", ca=trustme.CA())],
    ids=["expired", "of another", "by another"],
)
def test_a_certificate_may_be_wrong(net: Network, certificate: ssl.SSLContext) -> None:
    host = net.host("a.test", certificate=certificate)
    with pytest.raises(ssl.SSLCertVerificationError):
        asked(net, "a.test", 443)
    assert not host.requests


def test_a_proxy_makes_tunnels(net: Network) -> None:
    host = net.host("a.test").on("/x", (answer(b"hello"), END))
    proxy = net.proxy()
    with socket.create_connection(("proxy.test", 3128), timeout=20) as plain:
        plain.sendall(b"CONNECT a.test:443 HTTP/1.1\r\n\r\n")
        assert plain.recv(1000).startswith(b"HTTP/1.1 200")
        with ssl.create_default_context(cafile=str(net.ca_file)).wrap_socket(plain, server_hostname="a.test") as inner:
            inner.sendall(b"GET /x HTTP/1.1\r\n\r\n")
            assert inner.recv(1000).startswith(b"HTTP/1.1 200")
    assert proxy.asked == ["CONNECT a.test:443"]
    assert host.asked == ["GET /x"]


def test_a_child_process_has_the_same_network(net: Network) -> None:
    net.host("a.test", scheme="http").on("/x", answer(b"hello"))
    code = "import urllib.request as u; print(u.urlopen('http://a.test/x').read().decode())"
    done = run_limited([sys.executable, "-c", code], env=net.environment(), capture_output=True, text=True, check=False)
    assert done.stdout == "hello\n", done.stderr
