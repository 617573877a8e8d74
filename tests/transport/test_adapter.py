"""A caller's transport of httpx or httpx2 as ours; and ours for a caller's own httpx client."""

import asyncio
import gzip
import socket
import ssl
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import anyio
import httpx
import httpx2
import pytest

from dreg_client import errors
from dreg_client._async.adapter import AsyncTransportAdapter
from dreg_client._async.adapter import new_transport as async_new_transport
from dreg_client._async.httpx_transport import AsyncHTTPTransport
from dreg_client._async.pool import AsyncPool
from dreg_client._sync.adapter import TransportAdapter, new_transport
from dreg_client._sync.httpx_transport import HTTPTransport
from dreg_client._sync.pool import Pool
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import Options, Timeouts
from tests.commands import run_limited
from tests.raw_server import answer, speaking

LIBRARIES = ("httpx", "httpx2")
URL = "https://registry.test/v2/?a=b"
Send = Callable[..., tuple[int, bytes]]


@pytest.fixture(params=[(library, is_async) for library in LIBRARIES for is_async in (False, True)], ids=str)
def case(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def http(case: Any) -> Any:
    return import_module(case[0])


@pytest.fixture
def send(case: Any) -> Send:
    """Sends a hop by a transport, and reads the whole response."""

    def by_thread(transport: Any, hop: Hop, **options: Any) -> tuple[int, bytes]:
        given = Options(transport=transport, **options)
        adapter = new_transport(given, {})
        try:
            response = adapter.send(hop, given.timeouts)
            try:
                return response.status, b"".join(iter(response.chunk, None))
            finally:
                response.close()
        finally:
            adapter.close()

    async def by_task(transport: Any, hop: Hop, **options: Any) -> tuple[int, bytes]:
        given = Options(transport=transport, **options)
        adapter = async_new_transport(given, {})
        try:
            response = await adapter.send(hop, given.timeouts)
            try:
                return response.status, await whole(response)
            finally:
                await response.aclose()
        finally:
            await adapter.aclose()

    return (lambda *given, **named: asyncio.run(by_task(*given, **named))) if case[1] else by_thread


async def whole(response: Any) -> bytes:
    body = b""
    while (chunk := await response.chunk()) is not None:
        body += chunk
    return body


LATE = "timed out; the request or its response was not complete in time"


def test_a_request_arrives_as_it_was_given(http: Any, send: Send) -> None:
    seen: list[Any] = []

    def handle(request: Any) -> Any:
        seen.append(request)
        return http.Response(201, stream=http.ByteStream(b"body"))

    hop = Hop("PUT", URL, (("Accept", "x"),), b"content", waits=7)
    assert send(http.MockTransport(handle), hop, timeout=Timeouts(connect=1, pool=2, write=3)) == (201, b"body")
    [request] = seen
    assert (request.method, str(request.url), request.content) == ("PUT", URL, b"content")
    own = {"host": "registry.test", "content-length": "7", "connection": "close"}
    assert dict(request.headers) == {"accept": "x", **own}
    assert request.extensions["timeout"] == {"connect": 1, "pool": 2, "write": 3, "read": 7}


def test_a_body_is_never_decompressed(http: Any, send: Send) -> None:
    body = gzip.compress(bytes(1_000_000))
    handle = lambda _: http.Response(200, headers={"Content-Encoding": "gzip"}, stream=http.ByteStream(body))  # noqa: E731

    assert send(http.MockTransport(handle), Hop("GET", URL)) == (200, body)


@pytest.mark.parametrize("path", ["/a%2Fb/../c", "/a/./b", "/..", "/a/b/..", "/v2/../../x?y", "/a/%2e%2e/../b"])
def test_a_url_that_the_library_would_change_is_not_sent(http: Any, send: Send, path: str) -> None:
    seen: list[Any] = []

    with pytest.raises(errors.UnsafeURLError):
        send(http.MockTransport(seen.append), Hop("GET", f"https://registry.test{path}"))
    assert seen == []


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/a%2Fb/c",
        "/a%2fb",
        "/%41",
        "/a//b",
        "/x?a=/../b&c=%2F&d='{}'|[]",
        "/x?",
        "/:@!$&'()*+,;=~",
        "/x?a=b?c#d",
    ],
)
def test_other_urls_are_sent(http: Any, send: Send, path: str) -> None:
    handle = lambda _: http.Response(200, stream=http.ByteStream(b""))  # noqa: E731

    assert send(http.MockTransport(handle), Hop("GET", f"https://registry.test{path}"))[0] == 200


