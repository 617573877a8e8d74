"""Connections that are kept: used again where that is right, closed where it is not, never at the price of a pause."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dreg_client import AsyncRegistry, Digest, Registry, errors
from tests.raw_server import RawServer, answer, closing_at_the_second_request, saying, speaking
from tests.transport.clients import free_places, idle_connections

KIND = "Content-Type: application/vnd.oci.image.index.v1+json"
RAW = b'{"schemaVersion": 2}'
SMALL = answer(RAW, "200 OK", KIND)
OTHER = answer(b'{"schemaVersion": 2, "evil": 1}', "200 OK", KIND)
LARGE = bytes(range(256)) * 16_384
DIGEST = Digest.of(LARGE)
Client = Callable[..., Any]


def small(repository: Any) -> Any:
    return repository.get_raw_manifest("1.4")


def blob(repository: Any) -> Any:
    return repository.get_blob(DIGEST)


def test_one_connection_serves_one_request_after_another(client: Client) -> None:
    with speaking(saying(SMALL)) as server, client(server) as (_, do):
        assert [do(small).raw for _ in range(5)] == [RAW] * 5
        assert server.connections == 1


def test_refusals_and_answers_without_a_body_keep_the_connection(client: Client) -> None:
    refusal = answer(b'{"errors": []}', "404 Not Found")
    named = f"Docker-Content-Digest: {DIGEST}"
    heads = answer(b"", "200 OK", named), answer(b"", "200 OK", named, length=5_000_000)
    with speaking(saying(refusal, *heads, SMALL)) as server, client(server) as (_, do):
        with pytest.raises(errors.NotFoundError):
            do(blob)
        assert do(lambda repository: repository.has_blob(DIGEST))  # HEAD: however long it is said to be
        assert do(lambda repository: repository.has_blob(DIGEST))
        assert do(small).raw == RAW
        assert server.connections == 1


def test_large_bodies_keep_the_connection(client: Client) -> None:
    with speaking(saying(answer(LARGE))) as server, client(server) as (_, do):
        assert [do(blob) == LARGE for _ in range(3)] == [True] * 3
        assert server.connections == 1


@pytest.mark.parametrize("large", [False, True])
def test_a_body_that_was_not_read_to_its_end_closes_the_connection(client: Client, large: bool) -> None:
    body = LARGE if large else LARGE[:500_000]
    with speaking(saying(answer(body), SMALL)) as server, client(server) as (_, do):
        with pytest.raises(errors.ResponseTooLargeError):
            do(lambda repository: repository.get_blob(Digest.of(body), limit=10))
        assert do(small).raw == RAW
        assert server.connections == 2


@pytest.mark.parametrize(
    "said",
    [
        answer(RAW, "200 OK", KIND, "Connection: close"),
        SMALL.replace(b"HTTP/1.1", b"HTTP/1.0"),
        answer(LARGE, "200 OK", "Connection: close"),
        answer(LARGE).replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
    ids=["close", "HTTP/1.0", "close after much", "HTTP/1.0 with much"],
)
def test_who_says_that_a_connection_is_not_kept_is_heeded(client: Client, said: bytes) -> None:
    act = blob if len(said) > len(LARGE) else small
    with speaking(saying(said)) as server, client(server) as (_, do):
        assert do(act) == do(act)
        assert server.connections == 2


def test_a_body_that_only_the_end_of_the_connection_ends(client: Client) -> None:
    said = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + SMALL.partition(b"\r\n\r\n")[2]
    with speaking(saying(said, keeps=False)) as server, client(server) as (_, do):
        assert do(small).raw == RAW


def test_chunks_keep_the_connection(client: Client) -> None:
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%b\r\n0\r\n\r\n" % (len(LARGE), LARGE)
    with speaking(saying(said)) as server, client(server) as (_, do):
        assert [do(blob) == LARGE for _ in range(2)] == [True, True]
        assert server.connections == 1


# --- connections that turn out to be closed


def test_a_connection_that_was_closed_meanwhile_is_replaced(client: Client) -> None:
    with speaking(saying(SMALL, keeps=False)) as server, client(server) as (_, do):
        assert [do(small).raw for _ in range(3)] == [RAW] * 3
        assert server.connections == 3


def test_a_connection_that_is_closed_at_the_request_costs_no_attempt(client: Client) -> None:
    with speaking(closing_at_the_second_request(SMALL)) as server, client(server, retries=0) as (_, do):
        assert [do(small).raw for _ in range(3)] == [RAW] * 3
        assert server.connections == 3


def test_what_changes_something_is_not_sent_twice_in_silence(client: Client) -> None:
    def script(head: bytes, connection: socket.socket) -> bool:
        connection.sendall(answer(b"", "200 OK", f"Docker-Content-Digest: {DIGEST}") if head[:4] == b"HEAD" else b"")
        return head[:4] == b"HEAD"

    with speaking(script) as server, client(server) as (_, do):
        do(lambda repository: repository.has_blob(DIGEST))
        with pytest.raises(errors.TransportError):
            do(lambda repository: repository.delete_blob(DIGEST))
        assert [head[:6] for head in server.heads].count(b"DELETE") == 1


def test_a_new_connection_that_is_closed_without_an_answer_is_an_error(client: Client) -> None:
    with speaking(saying(b"", keeps=False)) as server, client(server) as (registry, do):
        with pytest.raises(errors.TransportError, match="before a response"):
            do(small)
        assert server.connections == 1
        assert free_places(registry) == {8}


class Unnameable(RawServer):
    """A registry whose name is longer than names may be."""

    @property
    def url(self) -> str:
        return f"http://{'a' * 63}.invalid"


def test_a_name_that_nobody_can_look_up_is_one_error_of_ours(client: Client) -> None:
    with client(Unnameable(80), plain_http=True) as (registry, do):
        with pytest.raises(errors.DregError):
            do(small)
        assert free_places(registry) == {8}


# --- what comes behind an answer


def test_what_comes_behind_an_answer_is_never_taken_for_the_next_one(client: Client) -> None:
    with speaking(saying(SMALL + OTHER, SMALL)) as server, client(server) as (_, do):
        assert [do(small).raw for _ in range(2)] == [RAW] * 2
        assert server.connections == 2


def test_what_comes_behind_a_large_body_is_never_taken_for_the_next_answer(client: Client) -> None:
    with speaking(saying(answer(LARGE) + OTHER, SMALL)) as server, client(server) as (_, do):
        assert do(blob) == LARGE
        assert do(small).raw == RAW
        assert server.connections == 2


def test_what_comes_unasked_while_nobody_reads_is_never_taken_for_an_answer(client: Client) -> None:
    came, is_there = threading.Event(), threading.Event()

    def script(head: bytes, connection: socket.socket) -> bool:
        connection.sendall(SMALL)
        if not is_there.is_set():
            came.wait(20)
            connection.sendall(OTHER)
            is_there.set()
        return True

    with speaking(script) as server, client(server) as (_, do):
        assert do(small).raw == RAW
        came.set()
        assert is_there.wait(20)
        assert do(small).raw == RAW
        assert server.connections == 2


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\n0123456789",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2000000, 2000001\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
    ],
    ids=["two lengths", "two lengths in one", "interim answers without end"],
)
def test_what_http_does_not_allow_is_refused_at_once(client: Client, said: bytes) -> None:
    with speaking(saying(said)) as server, client(server, retries=3) as (registry, do):
        with pytest.raises(errors.ProtocolError):
            do(blob)
        assert server.connections == 1
        assert free_places(registry) == {8}


def test_interim_answers_are_passed_over(client: Client) -> None:
    with speaking(saying(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" + SMALL)) as server, client(server) as (_, do):
        assert do(small).raw == RAW


# --- many at a time


def uneven(head: bytes, connection: socket.socket) -> bool:
    """A server that answers well, badly, and not at all."""
    if b"/manifests/" in head:
        connection.sendall(SMALL)
        return True
    connection.sendall(answer(LARGE[:70_000], length=len(LARGE)))
    return False


def test_32_threads_leave_the_gate_whole() -> None:
    def use(repository: Any, number: int) -> None:
        if number % 3:
            assert repository.get_raw_manifest("1.4").raw == RAW
        else:
            with pytest.raises(errors.DregError):
                repository.get_blob(DIGEST, limit=100)

    with speaking(uneven) as server, Registry(server.url, retries=0) as registry, ThreadPoolExecutor(32) as threads:
        list(threads.map(lambda number: use(registry.repository("acme/web"), number), range(320)))
        assert free_places(registry) == {8}
        assert idle_connections(registry) <= 8


def test_200_tasks_that_are_cancelled_leave_the_gate_whole() -> None:
    async def use(repository: Any, number: int) -> None:
        if number % 3:
            await repository.get_raw_manifest("1.4")
        else:
            await repository.get_blob(DIGEST)

    async def main(url: str) -> None:
        async with AsyncRegistry(url, retries=0) as registry:
            repository = registry.repository("acme/web")
            for pause in (0.0, 0.001, 0.01, 0.05):
                working = [asyncio.create_task(use(repository, number)) for number in range(200)]
                await asyncio.sleep(pause)
                for task in working[::2]:
                    task.cancel()
                await asyncio.gather(*working, return_exceptions=True)
                assert free_places(registry) == {8}
            assert (await repository.get_raw_manifest("1.4")).raw == RAW
            assert asyncio.all_tasks() == {asyncio.current_task()}
            assert idle_connections(registry) <= 8

    with speaking(uneven) as server:
        asyncio.run(main(server.url))
        end = time.monotonic() + 20
        while server.opened:
            assert time.monotonic() < end, "connections are left open"
            time.sleep(0.01)


def test_closing_while_a_body_is_read_lets_it_come_to_its_end(client: Client) -> None:
    def read_through_the_end(registry: Any, repository: Any) -> Any:
        with repository.stream_blob(DIGEST) as chunks:
            first = next(chunks)
            registry.close()
            return first + b"".join(chunks)

    async def by_task(registry: Any, repository: Any) -> Any:
        async with repository.stream_blob(DIGEST) as chunks:
            first = await anext(chunks)
            await registry.close()
            return first + b"".join([chunk async for chunk in chunks])

    with speaking(saying(answer(LARGE))) as server, client(server) as (registry, do):
        act = by_task if isinstance(registry, AsyncRegistry) else read_through_the_end
        assert do(lambda repository: act(registry, repository)) == LARGE
        with pytest.raises(errors.ClosedError):
            do(small)
        assert server.connections == 1


# --- through a proxy


class Elsewhere(RawServer):
    """A registry that only a proxy can reach."""

    @property
    def url(self) -> str:
        return "http://registry.test"


def test_a_proxy_is_asked_for_the_whole_url(client: Client) -> None:
    with speaking(saying(SMALL)) as proxy:
        with client(Elsewhere(proxy.port), proxy=proxy.url, plain_http=True) as (_, do):
            assert do(small).raw == do(small).raw == RAW
        assert {head.split()[1] for head in proxy.heads} == {b"http://registry.test/v2/acme/web/manifests/1.4"}
        assert proxy.connections == 1
