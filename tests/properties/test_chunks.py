"""However a blob's body comes, cut into whatever pieces and broken off wherever, the file is the blob."""

import asyncio
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreg_client import AsyncRegistry, Digest, Registry
from tests.raw_server import speaking

BLOB = bytes(range(251)) * 12
DIGEST = Digest.of(BLOB)


@dataclass
class Manner:
    """How a server gives the blob.

    Attributes:
        piece: How many bytes it writes at a time.
        cuts: After how many bytes it breaks off, the first time, the second time.
        heeds: Whether it heeds ranges.
        chunked: Whether it frames pieces (RFC 9112 7.1) instead of giving a length.
    """

    piece: int
    cuts: list[int] = field(default_factory=list)
    heeds: bool = True
    chunked: bool = False

    def answer(self, head: bytes, connection: socket.socket) -> bool:
        wanted = re.search(rb"(?i)\r\nrange: bytes=(\d+)-", head)
        start = int(wanted[1]) if wanted and self.heeds else 0
        body = BLOB[start:]
        cut = min(self.cuts.pop(0) if self.cuts else len(body), len(body))
        connection.sendall(self._head(start, len(body)))
        for place in range(0, cut, self.piece):
            connection.sendall(self._framed(body[place : min(place + self.piece, cut)]))
        if self.chunked and cut == len(body):
            connection.sendall(b"0\r\n\r\n")
        return cut == len(body)

    def _head(self, start: int, length: int) -> bytes:
        status = (
            f"206 Partial Content\r\nContent-Range: bytes {start}-{len(BLOB) - 1}/{len(BLOB)}" if start else "200 OK"
        )
        framing = "Transfer-Encoding: chunked" if self.chunked else f"Content-Length: {length}"
        return f"HTTP/1.1 {status}\r\n{framing}\r\n\r\n".encode()

    def _framed(self, piece: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece


@dataclass
class Server:
    """A server whose manner may change."""

    manner: Manner = field(default_factory=lambda: Manner(len(BLOB)))
    url: str = ""

    def answer(self, head: bytes, connection: socket.socket) -> bool:
        return self.manner.answer(head, connection)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    with speaking(server.answer) as running:
        server.url = running.url
        yield server


MANNERS = st.builds(
    Manner,
    st.integers(40, len(BLOB)),
    st.lists(st.integers(0, len(BLOB)), max_size=5),
    st.booleans(),
    st.booleans(),
)


@pytest.mark.parametrize("is_async", [False, True])
@settings(max_examples=30)
@given(manner=MANNERS, resume=st.booleans())
def test_dld_01_any_pieces_and_any_breaks_give_the_same_file(
    server: Server, is_async: bool, manner: Manner, resume: bool
) -> None:
    server.manner = replace(manner, cuts=list(manner.cuts))
    with TemporaryDirectory() as folder:
        target = Path(folder) / "blob"
        fetch = fetch_by_task if is_async else fetch_by_thread
        read, landed = fetch(server.url, target, resume=resume)

        assert target.read_bytes() == read == BLOB
        assert (landed.digest, landed.size) == (DIGEST, len(BLOB))
        assert [path.name for path in Path(folder).iterdir()] == ["blob"]


def fetch_by_thread(url: str, target: Path, *, resume: bool) -> tuple[bytes, Any]:
    with Registry(url) as registry:
        repository = registry.repository("a/b")
        landed = repository.download_blob(DIGEST, target, resume=resume, durability="fast")
        return repository.get_blob(DIGEST), landed


def fetch_by_task(url: str, target: Path, *, resume: bool) -> tuple[bytes, Any]:
    async def fetch() -> tuple[bytes, Any]:
        async with AsyncRegistry(url) as registry:
            repository = registry.repository("a/b")
            landed = await repository.download_blob(DIGEST, target, resume=resume, durability="fast")
            return await repository.get_blob(DIGEST), landed

    return asyncio.run(fetch())
