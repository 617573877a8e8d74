"""A server of one large blob that gives pieces of it, and what goes wrong with some of them."""

import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from dreg_client import Digest
from dreg_client.protocol.blob_reader import RANGE_SIZE as PIECE
from tests.raw_server import RawServer, answer

BLOB = Random(6).randbytes(4 * PIECE + 123_457)  # noqa: S311 (any bytes will do)
DIGEST = Digest.of(BLOB)
SIZE = len(BLOB)
PIECES = [f"{start}-{min(start + PIECE, SIZE) - 1}" for start in range(0, SIZE, PIECE)]
Say = Callable[[socket.socket, int, int], bool | None]
"""Answers on a connection what is asked for from a place to behind another one; True keeps the connection."""


def part(start: int, end: int, *, shown: str = "", length: int | None = None, blob: bytes = BLOB) -> bytes:
    """A part of a blob, with what it says of itself."""
    shown = shown or f"{start}-{end - 1}/{len(blob)}"
    return answer(blob[start:end], "206 Partial Content", f"Content-Range: bytes {shown}", length=length)


def exactly(connection: socket.socket, start: int, end: int) -> bool:
    connection.sendall(part(start, end))
    return True


def saying(octets: bytes) -> Say:
    """The same, whatever is asked for."""
    return lambda connection, start, end: connection.sendall(octets)


def breaking_off(after: int) -> Say:
    """So many bytes, then the end."""

    def say(connection: socket.socket, start: int, end: int) -> None:
        connection.sendall(part(start, start + after, shown=f"{start}-{end - 1}/{SIZE}", length=end - start))

    return say


class HeldBack:
    """A connection on which the end of a partial response is sent once something has happened."""

    def __init__(self, connection: socket.socket, happened: threading.Event) -> None:
        self._connection, self._happened = connection, happened

    def sendall(self, octets: bytes) -> None:
        if octets.startswith(b"HTTP/1.1 206"):
            self._connection.sendall(octets[:-50])
            self._happened.wait(60)
            octets = octets[-50:]
        self._connection.sendall(octets)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@dataclass
class Server:
    """Gives what is asked for, but where something else is due: once each, at the place where a piece begins.

    The first piece is slow: its end comes once another piece was asked for, unless the server `is_fast`.

    Attributes:
        once: What is said there the first time.
        whole: What is said where no range is asked for.
        always: What is said to all ranges.
    """

    once: dict[int, Say] = field(default_factory=dict)
    whole: Say = field(default=saying(answer(BLOB)))
    always: Say = exactly
    is_fast: bool = False
    _starts: set[int] = field(default_factory=set)
    _several: threading.Event = field(default_factory=threading.Event)

    def __call__(self, head: bytes, connection: socket.socket) -> bool | None:
        asked = re.search(rb"(?i)\r\nrange: bytes=(\d+)-(\d*)\r\n", head)
        if asked is None:
            return self.whole(connection, 0, SIZE)
        start = int(asked[1])
        end = min(int(asked[2]) + 1, SIZE) if asked[2] else SIZE
        self._starts.add(start)
        if len(self._starts) > 1:
            self._several.set()
        is_first = start < PIECE and bool(asked[2])
        given: Any = HeldBack(connection, self._several) if is_first and not self.is_fast else connection
        return self.once.pop(start, self.always)(given, start, end)


def ranges(server: RawServer) -> list[str]:
    """What was asked for, in order; empty where all was."""
    found = [re.search(rb"(?i)\r\nrange: bytes=(\S+)", head) for head in server.heads]
    return [match[1].decode() if match else "" for match in found]


def threads() -> list[str]:
    """The threads of downloads that do not end; one whose start was interrupted ends soon, or never began."""
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("dreg-") and thread.ident is not None]
    for thread in ours:
        thread.join(60)
    return [thread.name for thread in ours if thread.is_alive()]


class Stall:
    """The head and some bytes of a piece, and then nothing, until the client leaves.

    Attributes:
        begun: A place for each piece that has come so far.
        left: A place for each that the client left then.
    """

    def __init__(self) -> None:
        self.begun, self.left = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, connection: socket.socket, start: int, end: int) -> None:
        connection.sendall(part(start, start + 100, shown=f"{start}-{end - 1}/{SIZE}", length=end - start))
        self.begun.release()
        connection.settimeout(60)
        try:
            gone = connection.recv(1) == b""
        except ConnectionError:  # it left before it had read what came
            gone = True
        if gone:
            self.left.release()
