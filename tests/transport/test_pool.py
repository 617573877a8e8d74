"""Connections of the pool: used again where that is right, closed where it is not; by threads, asyncio and trio."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from dreg_client import errors
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.network_errors import resolver_failure
from dreg_client.protocol.options import Timeouts
from dreg_client.protocol.retry import may_help
from tests.raw_server import Script, answer, closing_at_the_second_request, saying, speaking
from tests.transport.pools import AnyPool

BODY = b'{"schemaVersion": 2}'
SMALL = answer(BODY)
OTHER = answer(b'{"schemaVersion": 2, "evil": 1}')
LARGE = bytes(range(256)) * 16_384
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%b\r\n0\r\n\r\n" % (len(LARGE), LARGE)
NewPool = Callable[..., AnyPool]


def test_one_connection_serves_one_request_after_another(pool: AnyPool) -> None:
    """Each in an event loop of its own: kept connections belong to none."""
    with speaking(saying(SMALL)) as server:
        assert [pool.run_get(server.url).body for _ in range(5)] == [BODY] * 5
        assert server.connections == 1


def test_responses_without_a_body_keep_the_connection(pool: AnyPool) -> None:
    without = answer(b"", "200 OK", length=5_000_000)
    not_modified, no_content = b"HTTP/1.1 304 Not Modified\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"
    with speaking(saying(without, not_modified, no_content, answer(b"no", "404 Not Found"), SMALL)) as server:
        assert pool.run_get(server.url, "HEAD").body == b""  # however long it is said to be
        assert [pool.run_get(server.url).status for _ in range(4)] == [304, 204, 404, 200]
        assert server.connections == 1


def test_a_response_without_a_body_that_is_closed_unread_keeps_the_connection(pool: AnyPool) -> None:
    async def close_unread(pool: AnyPool) -> None:
        response = await pool.send(Hop("HEAD", server.url))
        await response.aclose()
        await response.aclose()

    with speaking(saying(answer(b"", length=10))) as server:
        pool.run(close_unread)
        pool.run(close_unread)
        assert server.connections == 1


@pytest.mark.parametrize("said", [answer(LARGE), CHUNKED, answer(LARGE, "206 Partial Content")])
def test_large_bodies_come_whole_and_keep_the_connection(pool: AnyPool, said: bytes) -> None:
    with speaking(saying(said)) as server:
        assert [pool.run_get(server.url).body == LARGE for _ in range(3)] == [True] * 3
        assert server.connections == 1


@pytest.mark.parametrize("body", [LARGE, LARGE[:500_000]])
def test_a_body_that_was_not_read_to_its_end_closes_the_connection(pool: AnyPool, body: bytes) -> None:
    async def read_one_chunk(pool: AnyPool) -> None:
        response = await pool.send(Hop("GET", server.url))
        assert await response.__anext__()
        await response.aclose()
        with pytest.raises(errors.ClosedError):  # never taken for the end
            await response.__anext__()

    with speaking(saying(answer(body), SMALL)) as server:
        pool.run(read_one_chunk)
        assert pool.run_get(server.url).body == BODY
        assert server.connections == 2


@pytest.mark.parametrize(
    "said",
    [
        answer(BODY, "200 OK", "Connection: close"),
        SMALL.replace(b"HTTP/1.1", b"HTTP/1.0"),
        answer(LARGE, "200 OK", "Connection: close"),
        answer(LARGE).replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
    ids=["close", "HTTP/1.0", "close after much", "HTTP/1.0 with much"],
)
def test_a_server_that_says_that_a_connection_is_not_kept_is_heeded(pool: AnyPool, said: bytes) -> None:
    with speaking(saying(said)) as server:
        assert pool.run_get(server.url).body == pool.run_get(server.url).body
        assert server.connections == 2


def test_a_body_that_only_the_end_of_the_connection_ends(pool: AnyPool) -> None:
    with speaking(saying(b"HTTP/1.0 200 OK\r\n\r\n" + LARGE, keeps=False)) as server:
        assert pool.run_get(server.url).body == LARGE


def test_an_unused_connection_is_kept_for_30_seconds(pool: AnyPool, monkeypatch: pytest.MonkeyPatch) -> None:
    with speaking(saying(SMALL)) as server:
        pool.run_get(server.url)
        module = f"dreg_client.{pool.package}.connection.monotonic"
        monkeypatch.setattr(module, lambda: time.monotonic() + 29)
        pool.run_get(server.url)
        assert server.connections == 1
        monkeypatch.setattr(module, lambda: time.monotonic() + 60)
        pool.run_get(server.url)
        assert server.connections == 2


# --- connections that turn out to be closed


def test_a_connection_that_was_closed_meanwhile_is_replaced(pool: AnyPool) -> None:
    with speaking(saying(SMALL, keeps=False)) as server:
        assert [pool.run_get(server.url).body for _ in range(3)] == [BODY] * 3
        assert server.connections == 3


def test_a_request_without_effects_is_sent_once_more_on_a_new_connection(pool: AnyPool) -> None:
    with speaking(closing_at_the_second_request(SMALL)) as server:
        assert [pool.run_get(server.url).body for _ in range(3)] == [BODY] * 3
        assert server.connections == 3


@pytest.mark.parametrize("method", ["DELETE", "PUT", "POST", "PATCH"])
def test_what_changes_something_is_not_sent_twice(pool: AnyPool, method: str) -> None:
    with speaking(closing_at_the_second_request(SMALL)) as server:
        pool.run_get(server.url)
        with pytest.raises(errors.TransportError, match="before a response"):
            pool.run_get(server.url, method)
        assert [head.split()[0].decode() for head in server.heads] == ["GET", method]


def test_a_new_connection_that_is_closed_without_a_response_is_an_error(pool: AnyPool) -> None:
    with speaking(saying(b"", keeps=False)) as server:
        with pytest.raises(errors.TransportError, match="before a response") as raised:
            pool.run_get(server.url)
        assert raised.value.retryable
        assert server.connections == 1


@pytest.mark.parametrize("said", [answer(BODY, length=100), answer(LARGE, length=len(LARGE) + 1), CHUNKED[:-5]])
def test_a_body_that_breaks_off_is_an_error_and_not_an_end(pool: AnyPool, said: bytes) -> None:
    with speaking(saying(said, keeps=False)) as server:
        with pytest.raises(errors.TransportError, match="before the response was complete") as raised:
            pool.run_get(server.url)
        assert raised.value.retryable


def test_a_name_that_cannot_be_looked_up_is_one_error_of_ours() -> None:
    assert isinstance(resolver_failure(UnicodeError()).error("http://x"), errors.UnknownHostError)


NO_URLS = ["", "registry.test/x", "ftp://registry.test/", "http://u:p@registry.test/", f"http://{'a' * 64}.test"]


@pytest.mark.parametrize("url", NO_URLS)
def test_what_is_not_a_url_is_one_error_of_ours(pool: AnyPool, url: str) -> None:
    with pytest.raises(errors.UnsafeURLError):
        pool.run_get(url)


@pytest.mark.parametrize("headers", [(("A", "b\r\nX: y"),), (("A b", "c"),), (("A", "\u0160"),)])
def test_headers_that_would_be_others_are_not_sent(pool: AnyPool, headers: tuple[tuple[str, str], ...]) -> None:
    with speaking(saying(SMALL)) as server:
        with pytest.raises(errors.UnsafeURLError):
            pool.run_get(server.url, headers=headers)
        assert server.heads == []


def test_octets_of_a_header_are_sent_as_they_are(pool: AnyPool) -> None:
    with speaking(saying(SMALL)) as server:
        pool.run_get(server.url, headers=(("X-A", "é".encode().decode("latin-1")),))
        assert "X-A: é\r\n".encode() in server.heads[0]


def test_what_cannot_be_sent_is_named_and_its_value_is_not(pool: AnyPool) -> None:
    with speaking(saying(SMALL)) as server:
        with pytest.raises(errors.UnsafeURLError, match=r"the header 'X-A' cannot be sent$"):
            pool.run_get(server.url, headers=(("Accept", "x"), ("X-A", "a\nb")))
        with pytest.raises(errors.UnsafeURLError, match=r"the method 'G T' cannot be sent$"):
            pool.run_get(server.url, "G T")


# --- what HTTP does not allow


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\n0123456789",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2000000, 2000001\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000,
        b"not HTTP at all\r\n\r\n",
    ],
    ids=["two lengths", "two in one", "a length and chunks", "no chunk", "interim for ever", "long head", "no HTTP"],
)
def test_what_http_does_not_allow_is_an_error(pool: AnyPool, said: bytes) -> None:
    with speaking(saying(said)) as server:
        with pytest.raises(errors.ProtocolError) as raised:
            pool.run_get(server.url)
        assert not raised.value.retryable
        assert server.connections == 1
        assert pool.idle == 0


def test_trn_30_interim_responses_share_the_timeout_of_the_head(pool: AnyPool) -> None:
    def script(_: bytes, connection: socket.socket) -> None:
        for _ in range(4):
            connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")
            time.sleep(0.3)
        connection.sendall(SMALL)

    with speaking(script) as server:
        assert pool.run_get(server.url, waits=10).body == BODY
        with pytest.raises(errors.TransferTimeoutError):
            pool.run_get(server.url, waits=0.6)


def test_interim_responses_are_skipped(pool: AnyPool) -> None:
    with speaking(saying(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 20 + SMALL)) as server:
        assert pool.run_get(server.url).body == BODY


def test_a_server_that_needs_tls_is_recognised(pool: AnyPool) -> None:
    said = b"\x15\x03\x01\x00\x02\x02\x46"
    with speaking(saying(said, keeps=False)) as server, pytest.raises(errors.OnlyTLSError):
        pool.run_get(server.url)


# --- deadlines


def dripping(piece: bytes) -> Script:
    """A server that sends a byte of it every tenth of a second."""

    def script(head: bytes, connection: socket.socket) -> bool:
        for octet in piece:
            connection.sendall(bytes([octet]))
            time.sleep(0.1)
        return False

    return script


@pytest.mark.parametrize("said", [SMALL, b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10], ids=["head", "interim"])
def test_a_head_has_one_deadline(new_pool: NewPool, said: bytes) -> None:
    pool = new_pool(timeout=Timeouts(read=0.5))
    began = time.monotonic()
    with speaking(dripping(said)) as server, pytest.raises(errors.TransferTimeoutError) as raised:
        pool.run_get(server.url)
    assert 0.4 < time.monotonic() - began < 5
    assert raised.value.retryable


def test_a_chunk_has_one_deadline(new_pool: NewPool) -> None:
    pool = new_pool(timeout=Timeouts(read=0.5))
    began = time.monotonic()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def script(_: bytes, connection: socket.socket) -> bool:
        connection.sendall(head)
        return bool(dripping(b"5;extension=" + b"x" * 100)(b"", connection))

    with speaking(script) as server, pytest.raises(errors.TransferTimeoutError):
        pool.run_get(server.url)
    assert time.monotonic() - began < 5


def test_a_hop_may_have_a_wait_of_its_own(pool: AnyPool) -> None:
    with speaking(lambda *_: time.sleep(1)) as server, pytest.raises(errors.TransferTimeoutError):
        pool.run_get(server.url, waits=0.1)


def test_a_request_that_nobody_reads_times_out(new_pool: NewPool) -> None:
    pool = new_pool(timeout=Timeouts(write=0.3, read=20))
    done = threading.Event()
    with speaking(lambda *_: not done.wait(20)) as server:  # what is sent is not read afterwards either
        with pytest.raises(errors.TransferTimeoutError):
            pool.run_get(server.url, "PUT", body=b"x" * 30_000_000)
        done.set()


def test_a_server_may_respond_before_it_has_read_the_request(pool: AnyPool) -> None:
    with speaking(saying(answer(b"no", "413 Content Too Large", "Connection: close"), keeps=False)) as server:
        with suppress(errors.TransportError):  # the system may drop the response with the connection
            assert pool.run_get(server.url, "PUT", body=b"x" * 30_000_000).status == 413
        assert pool.idle == 0


def test_connections_that_are_all_in_use_are_waited_for_once(new_pool: NewPool) -> None:
    async def hold_all(pool: AnyPool) -> None:
        response = await pool.send(Hop("GET", server.url))
        with pytest.raises(errors.NoPlaceError, match="all 1 connections are in use") as raised:
            await pool.send(Hop("GET", server.url))
        assert not may_help(raised.value)
        await response.aclose()
        assert (await pool.get(server.url)).body == LARGE

    pool = new_pool(connections=1, timeout=Timeouts(pool=0.1))
    with speaking(saying(answer(LARGE))) as server:
        pool.run(hold_all)


def test_a_pool_that_was_closed_lets_bodies_come_to_their_end(pool: AnyPool) -> None:
    async def close_in_between(pool: AnyPool) -> bytes:
        response = await pool.send(Hop("GET", server.url))
        first: bytes = await response.__anext__()
        await pool.aclose()
        rest = [chunk async for chunk in response]
        with pytest.raises(errors.ClosedError):
            await pool.send(Hop("GET", server.url))
        return first + b"".join(rest)

    with speaking(saying(answer(LARGE))) as server:
        assert pool.run(close_in_between) == LARGE
        assert server.connections == 1
