"""A SOCKS5 proxy (RFC 1928, RFC 1929) that leads to ports of this machine, by name."""

import socket
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

SUCCEEDED, NOT_ALLOWED, UNREACHABLE, REFUSED = 0, 2, 4, 5
PATIENCE = 20.0


@dataclass
class SocksServer:
    """A proxy that is running.

    Attributes:
        port: Where.
        routes: The port of this machine behind each `HOST:PORT`.
        password: The user and password that it asks for, as it hears them; empty for none.
        code: What it says to a request.
        asked: What it was asked for, in order.
        heard: The passwords that it heard.
        reply: What it says at once, instead of all that.
    """

    port: int
    routes: dict[str, int] = field(default_factory=dict)
    password: bytes = b""
    code: int = SUCCEEDED
    asked: list[str] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    reply: bytes = b""

    def serve(self, client: socket.socket) -> None:
        client.settimeout(PATIENCE)
        with client, suppress(OSError, IndexError, struct.error):
            if self.reply:
                client.recv(1024)
                client.sendall(self.reply)
                return
            methods = exactly(client, exactly(client, 2)[1])
            method = 2 if self.password else 0
            client.sendall(bytes([5, method if method in methods else 255]))
            if method not in methods or (method and not self.accepts(client)):
                return
            place = self.place(client)
            self.asked.append(place)
            code = self.code or (SUCCEEDED if place in self.routes else UNREACHABLE)
            client.sendall(bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0]))
            if code == SUCCEEDED:
                self.tunnel(client, self.routes[place])

    def accepts(self, client: socket.socket) -> bool:
        user = exactly(client, exactly(client, 2)[1])
        password = exactly(client, exactly(client, 1)[0])
        self.heard.append(user + b":" + password)
        client.sendall(bytes([1, int(self.heard[-1] != self.password)]))
        return self.heard[-1] == self.password

    def place(self, client: socket.socket) -> str:
        kind = exactly(client, 4)[3]
        if kind == 3:
            host = exactly(client, exactly(client, 1)[0]).decode()
        else:
            host = socket.inet_ntop(
                socket.AF_INET if kind == 1 else socket.AF_INET6, exactly(client, {1: 4, 4: 16}[kind])
            )
        return f"{host}:{struct.unpack('>H', exactly(client, 2))[0]}"

    def tunnel(self, client: socket.socket, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=pump, args=(server, client), daemon=True)
            back.start()
            pump(client, server)
            back.join()


def exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = client.recv(size - len(data))
        if not piece:
            raise OSError("it left")
        data += piece
    return data


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def socks_server(**routes: int) -> Generator[SocksServer]:
    """A proxy on a free port; ended with the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = SocksServer(listener.getsockname()[1], dict(routes))
        threading.Thread(target=accept, args=(listener, server), daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)


def accept(listener: socket.socket, server: SocksServer) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=server.serve, args=(client,), daemon=True).start()