@pytest.mark.parametrize("url", ["", "registry.test", "ftp://registry.test", "https://u:p@registry.test/"])
def test_what_is_not_a_url_is_not_sent(http: Any, send: Send, url: str) -> None:
    with pytest.raises(errors.UnsafeURLError):
        send(http.MockTransport(lambda _: http.Response(200)), Hop("GET", url))


def test_two_lengths_are_refused_here_too(http: Any, send: Send) -> None:
    headers = [("Content-Length", "2"), ("Transfer-Encoding", "chunked")]
    handle = lambda _: http.Response(200, headers=headers, stream=http.ByteStream(b"ok"))  # noqa: E731

    with pytest.raises(errors.ProtocolError, match="a length"):
        send(http.MockTransport(handle), Hop("GET", URL))


def caused(failure: Exception, cause: Exception) -> Exception:
    failure.__cause__ = cause
    return failure


FAILURES: list[tuple[Callable[[Any], Exception], type[errors.DregError], str]] = [
    (lambda http: http.ConnectTimeout("x"), errors.ConnectError, "the connection attempt timed out"),
    (lambda http: http.ConnectError("x"), errors.ConnectError, "cannot connect"),
    (
        lambda http: caused(http.ConnectError("x"), ConnectionRefusedError(111, "Connection refused")),
        errors.ConnectError,
        "cannot connect: connection refused",
    ),
    (
        lambda http: caused(http.ConnectError("x"), socket.gaierror(socket.EAI_NONAME, "Name not known")),
        errors.UnknownHostError,
        "cannot connect: name not known",
    ),
    (
        lambda http: caused(http.ConnectError("x"), ssl.SSLError(1, "x")),
        errors.TLSError,
        "the TLS connection failed: unknown reason",
    ),
    (lambda http: http.ReadTimeout("x"), errors.TransferTimeoutError, LATE),
    (lambda http: http.PoolTimeout("x"), errors.TransferTimeoutError, LATE),
    (lambda http: http.ReadError("x"), errors.TransportError, "the connection was lost"),
    (lambda http: ConnectionResetError(), errors.TransportError, "the connection was lost"),
    (
        lambda http: http.RemoteProtocolError("x"),
        errors.TransportError,
        "the connection was closed before a response arrived",
    ),
    (
        lambda http: http.ProxyError("407 Proxy Authentication Required"),
        errors.ProxyRefusedError,
        "the proxy requires a valid user name and password (407)",
    ),
    (lambda http: http.ProxyError("403 x"), errors.ProxyRefusedError, "the proxy rejected the connection (403)"),
    (lambda http: http.ProxyError("502 Bad Gateway"), errors.ConnectError, "the proxy rejected the connection (502)"),
    (lambda http: http.ProxyError("5021"), errors.ProxyRefusedError, "the proxy rejected the connection"),
    (lambda http: http.UnsupportedProtocol("x"), errors.ProtocolError, "the transport failed (UnsupportedProtocol)"),
    (lambda http: caused(http.ReadError("x"), errors.ClosedError("y")), errors.ClosedError, ""),
]


@pytest.mark.parametrize(("failure", "error", "reason"), FAILURES, ids=range(len(FAILURES)))
def test_what_a_transport_raises_is_one_error_of_ours(
    http: Any, send: Send, failure: Callable[[Any], Exception], error: type[errors.DregError], reason: str
) -> None:
    def handle(_: Any) -> Any:
        raise failure(http)

    with pytest.raises(errors.DregError) as raised:
        send(http.MockTransport(handle), Hop("GET", URL))
    assert type(raised.value) is error
    assert getattr(raised.value, "reason", "") == reason
    assert getattr(raised.value, "refused", False) is ("connection refused" in reason)


