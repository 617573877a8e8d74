"""A host: it listens, keeps every byte that it is told, and answers by what a test says."""

import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.faultserver.answers import END, RESET, STALL, Drip, Piece, Trickle

PATIENCE = 60.0
"""Seconds after which a host gives up on a client that neither asks nor leaves; no test waits for it."""


@dataclass(frozen=True)
class Heard:
    """One request.

    Attributes:
        method: Its method.
        target: What was asked for, as it was written.
        headers: Names in lower case, with their values, in order.
        body: What came behind the head.
        raw: All of its bytes.
        connection: The number of the connection that it came by, from 1.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    raw: bytes
    connection: int

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for known, value in self.headers if known == name.lower()), None)

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


Said = Callable[[Heard], Piece | Iterable[Piece]]
Route = tuple[str, str | None, list[Said]]


@dataclass
class Host:
    """A host that is running.

    Attributes:
        name: Its name.
        url: Its URL.
        port: The port of this machine that it listens on.
        requests: What it was asked, in order.
        octets: All bytes that came, decrypted.
        connections: How many connections were made.
        opened: How many are open now.
        failed: How many handshakes failed.
        introduced: How many connections came with a certificate of the client's own.
        to_tls: What a host without TLS says to who begins with it; nothing unless told.
    """

    name: str
    url: str
    port: int
    context: ssl.SSLContext | None = None
    requests: list[Heard] = field(default_factory=list)
    octets: bytearray = field(default_factory=bytearray)
    connections: int = 0
    opened: int = 0
    failed: int = 0
    introduced: int = 0
    to_tls: bytes = b""
    routes: list[Route] = field(default_factory=list)
    tunnel: Callable[[Heard, socket.socket], bool] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    left: threading.Condition = field(default_factory=threading.Condition)

    @property
    def authority(self) -> str:
        """Its name, with its port where that is not the scheme's own."""
        return self.url.partition("://")[2]

    @property
    def asked(self) -> list[str]:
        """Method and target of each request."""
        return [str(heard) for heard in self.requests]

    def on(self, path: str, *answers: Piece | tuple[Piece, ...] | Said, method: str | None = None) -> "Host":
        """Say what answers a path: one answer after another, the last one again and again; a tuple is one answer.

        A path that ends with `*` stands for all that begin so. What was said later counts before what was said earlier.
        """
        said = [answered if callable(answered) else _always(answered) for answered in answers]
        self.routes.insert(0, (path, method, said))
        return self

    @property
    def secrets(self) -> list[str]:
        """The headers by which it was shown who we are."""
        names = {"authorization", "cookie", "proxy-authorization", "x-registry-auth"}
        return [value for heard in self.requests for name, value in heard.headers if name in names]

    def wait_until_idle(self) -> None:
        """Wait until nobody is connected, for as long as a client may need to leave."""
        with self.left:
            assert self.left.wait_for(lambda: self.opened == 0, timeout=30), f"{self.opened} connections are open"

    # --- serving

    def accept(self, listener: socket.socket) -> None:
        """Take connections until the listener ends."""
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with self.lock:
                    self.connections += 1
                    number = self.connections
                threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, plain: socket.socket, number: int) -> None:
        with self.left:
            self.opened += 1
        plain.settimeout(PATIENCE)
        try:
            connection = self.context.wrap_socket(plain, server_side=True) if self.context else plain
        except (OSError, ssl.SSLError):
            self.failed += 1
            plain.close()
        else:
            if isinstance(connection, ssl.SSLSocket) and connection.getpeercert(binary_form=True):
                self.introduced += 1
            with suppress(OSError, ValueError), connection:
                while self._answer(connection, number):
                    pass
            plain.close()
        finally:
            with self.left:
                self.opened -= 1
                self.left.notify_all()

    def _answer(self, connection: socket.socket, number: int) -> bool:
        heard = self._hear(connection, number)
        if heard is None:
            return False
        with self.lock:
            self.requests.append(heard)
            said = self._said(heard)
        if heard.method == "CONNECT" and self.tunnel is not None and said is None:
            return self.tunnel(heard, connection)
        spoken = said(heard) if said else b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        pieces = (spoken,) if isinstance(spoken, Piece) else spoken
        return all(_speak(connection, piece, heard) for piece in pieces)

    def _hear(self, connection: socket.socket, number: int) -> Heard | None:
        raw = bytearray()
        while b"\r\n\r\n" not in raw:
            octets = connection.recv(65536)
            self.octets += octets
            raw += octets
            if not octets:
                return None
            if self.to_tls and raw.startswith(b"\x16\x03"):
                connection.sendall(self.to_tls)
                return None
        top, _, rest = bytes(raw).partition(b"\r\n\r\n")
        lines = top.decode("latin-1").split("\r\n")
        headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:]))
        length = int(dict(headers).get("content-length", "0"))
        body = bytearray(rest)
        while len(body) < length:
            octets = connection.recv(65536)
            self.octets += octets
            if not octets:
                return None
            body += octets
        method, target, _ = lines[0].split(" ")
        return Heard(method, target, headers, bytes(body), top + b"\r\n\r\n" + body, number)

    def _said(self, heard: Heard) -> Said | None:
        for path, method, answers in self.routes:
            fits = heard.path.startswith(path[:-1]) if path.endswith("*") else heard.path == path
            if fits and method in {None, heard.method}:
                return answers.pop(0) if len(answers) > 1 else answers[0]
        return None


def _always(answered: Piece | tuple[Piece, ...]) -> Said:
    return lambda _: answered


def _speak(connection: socket.socket, piece: Piece, heard: Heard) -> bool:
    """Write a piece; False where nothing may follow."""
    match piece:
        case bytes():
            connection.sendall(_bare(piece) if heard.method == "HEAD" else piece)
        case Drip(octets, times):
            said = 0
            while times is None or said < times:
                connection.sendall(octets)
                said += 1
        case Trickle(octets, pause):
            return _trickle(connection, octets, pause)
        case _ if piece is RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        case _ if piece is STALL:
            return _stall(connection)
        case _ if piece is END:
            return False
    return True


def _trickle(connection: socket.socket, octets: bytes, pause: float) -> bool:
    connection.sendall(octets)
    while not select.select([connection], [], [], pause)[0]:
        connection.sendall(octets)
    return False


def _stall(connection: socket.socket) -> bool:
    while connection.recv(65536):
        pass
    return False


def _bare(piece: bytes) -> bytes:
    """Answers to HEAD have no body."""
    top, end, _ = piece.partition(b"\r\n\r\n")
    return top + end if end and piece.startswith(b"HTTP/") else b""
