"""What TLS itself sends while a request is being sent is not a response: a body that was cut off would be lost."""

import ssl
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest
import trustme

from dreg_client._sync.network import TLSStream


class Inner:
    """The other end of a connection, without a network. What it sends arrives in pieces of some size.

    Attributes:
        arrived: The bytes that were sent, but not read.
        piece: How many of them arrive at a time.
    """

    peer = "192.0.2.1"

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.arrived, self.piece, self.has_ended = b"", 1 << 20, False

    def write(self, data: bytes, *_: object) -> None:
        self._incoming.write(data)
        with suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        self.arrived += self._outgoing.read()

    def says(self, data: bytes) -> None:
        self._tls.write(data)
        self.arrived += self._outgoing.read()

    def read(self, most: int, _: float) -> bytes:
        return self.read_now(most)

    def read_now(self, most: int) -> bytes:
        size = min(most, self.piece)
        data, self.arrived = self.arrived[:size], self.arrived[size:]
        return data

    def has_response(self) -> bool:
        return bool(self.arrived) or self.has_ended

    def is_silent(self) -> bool:
        return not self.has_response()

    def close(self) -> None:
        """There is nothing to close."""


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    ca, server = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("registry.test").configure_cert(server)
    client = ssl.create_default_context()
    ca.configure_trust(client)
    return client, server


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_tickets_are_not_a_response(contexts: tuple[ssl.SSLContext, ssl.SSLContext], piece: int) -> None:
    client, server = contexts
    inner = Inner(server)
    stream = TLSStream(inner, client, "registry.test")  # type: ignore[arg-type]
    stream.handshake(monotonic() + 10)
    assert inner.arrived, "this version of TLS sends tickets"

    inner.piece = piece
    rest, inner.arrived = inner.arrived, b""
    for start in range(0, len(rest), piece):  # they arrive while the request is being sent
        inner.arrived += rest[start : start + piece]
        assert not stream.has_response()

    inner.says(b"HTTP/1.1 413 Content Too Large\r\n")
    assert stream.has_response()
    assert stream.read(100, monotonic() + 10).startswith(b"HTTP/1.1 413")


def test_the_end_is_a_response(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    client, server = contexts
    inner = Inner(server)
    stream = TLSStream(inner, client, "registry.test")  # type: ignore[arg-type]
    stream.handshake(monotonic() + 10)
    assert not stream.has_response()

    inner.has_ended = True
    assert stream.has_response()