def test_a_body_that_breaks_off_is_one_error_of_ours(http: Any, send: Send, case: Any) -> None:
    def chunks() -> Any:
        yield b"x"
        raise http.RemoteProtocolError("x")

    async def async_chunks() -> Any:
        yield b"x"
        raise http.RemoteProtocolError("x")

    handle = lambda _: http.Response(200, content=async_chunks() if case[1] else chunks())  # noqa: E731
    with pytest.raises(errors.TransportError, match="before the response was complete"):
        send(http.MockTransport(handle), Hop("GET", URL))


def test_an_asgi_app_is_a_registry() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"X", scope["raw_path"])]})
        await send({"type": "http.response.body", "body": b"from an app"})

    async def main() -> bytes:
        adapter = AsyncTransportAdapter(httpx.ASGITransport(app), Options())
        response = await adapter.send(Hop("GET", URL), Timeouts())
        return await whole(response)

    assert asyncio.run(main()) == b"from an app"


def test_a_response_that_is_closed_gives_back_its_place(http: Any) -> None:
    handle = lambda _: http.Response(200, stream=http.ByteStream(b"body"))  # noqa: E731
    adapter = TransportAdapter(http.MockTransport(handle), Options(connections=1, timeout=Timeouts(pool=0.1)))
    first = adapter.send(Hop("GET", URL), Timeouts(pool=0.1))

    with pytest.raises(errors.NoPlaceError):
        adapter.send(Hop("GET", URL), Timeouts(pool=0.1))
    first.close()
    first.close()
    adapter.send(Hop("GET", URL), Timeouts(pool=0.1)).close()
    with pytest.raises(errors.ClosedError):
        first.chunk()
    adapter.close()
    with pytest.raises(errors.ClosedError):
        adapter.send(Hop("GET", URL), Timeouts())


@pytest.mark.parametrize("given", ["x", object(), httpx.ASGITransport])
def test_what_is_not_a_transport_is_a_mistake(given: object) -> None:
    with pytest.raises(TypeError, match="transport= takes a transport of httpx or httpx2"):
        new_transport(Options(transport=given), {})


# --- the option http=


def test_an_unknown_library_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREG_HTTP", "requests")
    with pytest.raises(errors.ConfigError, match="DREG_HTTP: 'requests' is not a supported HTTP library"):
        new_transport(Options(), {})
    monkeypatch.setenv("DREG_HTTP", "httpx2")
    assert isinstance(new_transport(Options(), {}), Pool)
    assert isinstance(async_new_transport(Options(http="httpx"), {}), AsyncPool)


def test_a_library_that_is_not_installed_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(errors.MissingLibraryError, match="pip install httpx2"):
        new_transport(Options(http="httpx2"), {})


