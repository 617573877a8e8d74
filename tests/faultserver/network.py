"""The network of a test: hosts by name, one authority that signs for them, and who was dialled."""

import os
import select
import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import trustme

from tests.faultserver import loopback
from tests.faultserver.hosts import Heard, Host

CHILD = Path(__file__).parent / "child"
ROOT = Path(__file__).parents[2]


@cache
def authority() -> trustme.CA:
    """Who signs for the hosts of this process's tests."""
    return trustme.CA()


@cache
def _leaf(ca: trustme.CA, name: str, expired: bool) -> trustme.LeafCert:
    return ca.issue_cert(name, not_after=datetime.now(UTC) - timedelta(days=1) if expired else None)


@dataclass
class Network:
    """A network that is up.

    Attributes:
        folder: A folder of its own.
        hosts: The hosts by name.
    """

    folder: Path
    hosts: dict[str, Host] = field(default_factory=dict)
    places: loopback.Map = field(default_factory=loopback.Map)
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def ca_file(self) -> Path:
        """The certificate of the authority that signs for the hosts."""
        path = self.folder / "authority.pem"
        if not path.exists():
            authority().cert_pem.write_to_path(str(path))
        return path

    def host(
        self,
        name: str,
        *,
        scheme: str = "https",
        port: int | None = None,
        address: str = "",
        certificate: ssl.SSLContext | None = None,
    ) -> Host:
        """Start a host.

        Args:
            name: Its name.
            scheme: `http` without TLS.
            port: Its port; the scheme's unless told.
            address: Where its name leads; a public address of its own unless told.
            certificate: What it shows; one for its name, signed by the authority, unless told.
        """
        port = port or {"http": 80, "https": 443}[scheme]
        address = address or self.places.addresses.get(name) or f"45.0.0.{len(self.places.addresses) + 1}"
        listener = self.stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=256))
        real = int(listener.getsockname()[1])
        self.places.addresses[name] = address
        self.places.ports[f"{address}:{port}"] = real
        context = (certificate or _usual(name)) if scheme == "https" else None
        usual = port == {"http": 80, "https": 443}[scheme]
        host = Host(name, f"{scheme}://{name}" + ("" if usual else f":{port}"), real, context)
        self.hosts[host.authority] = host
        threading.Thread(target=host.accept, args=(listener,), daemon=True).start()
        self.stack.callback(listener.shutdown, socket.SHUT_RDWR)
        return host

    def proxy(self, name: str = "proxy.test", port: int = 3128) -> Host:
        """A proxy: it makes tunnels to the hosts, and passes plain requests on itself."""
        proxy = self.host(name, scheme="http", port=port)
        proxy.tunnel = self._tunnel
        return proxy

    def _tunnel(self, heard: Heard, client: socket.socket) -> bool:
        name, _, port = heard.target.rpartition(":")
        real = self.places.ports.get(f"{self.places.addresses.get(name)}:{port}")
        if real is None:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return False
        with socket.create_connection(("127.0.0.1", real)) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _relay(client, server)
        return False

    def black_hole(self, name: str, port: int = 443) -> None:
        """A host that never takes a connection: its queue is full."""
        listener = self.stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        real = int(listener.getsockname()[1])
        self.places.real.append(real)
        for _ in range(2):
            waiting = self.stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(("127.0.0.1", real))
        self.places.addresses[name] = f"45.0.0.{len(self.places.addresses) + 1}"
        self.places.ports[f"{self.places.addresses[name]}:{port}"] = real

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a child process that has this network, and nothing of this machine's user."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder),
            "PYTHONPATH": os.pathsep.join([str(CHILD), str(ROOT)]),
            "SSL_CERT_FILE": os.environ["SSL_CERT_FILE"],
            "TESTS_NETWORK": self.places.text(),
            **more,
        }


@cache
def _usual(name: str) -> ssl.SSLContext:
    """What most hosts show; OpenSSL takes milliseconds to load a key, and there are thousands of hosts."""
    return shown(name)


def shown(name: str, *, expired: bool = False, ca: Any = None, oldest: bool = False) -> ssl.SSLContext:
    """The certificate that a host shows: for another name, expired, or by another authority where told so."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if oldest:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    _leaf(ca or authority(), name, expired).configure_cert(context)
    return context


def asking(name: str) -> ssl.SSLContext:
    """The certificate of a host that wants to know who comes."""
    context = shown(name)
    authority().configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _relay(client: socket.socket, server: socket.socket) -> None:
    """Pass bytes on in both directions. By one thread: before Python 3.13, two must not use one SSLSocket at a time."""
    peers = {client: server, server: client}
    reading = [client, server]
    while reading:
        buffered = [source for source in reading if isinstance(source, ssl.SSLSocket) and source.pending()]
        for source in buffered or select.select(reading, [], [])[0]:
            octets = b""
            with suppress(OSError):
                octets = source.recv(65536)
                peers[source].sendall(octets)
            if not octets:
                reading.remove(source)
                with suppress(OSError):
                    peers[source].shutdown(socket.SHUT_WR)  # also where the source was reset


@contextmanager
def network(folder: Path) -> Generator[Network]:
    """A network that is there within the block; no other host can be reached meanwhile."""
    net = Network(folder)
    with net.stack:
        net.stack.callback(loopback.installed(net.places))
        yield net
