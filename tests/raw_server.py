"""A server that says exactly what a test wants said, byte for byte, and keeps what it was told."""

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[[bytes, socket.socket], bool | None]
"""Gets the head of a request, and answers on the socket; True keeps the connection."""
LONGEST_HEAD = 1 << 18
_COUNTING = threading.Lock()


@dataclass
class RawServer:
    """A server that is running.

    Attributes:
        port: Where.
        heads: The head of each request, in order.
        connections: How many connections were made.
        most: How many were open at a time, at most.
    """

    port: int
    heads: list[bytes] = field(default_factory=list)
    connections: int = 0
    opened: int = 0
    most: int = 0

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@contextmanager
def speaking(script: Script) -> Generator[RawServer]:
    """A server on a free port, a thread a connection; ended with the block."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        server = RawServer(listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, server, script), daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, server: RawServer, script: Script) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            server.connections += 1
            threading.Thread(target=_serve, args=(connection, server, script), daemon=True).start()


def _serve(connection: socket.socket, server: RawServer, script: Script) -> None:
    with _COUNTING:
        server.opened += 1
        server.most = max(server.most, server.opened)
    try:
        with connection, suppress(OSError):
            while head := _head(connection):
                server.heads.append(head)
                if not script(head, connection):
                    return
    finally:
        with _COUNTING:
            server.opened -= 1


def _head(connection: socket.socket) -> bytes:
    """Read the next head; nothing where none comes. A body that no script has read is not one, however long it is."""
    held = bytearray()
    while not held.endswith(b"\r\n\r\n"):
        octet = connection.recv(1)
        if not octet or len(held) > LONGEST_HEAD:
            return b""
        held += octet
    return bytes(held)


def answer(body: bytes = b"", status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """An answer with a length, that of the body unless told."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def saying(*answers: bytes, keeps: bool = True) -> Script:
    """A server that gives one answer after another, the last one for ever."""
    left = list(answers)

    def script(head: bytes, connection: socket.socket) -> bool:
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])
        return keeps

    return script


def closing_at_the_second_request(said: bytes) -> Script:
    """A server that closes a connection at its second request, without a word."""
    seen: set[int] = set()

    def script(head: bytes, connection: socket.socket) -> bool:
        if connection.fileno() in seen:
            seen.discard(connection.fileno())
            return False
        seen.add(connection.fileno())
        connection.sendall(said)
        return True

    return script
