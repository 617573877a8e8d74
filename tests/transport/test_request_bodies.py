"""Bodies that are sent as they are read: cut, answered early, or not taken; over connections and httpx transports."""

import asyncio
import hashlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from dreg_client import AsyncRegistry, Registry, Timeouts, errors
from tests.faultserver.network import authority

RAW = os.urandom(24 * 1024 * 1024)
"""More than the buffers between a client and a server hold."""
DIGEST = f"sha256:{hashlib.sha256(RAW).hexdigest()}"
TAKEN = 5_000_000
UPLOAD = "/v2/acme/web/blobs/uploads/u"
Script = Callable[[str, dict[str, str], "Peer"], bool]
"""Gets the method and headers of a request; True keeps the connection."""


class Peer:
    """The other end of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def says(self, status: str, *headers: str) -> bool:
        self.connection.sendall("\r\n".join([f"HTTP/1.1 {status}", "Content-Length: 0", *headers, "", ""]).encode())
        return True

    def takes(self, size: int) -> bytes:
        taken = bytearray()
        while len(taken) < size and (octets := self.connection.recv(min(size - len(taken), 1 << 20))):
            taken += octets
        return bytes(taken)

    def head(self) -> tuple[str, dict[str, str]] | None:
        raw = bytearray()
        while not raw.endswith(b"\r\n\r\n"):
            if not (octet := self.connection.recv(1)):
                return None
            raw += octet
        first, *lines = raw.decode().strip().split("\r\n")
        return first.split()[0], {name.lower(): value for name, _, value in (it.partition(": ") for it in lines)}


@contextmanager
def serving(script: Script, *, tls: bool = False) -> Generator[str]:
    """A server; yields its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("localhost").configure_cert(context)

    def serve(plain: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(plain, server_side=True) if tls else plain as connection:
            peer = Peer(connection)
            while (found := peer.head()) and script(*found, peer):
                pass

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield f"http{'s' if tls else ''}://localhost:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    path = tmp_path / "authority.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


def push(url: str, is_async: bool, **options: Any) -> Any:
    async def run() -> Any:
        async with AsyncRegistry(url, **options) as registry:
            return await registry.repository("acme/web").push_blob(RAW)

    if is_async:
        return asyncio.run(run())
    with Registry(url, **options) as registry:
        return registry.repository("acme/web").push_blob(RAW)


both = pytest.mark.parametrize("is_async", [False, True], ids=["threads", "tasks"])
over_both = pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])


@both
def test_upl_05_a_cut_request_goes_on_from_the_registry_s_status(is_async: bool) -> None:
    stored, asked = bytearray(), list[str]()

    def script(method: str, headers: dict[str, str], peer: Peer) -> bool:
        asked.append(method)
        match method:
            case "HEAD":
                return peer.says("404 Not Found")
            case "POST":
                return peer.says("202 Accepted", f"Location: {UPLOAD}")
            case "GET":
                return peer.says("204 No Content", f"Location: {UPLOAD}", f"Range: 0-{len(stored) - 1}")
            case "PUT" if not stored:
                stored.extend(peer.takes(TAKEN))
                return False  # bytes that were not read make this a reset
            case "PATCH":
                assert headers["content-range"] == f"{TAKEN}-{len(RAW) - 1}"
                stored.extend(peer.takes(int(headers["content-length"])))
                return peer.says("202 Accepted", f"Location: {UPLOAD}", f"Range: 0-{len(stored) - 1}")
            case _:
                return peer.says("201 Created")

    with serving(script) as url:
        assert push(url, is_async).digest == DIGEST
    assert stored == RAW
    assert asked == ["HEAD", "POST", "PUT", "HEAD", "GET", "PATCH", "PUT"]