@pytest.mark.parametrize("package", ["_sync", "_async"])
def test_nothing_imports_an_http_library_unless_a_transport_is_given(package: str) -> None:
    unwanted = "{'httpx', 'httpx2', 'httpcore', 'socksio', *(['anyio', 'asyncio'] if '_sync' in sys.argv[1] else [])}"
    code = f"import sys, importlib; importlib.import_module(sys.argv[1]); print(sorted({unwanted} & set(sys.modules)))"
    done = run_limited(
        [sys.executable, "-c", code, f"dreg_client.{package}.adapter"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


# --- ours in a client of httpx


def script(head: bytes, connection: socket.socket) -> bool:
    body = b""
    if b"ontent-Length: 7" in head:
        body = connection.recv(7)
    if b"/closed" in head:
        return False
    connection.sendall(
        answer(head.split()[0] + body, "200 OK", "X-Host: " + head.split(b"Host: ")[1].split(b"\r")[0].decode())
    )
    return True


async def by_async_client(act: Callable[[Any], Any]) -> Any:
    async with httpx.AsyncClient(transport=AsyncHTTPTransport(trust_env=False)) as client:
        return await act(client)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_client_of_httpx_may_use_our_connections(backend: str) -> None:
    async def act(client: httpx.AsyncClient) -> list[str]:
        async def content() -> Any:
            yield b"con"
            yield b"tent"

        got = [await client.get(f"{server.url}/a%2Fb?c", headers={"Accept": "x"})]
        got.append(await client.post(server.url, content=b"content"))
        got.append(await client.put(server.url, content=content()))
        async with client.stream("GET", server.url) as response:
            got.append(response)
            await response.aread()
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"{server.url}/closed")
        with pytest.raises(httpx.ConnectError):
            await client.get("http://localhost:1")
        with pytest.raises(httpx.LocalProtocolError):
            await client.get(server.url, headers={"Host": "other.test"})
        return [response.text for response in got]

    with speaking(script) as server:
        assert anyio.run(by_async_client, act, backend=backend) == ["GET", "POSTcontent", "PUTcontent", "GET"]
        assert server.heads[0].startswith(b"GET /a%2Fb?c HTTP/1.1\r\nHost: localhost:")
        assert server.connections == 1 or b"/closed" in server.heads[-1]


def test_a_client_of_httpx_may_use_our_connections() -> None:
    with speaking(script) as server, httpx.Client(transport=HTTPTransport(trust_env=False, connections=1)) as client:
        assert client.get(server.url).text == "GET"
        assert client.post(server.url, content=iter([b"con", b"tent"])).text == "POSTcontent"
        assert server.connections == 1
        with client.stream("GET", server.url), pytest.raises(httpx.PoolTimeout):
            client.get(server.url, timeout=0.1)
        with pytest.raises(httpx.LocalProtocolError):
            client.post(server.url, content=(bytes(2**20) for _ in range(65)))


def test_a_client_of_httpx_gets_its_own_timeouts() -> None:
    with (
        speaking(lambda *_: __import__("time").sleep(1)) as server,
        httpx.Client(transport=HTTPTransport(trust_env=False), timeout=httpx.Timeout(None, read=0.1)) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.get(server.url)


def test_what_our_transport_cannot_send_is_said_in_words_of_httpx() -> None:
    with speaking(script) as server:
        with httpx.Client(transport=HTTPTransport(trust_env=False)) as client:
            client.get(server.url, headers={b"X-A": "é".encode()})
            assert "X-A: é\r\n".encode() in server.heads[0]
            with pytest.raises(httpx.LocalProtocolError, match="the header 'X-A' cannot be sent"):
                client.get(server.url, headers={"X-A": "a\nb"})
            with pytest.raises(httpx.LocalProtocolError, match="the method 'G T' cannot be sent"):
                client.request("G T", server.url)
        with pytest.raises(RuntimeError, match="the transport has been closed"):
            client._transport.handle_request(httpx.Request("GET", server.url))
        with pytest.raises(TypeError, match="HTTPTransport is for httpx, and cannot send requests of httpx2"):
            httpx2.Client(transport=HTTPTransport()).get(server.url)  # type: ignore[arg-type]


def test_our_async_transport_rejects_the_same() -> None:
    async def main(url: str) -> None:
        transport = AsyncHTTPTransport(trust_env=False)
        with pytest.raises(httpx.LocalProtocolError, match="the header 'X-A' cannot be sent"):
            await transport.handle_async_request(httpx.Request("GET", url, headers={"X-A": "a\nb"}))
        with pytest.raises(TypeError, match="AsyncHTTPTransport is for httpx, and cannot send requests of httpx2"):
            await transport.handle_async_request(httpx2.Request("GET", url))  # type: ignore[arg-type]
        await transport.aclose()
        with pytest.raises(RuntimeError, match="the transport has been closed"):
            await transport.handle_async_request(httpx.Request("GET", url))

    with speaking(script) as server:
        asyncio.run(main(server.url))
