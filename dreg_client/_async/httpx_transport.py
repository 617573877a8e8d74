"""The connection pool of this package as a transport for your own httpx client."""

import ssl
from collections.abc import AsyncIterator
from typing import Final

import httpx

from dreg_client import errors
from dreg_client._async.pool import AsyncPool, AsyncPooledResponse
from dreg_client.protocol import network_errors as network
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import CONNECTIONS, Options, Timeouts
from dreg_client.values.sizes import MEBIBYTE

MAX_BODY: Final = 64 * MEBIBYTE
"""The maximum size of a request's body, which is read into memory before it is sent."""
_NO_TIMEOUT: Final = 1_000_000.0
_OURS: Final = frozenset({b"host", b"content-length", b"transfer-encoding"})
"""The headers that the connection itself writes."""
_BAD_RESPONSE: Final = (
    network.OnlyTLSNetworkError,
    network.ClosedBeforeResponseError,
    network.ClosedInBodyError,
    network.BadHTTPError,
    errors.ProtocolError,
)
_KINDS: Final[tuple[tuple[tuple[type[Exception], ...], type[httpx.TransportError]], ...]] = (
    ((network.ConnectTimedOutError,), httpx.ConnectTimeout),
    ((network.TransferTimedOutError,), httpx.ReadTimeout),
    ((network.ProxyRefusedNetworkError, network.ProxyNeedsPasswordError), httpx.ProxyError),
    (
        (
            network.ConnectFailedError,
            network.TLSFailedError,
            network.NotTLSNetworkError,
            network.HTTP2ChosenError,
        ),
        httpx.ConnectError,
    ),
    ((errors.NoPlaceError,), httpx.PoolTimeout),
    (_BAD_RESPONSE, httpx.RemoteProtocolError),
)


class AsyncHTTPTransport(httpx.AsyncBaseTransport):
    """The connection pool of this package as a transport for your own `httpx.AsyncClient`.

    Unlike httpx's own transport, it does not lose connections when requests are cancelled, and never treats bytes after
    a response as the next response. Its read timeout applies to the headers of a response as a whole.

    It supports HTTP/1.1 only. The body of a request is read into memory before it is sent, and must not exceed 64 MiB.
    It works with httpx, but not with httpx2. Once closed, it cannot be used again.

    Args:
        connections: The maximum number of connections to one host.
        ssl_context: A TLS context, used unchanged instead of all other options for certificates. It must not offer
            HTTP/2 (`h2`) by ALPN, as a context does once an httpx client with HTTP/2 has used it.
        ca_file: A file with CA certificates to trust in addition to the system's.
        client_cert: Paths of the client certificate and its key; the key is None if both are in one file.
        insecure: Do not verify certificates.
        proxy: The URL of a proxy for all requests. None: use the environment variables.
        trust_env: Use the environment variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.

    Examples:
        ```python
        async with httpx.AsyncClient(transport=AsyncHTTPTransport(connections=4)) as client:
            response = await client.get("https://example.com/")
        ```
    """

    def __init__(
        self,
        *,
        connections: int = CONNECTIONS,
        ssl_context: ssl.SSLContext | None = None,
        ca_file: str | None = None,
        client_cert: tuple[str, str | None] | None = None,
        insecure: bool = False,
        proxy: str | None = None,
        trust_env: bool = True,
    ) -> None:
        options = Options(
            connections=connections,
            ssl_context=ssl_context,
            ca_file=ca_file,
            client_cert=client_cert,
            insecure=insecure,
            proxy=proxy,
            trust_env=trust_env,
        )
        self._pool = AsyncPool(options, None)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request for httpx.

        Raises:
            httpx.TransportError: The request could not be sent, or there was no valid response.
            RuntimeError: The transport is closed.
            TypeError: The request is not one of httpx.
            ConfigError: The proxy URL or a certificate file cannot be used.
        """
        if not isinstance(request, httpx.Request):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"{type(self).__name__} is for httpx, and cannot send requests of {_library_of(request)}")
        url = request.url
        if request.headers.get("host", "").encode() != url.netloc:
            raise httpx.LocalProtocolError("the Host header must match the URL")
        headers = ((name, value) for name, value in request.headers.raw if name.lower() not in _OURS)
        hop = Hop(
            request.method,
            f"{url.scheme}://{url.netloc.decode('ascii')}{url.raw_path.decode('ascii')}",
            tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers),
            await _whole(request),
        )
        try:
            response = await self._pool.send(hop, _timeouts(request))
        except errors.ClosedError:
            raise RuntimeError("Cannot send a request, as the transport has been closed.") from None  # like httpx
        except errors.UnsafeURLError as failure:
            raise httpx.LocalProtocolError(f"{failure.where}: {failure.reason}") from failure
        except errors.TransportError as failure:
            raise _translated(failure) from failure
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_AsyncBody(response),
            extensions={"http_version": b"HTTP/1.1"},
        )

    async def aclose(self) -> None:
        """Close all idle connections. Those in use are closed together with their responses."""
        await self._pool.aclose()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, response: AsyncPooledResponse) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._response.chunk()
        except errors.ClosedError:
            raise httpx.StreamClosed from None
        except errors.TransportError as failure:
            raise _translated(failure) from failure
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        await self._response.aclose()


def _library_of(request: object) -> str:
    return type(request).__module__.partition(".")[0]


async def _whole(request: httpx.Request) -> bytes:
    if not isinstance(request.stream, httpx.AsyncByteStream):
        raise TypeError("the request body has a type that this transport does not support")
    body = bytearray()
    async for chunk in request.stream:
        body += chunk
        if len(body) > MAX_BODY:
            raise httpx.LocalProtocolError(f"the request body is longer than {MAX_BODY} bytes")
    return bytes(body)


def _timeouts(request: httpx.Request) -> Timeouts:
    given = request.extensions.get("timeout", {})
    seconds = {name: given.get(name) for name in ("connect", "read", "write", "pool")}
    return Timeouts(**{name: _NO_TIMEOUT if value is None else float(value) for name, value in seconds.items()})


def _translated(failure: errors.DregError) -> httpx.TransportError:
    causes = (failure.__context__, failure)  # the error of the network layer, if any, is more specific
    kinds = (kind for known, kind in _KINDS if any(isinstance(cause, known) for cause in causes))
    return next(kinds, httpx.ReadError)(str(failure))
