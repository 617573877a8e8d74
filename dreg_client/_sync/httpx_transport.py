# Generated from dreg_client/_async/httpx_transport.py by tools/generate_sync.py. Do not edit.
"""Our connection pool as a transport for your own httpx client."""

import ssl
from collections.abc import Iterator
from typing import Final

import httpx

from dreg_client import errors
from dreg_client._sync.pool import Pool, PooledResponse
from dreg_client.protocol import network_errors as network
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import CONNECTIONS, Options, Timeouts
from dreg_client.values.sizes import MEBIBYTE

MAX_BODY: Final = 64 * MEBIBYTE
"""The most bytes of a request's body, which is read before it is sent."""
_NO_TIMEOUT: Final = 1_000_000.0
_OURS: Final = frozenset({b"host", b"content-length", b"transfer-encoding"})
"""The headers that the connection writes itself."""
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
    ((network.ConnectFailedError, network.TLSFailedError, network.NotTLSNetworkError), httpx.ConnectError),
    ((errors.NoPlaceError,), httpx.PoolTimeout),
    (_BAD_RESPONSE, httpx.RemoteProtocolError),
    ((errors.UnsafeURLError,), httpx.LocalProtocolError),
)


class HTTPTransport(httpx.BaseTransport):
    """Our connection pool, for your own `httpx.Client`.

    It differs from httpx's own in this: cancelled requests do not lose connections, bytes behind a response never
    become the next response, and the head of a response has one deadline. HTTP/1.1 only; a request's body is read
    before it is sent, and has at most 64 MiB.

    Args:
        connections: The most connections to one origin.
        ssl_context: Used as it is; the other options for certificates have no effect then.
        ca_file: A file with certificates of authorities that are trusted besides the system's.
        client_cert: Files with our certificate and its key; None for the key where it is in the same file.
        insecure: Whether to skip the verification of certificates.
        proxy: The URL of a proxy for all requests; None: as in the environment variables.
        trust_env: Whether to use `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.

    Examples:
        ```python
        with httpx.Client(transport=HTTPTransport(connections=4)) as client:
            response = client.get("https://example.com/")
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
        self._pool = Pool(options, None)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request for httpx.

        Raises:
            httpx.TransportError: It could not be sent, or no valid response came.
            ConfigError: A proxy or a file of certificates cannot be used.
        """
        url = request.url
        if request.headers.get("host", "").encode() != url.netloc:
            raise httpx.LocalProtocolError("the header Host must be that of the URL")
        headers = ((name, value) for name, value in request.headers.raw if name.lower() not in _OURS)
        hop = Hop(
            request.method,
            f"{url.scheme}://{url.netloc.decode('ascii')}{url.raw_path.decode('ascii')}",
            tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers),
            _whole(request),
        )
        try:
            response = self._pool.send(hop, _timeouts(request))
        except (errors.TransportError, errors.UnsafeURLError) as failure:
            raise _translated(failure) from failure
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions={"http_version": b"HTTP/1.1"},
        )

    def close(self) -> None:
        """Close all unused connections; the others are closed when their responses are."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: PooledResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = self._response.chunk()
        except errors.TransportError as failure:
            raise _translated(failure) from failure
        if chunk is None:
            raise StopIteration
        return chunk

    def close(self) -> None:
        self._response.close()


def _whole(request: httpx.Request) -> bytes:
    if not isinstance(request.stream, httpx.SyncByteStream):
        raise TypeError("the request's body is not of the kind that this transport sends")
    body = bytearray()
    for chunk in request.stream:
        body += chunk
        if len(body) > MAX_BODY:
            raise httpx.LocalProtocolError(f"the request's body is longer than {MAX_BODY} bytes")
    return bytes(body)


def _timeouts(request: httpx.Request) -> Timeouts:
    given = request.extensions.get("timeout", {})
    seconds = {name: given.get(name) for name in ("connect", "read", "write", "pool")}
    return Timeouts(**{name: _NO_TIMEOUT if value is None else float(value) for name, value in seconds.items()})


def _translated(failure: errors.DregError) -> httpx.TransportError:
    causes = (failure.__context__, failure)  # what the pool raised it for, if anything, is more exact
    kinds = (kind for known, kind in _KINDS if any(isinstance(cause, known) for cause in causes))
    return next(kinds, httpx.ReadError)(str(failure))
