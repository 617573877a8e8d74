"""What happens on sockets: bodies that break off, connections that are given back, addresses that are not dialled."""

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dreg_client import AsyncRegistry, Digest, Registry, Timeouts, errors
from tests.raw_server import RawServer, Script, answer, speaking

BLOB = bytes(range(256)) * 8192
DIGEST = Digest.of(BLOB)
TAGS = answer(b'{"name": "acme/web", "tags": ["1.4"]}', "200 OK", "Content-Type: application/json")
Act = Callable[[Any], Any]


@pytest.fixture(params=[False, True], ids=["threads", "asyncio"])
def talk(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Do something with a repository of a server, by threads or by asyncio."""

    def by_thread(server: RawServer, act: Act, **options: Any) -> Any:
        with Registry(server.url, retries=0, **options) as registry:
            return act(registry.repository("acme/web"))

    async def by_task(server: RawServer, act: Act, options: Any) -> Any:
        async with AsyncRegistry(server.url, retries=0, **options) as registry:
            return await act(registry.repository("acme/web"))

    if request.param:
        return lambda server, act, **options: asyncio.run(by_task(server, act, options))
    return by_thread


def ranges(heads: list[bytes]) -> list[str | None]:
    lines = [dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:-2]) for head in heads]
    return [{name.lower(): value for name, value in line.items()}.get("range") for line in lines]


def kind(start: int) -> tuple[str, ...]:
    """The status and headers of what begins at a byte."""
    if not start:
        return ("200 OK",)
    return "206 Partial Content", f"Content-Range: bytes {start}-{len(BLOB) - 1}/{len(BLOB)}"


def in_pieces(*lengths: int) -> Script:
    """A server that lets the connection go after so many bytes of what was asked for, each time."""
    left = list(lengths)

    def script(head: bytes, connection: socket.socket) -> None:
        asked = ranges([head])[0]
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        part = BLOB[start:]
        length = left.pop(0) if left else len(part)
        connection.sendall(answer(part[:length], *kind(start), length=len(part)))

    return script


def test_dld_01_a_body_that_breaks_off_goes_on_where_it_did(talk: Callable[..., Any], tmp_path: Path) -> None:
    with speaking(in_pieces(1000, 300_000, 500_000)) as server:
        assert talk(server, lambda repo: repo.get_blob(DIGEST)) == BLOB
        assert ranges(server.heads) == [None, "bytes=1000-", "bytes=301000-", "bytes=801000-"]
    with speaking(in_pieces(1000, 300_000, 500_000)) as server:
        talk(server, lambda repo: repo.download_blob(DIGEST, tmp_path / "blob"))
        assert (tmp_path / "blob").read_bytes() == BLOB


def test_a_download_that_never_ends_well_leaves_nothing_or_what_came(talk: Callable[..., Any], tmp_path: Path) -> None:
    def script(head: bytes, connection: socket.socket) -> None:
        start = int((ranges([head])[0] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        connection.sendall(answer(BLOB[start : start + 100], *kind(start), length=len(BLOB) - start))

    with speaking(script) as server:
        with pytest.raises(errors.TruncatedBodyError):
            talk(server, lambda repo: repo.download_blob(DIGEST, tmp_path / "blob"))
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(errors.TruncatedBodyError):
            talk(server, lambda repo: repo.download_blob(DIGEST, tmp_path / "blob", resume=True))
        [part] = tmp_path.iterdir()
        assert part.read_bytes() == BLOB[:600]
    with speaking(in_pieces()) as server:
        talk(server, lambda repo: repo.download_blob(DIGEST, tmp_path / "blob", resume=True))
        assert ranges(server.heads) == ["bytes=600-"]
        assert [path.name for path in tmp_path.iterdir()] == ["blob"]


def test_two_at_once_on_one_file_both_succeed(tmp_path: Path) -> None:
    began, go_on = threading.Event(), threading.Event()

    def script(head: bytes, connection: socket.socket) -> None:
        connection.sendall(answer(BLOB[:1000], length=len(BLOB)))
        if not began.is_set():
            began.set()
            go_on.wait(20)
        connection.sendall(BLOB[1000:])

    with speaking(script) as server, Registry(server.url) as registry, ThreadPoolExecutor(1) as threads:
        repo = registry.repository("acme/web")
        first = threads.submit(repo.download_blob, DIGEST, tmp_path / "blob", resume=True)
        began.wait(20)
        assert repo.download_blob(DIGEST, tmp_path / "blob", resume=True).digest == DIGEST
        go_on.set()
        assert first.result(20).digest == DIGEST


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(20_000)) + b"\r\n",
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm=\xff\xfe\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 307 Go\r\nLocation: \xc3\xa9://x\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 307 Go\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=lambda said: repr(said[:40]),
)
def test_trn_14_trn_28_what_is_no_answer_is_one_error_of_ours(talk: Callable[..., Any], said: bytes) -> None:
    def script(head: bytes, connection: socket.socket) -> None:
        connection.sendall(said)

    with speaking(script) as server, pytest.raises(errors.DregError):
        talk(server, lambda repo: repo.tags())


def test_trn_16_a_silent_server_ends_in_time(talk: Callable[..., Any]) -> None:
    silent = speaking(lambda head, connection: bool(connection.recv(1)))
    with silent as server, pytest.raises(errors.TransferTimeoutError):
        talk(server, lambda repo: repo.tags(), timeout=Timeouts(read=0.2))


def test_trn_15_a_dripping_answer_ends_in_time(talk: Callable[..., Any]) -> None:
    def drip(head: bytes, connection: socket.socket) -> None:
        connection.sendall(answer(b"", length=1000))
        waiting = threading.Event()
        while True:
            connection.sendall(b" ")
            waiting.wait(0.02)

    with speaking(drip) as server, pytest.raises(errors.TransferTimeoutError, match="not complete"):
        talk(server, lambda repo: repo.tags(), timeout=Timeouts(whole=0.3))


def test_trn_05_the_address_that_is_dialled_counts(talk: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that says nothing leads to this machine: the connection stands, and nothing is sent on it."""
    real = socket.getaddrinfo

    def looked_up(host: Any, *more: Any, **named: Any) -> Any:
        return real("127.0.0.1" if host in {"cdn.test", b"cdn.test"} else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with speaking(lambda head, connection: connection.sendall(answer(BLOB))) as near:

        def script(head: bytes, connection: socket.socket) -> None:
            connection.sendall(answer(b"", "307 Go", f"Location: http://cdn.test:{near.port}/x"))

        with speaking(script) as server:
            # The registry itself is here, too: then it may.
            assert talk(server, lambda repo: repo.get_blob(DIGEST)) == BLOB
            near.heads.clear()
            monkeypatch.setattr("dreg_client.protocol.redirects.nearest_of", lambda base, response: 0)
            with pytest.raises(errors.BlockedAddressError, match=r"127\.0\.0\.1"):
                talk(server, lambda repo: repo.get_blob(DIGEST))
    assert near.heads == []


# --- connections


def test_no_more_connections_than_are_allowed_and_each_is_used_again() -> None:
    def script(head: bytes, connection: socket.socket) -> bool:
        connection.sendall(TAGS)
        return True

    with speaking(script) as server:
        with Registry(server.url, connections=3) as registry, ThreadPoolExecutor(32) as threads:

            def tags(_: int) -> tuple[str, ...]:
                return tuple(registry.repository("acme/web").iter_tags())

            assert set(threads.map(tags, range(200))) == {("1.4",)}
        assert server.most <= 3
        assert server.connections <= 3


def test_what_fails_gives_its_connection_back(talk: Callable[..., Any]) -> None:
    def script(head: bytes, connection: socket.socket) -> bool:
        if b"/tags/" in head:
            connection.sendall(TAGS)
            return True
        connection.sendall(answer(b"x", length=len(BLOB)))
        return False

    def fails_then_reads(repo: Any) -> Any:
        for _ in range(5):
            with pytest.raises(errors.DregError):
                repo.get_blob(DIGEST, limit=0)
        return repo.tags()

    async def fails_then_reads_by_task(repo: Any) -> Any:
        for _ in range(5):
            with pytest.raises(errors.DregError):
                await repo.get_blob(DIGEST, limit=0)
        return await repo.tags()

    with speaking(script) as server:
        is_async = "lambda" in getattr(talk, "__qualname__", "")
        act = fails_then_reads_by_task if is_async else fails_then_reads
        assert talk(server, act, connections=1, timeout=Timeouts(pool=2)) == ("1.4",)


def test_whoever_holds_all_connections_is_told() -> None:
    def script(head: bytes, connection: socket.socket) -> bool:
        connection.sendall(answer(BLOB))
        return True

    with (
        speaking(script) as server,
        Registry(server.url, connections=1, retries=0, timeout=Timeouts(pool=0.1)) as registry,
    ):
        repo = registry.repository("acme/web")
        with repo.stream_blob(DIGEST) as chunks:
            next(chunks)
            with pytest.raises(errors.TransferTimeoutError, match="connections="):
                repo.has_blob(DIGEST)
        assert repo.get_blob(DIGEST) == BLOB


def test_tasks_that_are_cancelled_in_the_middle_of_a_body_give_their_connections_back() -> None:
    def script(head: bytes, connection: socket.socket) -> bool:
        if b"/tags/" in head:
            connection.sendall(TAGS)
        else:
            connection.sendall(answer(BLOB[:1000], length=len(BLOB)))
            connection.recv(1)
        return True

    async def main(url: str) -> None:
        async with AsyncRegistry(url, connections=4, timeout=Timeouts(pool=2)) as registry:
            repo = registry.repository("acme/web")
            for _ in range(3):
                reading = [asyncio.create_task(repo.get_blob(DIGEST)) for _ in range(8)]
                await asyncio.wait(reading, timeout=0.1)
                for task in reading:
                    task.cancel()
                ended = await asyncio.gather(*reading, return_exceptions=True)
                assert all(isinstance(end, asyncio.CancelledError) for end in ended)
            assert await repo.tags() == ("1.4",)

    with speaking(script) as server:
        asyncio.run(main(server.url))