@both
@over_both
def test_an_early_response_ends_a_body_that_the_server_does_not_read(is_async: bool, tls: bool, ca_file: str) -> None:
    asked = list[str]()
    ended = threading.Event()

    def script(method: str, headers: dict[str, str], peer: Peer) -> bool:
        asked.append(method)
        if method == "PUT":
            peer.takes(100)
            peer.says("413 Content Too Large")
            ended.wait(60)
            return False
        if method == "PATCH":  # buffers may hold all of it
            peer.takes(int(headers["content-length"]))
            return peer.says("413 Content Too Large")
        return peer.says("404 Not Found") if method == "HEAD" else peer.says("202 Accepted", f"Location: {UPLOAD}")

    with serving(script, tls=tls) as url:
        try:
            with pytest.raises(errors.UploadError, match="limits the size of requests"):
                push(url, is_async, ca_file=ca_file)
        finally:
            ended.set()
    assert asked == ["HEAD", "POST", "PUT", "POST", "PATCH", "DELETE"]  # a chunk is the smallest body


@both
@over_both
def test_a_body_that_the_server_does_not_take_times_out(is_async: bool, tls: bool, ca_file: str) -> None:
    ended = threading.Event()

    def script(method: str, _: dict[str, str], peer: Peer) -> bool:
        if method == "PUT":
            ended.wait(60)
            return False
        return peer.says("404 Not Found") if method == "HEAD" else peer.says("202 Accepted", f"Location: {UPLOAD}")

    with serving(script, tls=tls) as url:
        try:
            with pytest.raises(errors.TransferTimeoutError):
                push(url, is_async, ca_file=ca_file, timeout=Timeouts(write=0.2), retries=0)
        finally:
            ended.set()


@both
@over_both
def test_trn_33_a_body_that_the_server_does_not_take_ends_at_the_deadline(
    is_async: bool, tls: bool, ca_file: str
) -> None:
    ended = threading.Event()

    def script(method: str, _: dict[str, str], peer: Peer) -> bool:
        if method == "PUT":
            ended.wait(60)
            return False
        return peer.says("404 Not Found") if method == "HEAD" else peer.says("202 Accepted", f"Location: {UPLOAD}")

    with serving(script, tls=tls) as url:
        try:
            began = monotonic()
            with pytest.raises(errors.DeadlineError, match="its deadline of 1 s"):
                push(url, is_async, ca_file=ca_file, deadline=1.0)
        finally:
            ended.set()
    assert monotonic() - began < 5


@both
@over_both
def test_a_connection_is_used_again_after_a_streamed_body(is_async: bool, tls: bool, ca_file: str) -> None:
    stored, peers = bytearray(), set[int]()

    def script(method: str, headers: dict[str, str], peer: Peer) -> bool:
        peers.add(id(peer))
        stored.extend(peer.takes(int(headers.get("content-length", "0"))))
        match method:
            case "HEAD":
                return peer.says("404 Not Found")
            case "POST":
                return peer.says("202 Accepted", f"Location: {UPLOAD}")
            case _:
                return peer.says("201 Created")

    with serving(script, tls=tls) as url:
        push(url, is_async, ca_file=ca_file)
    assert stored == RAW
    assert len(peers) == 1


@both
def test_a_caller_s_transport_gets_the_length_and_the_pieces(is_async: bool) -> None:
    seen = list[httpx.Request]()
    sizes = list[int]()

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.method == "POST":
            return httpx.Response(202, headers={"Location": UPLOAD})
        return httpx.Response(404 if request.method == "HEAD" else 201)

    class Sync(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.SyncByteStream)
            sizes.extend(map(len, request.stream))
            return respond(request)

    class Async(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.AsyncByteStream)
            sizes.extend([len(piece) async for piece in request.stream])
            return respond(request)

    push("https://registry.example", is_async, transport=Async() if is_async else Sync())
    assert [request.method for request in seen] == ["HEAD", "POST", "PUT"]
    assert seen[-1].headers["content-length"] == str(len(RAW))
    assert "transfer-encoding" not in seen[-1].headers
    assert sum(sizes) == len(RAW)
    assert max(sizes) <= 1024 * 1024
