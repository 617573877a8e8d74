# Generated from dreg_client/_async/adapter.py by tools/generate_sync.py. Do not edit.
"""The caller's httpx or httpx2 transport as our `Transport`: a mock, an ASGI app, a cache, HTTP/2."""

import os
from collections.abc import Generator, Iterator, Mapping
from math import inf
from time import monotonic
from typing import Final, Protocol, runtime_checkable
from urllib.parse import unquote_to_bytes

from dreg_client import errors
from dreg_client._logging import log
from dreg_client._sync._compat import Semaphore, run_closing, run_until, sleep
from dreg_client._sync.connection import request_target
from dreg_client._sync.pool import Pool
from dreg_client._sync.transport import RawHeaders, RequestBody, Transport
from dreg_client.protocol.auth import no_loopback
from dreg_client.protocol.http_library import HTTPLibrary, LibraryRequest, check_http_option
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.network_errors import OTHER_LOOP, NetworkError, TransferTimedOutError, body_length, no_place
from dreg_client.protocol.option_types import TLSSettings
from dreg_client.protocol.options import Options, Timeouts
from dreg_client.protocol.permits import Permit
from dreg_client.values.origin import Origin

_UNINTERRUPTED: Final = 64
"""After so many chunks, other threads may run: a transport may have thousands of tiny ones without waiting."""


class _Headers(Protocol):
    @property
    def raw(self) -> RawHeaders: ...


class _Body(Protocol):
    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


@runtime_checkable
class _Closable(Protocol):
    def close(self) -> None: ...


class _Response(Protocol):
    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> _Headers: ...
    @property
    def stream(self) -> _Body: ...


@runtime_checkable
class CallerTransport(Protocol):
    """A transport of httpx or httpx2."""

    def handle_request(self, request: LibraryRequest, /) -> _Response:
        """Send a request."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


def new_transport(options: Options, named: Mapping[Origin, TLSSettings]) -> Transport:
    """Return the transport for some options: the caller's own, or a connection pool (see its `named`)."""
    if options.transport is not None:
        return TransportAdapter(options.transport, options)
    check_http_option(options)
    return Pool(options, named)


class TransportAdapter:
    """Adapts the caller's transport to our interface.

    Args:
        transport: A transport of httpx or httpx2.
        options: The options, including the maximum number of concurrent requests to one origin.
    """

    def __init__(self, transport: object, options: Options) -> None:
        if not isinstance(transport, CallerTransport):
            kind = type(transport).__name__
            raise TypeError(f"transport= takes a transport of httpx or httpx2 with handle_request, not {kind}")
        self._transport, self._options = transport, options
        self._library = HTTPLibrary.of(transport, options)
        self._keeps_alive = options.keep_alive or _is_ours(transport)
        self._permits: dict[tuple[int, Origin], Semaphore] = {}  # by process: a child has none of its parent's requests
        self._closed = False

    def send(self, hop: Hop, timeouts: Timeouts, until: float = inf) -> "AdaptedResponse":
        """Send a request, and read the head of its response (see `Transport.send`).

        The transport applies the timeouts in its own way; httpx restarts them with each byte.
        """
        origin, request = self._request(hop, timeouts, until)
        if self._closed:
            raise errors.ClosedError(str(origin))
        if hop.only_loopback:
            raise no_loopback(hop.where, "it is behind transport=, which may connect to any address")
        key = os.getpid(), origin
        permits = self._permits.get(key) or self._permits.setdefault(key, Semaphore(self._options.connections))
        held = Permit(permits)
        try:
            if not permits.acquire(min(timeouts.pool, until - monotonic()), held):
                raise no_place(self._options.connections, hop.where)  # noqa: TRY301 (an interrupt may follow `acquire`)
            if isinstance(hop.content, RequestBody):
                until = hop.content.pace.response_end(hop.waits or timeouts.read, hop.content.length)
            response = run_until(until, self._transport.handle_request, request)
            adapted = AdaptedResponse(response, self._library, permits, held, hop.where)
        except BaseException as failure:
            permits.release(held)
            if (error := _error(failure, self._library, hop.where, in_body=False)) is not None:
                raise error from None
            raise
        try:
            _check_time(until)
            body_length(adapted.headers)
        except NetworkError as failure:
            adapted.close()
            raise failure.error(hop.where) from None
        return adapted

    def _request(self, hop: Hop, timeouts: Timeouts, until: float) -> tuple[Origin, LibraryRequest]:
        left = max(until - monotonic(), 0.0)
        read = timeouts.read if hop.waits is None else hop.waits
        seconds = {"connect": timeouts.connect, "write": timeouts.write, "pool": timeouts.pool, "read": read}
        seconds = {name: min(value, left) for name, value in seconds.items()}
        extensions, headers = {"timeout": seconds}, list(hop.headers)
        content: object = hop.body or None
        if isinstance(hop.content, RequestBody):
            content = _counted(hop.content)
            headers.append(("Content-Length", str(hop.content.length)))
        if not self._keeps_alive:
            # HTTP libraries take bytes after a response as the next response, which a server could thus forge.
            headers.append(("Connection", "close"))
        try:
            request = self._library.request(
                hop.method, hop.url, headers=headers, content=content, extensions=extensions
            )
            # httpx turns /a%2Fb/../c into /c, but the URL that is sent must be the one that was checked. Additional
            # percent-encoding is harmless.
            origin = Origin.of(hop.place)
            is_sent = _parts(request.url.raw_path) == _parts(request_target(hop.url[len(hop.place) :]))
            if is_sent and Origin.of(str(request.url).partition("?")[0]) == origin:
                return origin, request
        except (self._library.invalid, UnicodeError, ValueError):
            pass
        raise errors.UnsafeURLError(hop.where, hop.where, "not a valid URL")

    def close(self) -> None:
        """Close the caller's transport, as far as it can be closed here; an error of the transport is logged."""
        self._closed = True
        try:
            self._transport.close()
        except Exception as failure:  # noqa: BLE001 (a caller's transport may raise anything)
            log.warning("the transport was not closed completely: %s: %s", type(failure).__name__, failure)


class AdaptedResponse:
    """A response of the caller's transport whose body has not been read yet. The body is not decompressed."""

    def __init__(
        self, response: _Response, library: HTTPLibrary, permits: Semaphore, held: list[None], where: str
    ) -> None:
        self.status, self.headers, self.peer = response.status_code, response.headers.raw, ""
        self._body, self._library, self._permits, self._where = response.stream, library, permits, where
        self._held = held
        self._chunks = response.stream.__iter__()
        self._is_open, self._at_end, self._read = True, False, 0

    def chunk(self, until: float = inf) -> bytes | None:
        """Read the next bytes of the body; return None at the end."""
        if self._at_end:
            return None
        if not self._is_open:
            raise errors.ClosedError(self._where)
        try:
            chunk = run_until(until, next, self._chunks, None)
            self._read += 1
            if not self._read % _UNINTERRUPTED:
                sleep(0)
            _check_time(until)
        except Exception as failure:
            if (error := _error(failure, self._library, self._where, in_body=True)) is not None:
                raise error from None
            raise
        self._at_end = chunk is None
        return chunk

    def close(self) -> None:
        """Close the response. The transport decides whether to keep the connection."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            run_closing(self._close_both)
        except Exception:  # noqa: BLE001, S110 (a caller's transport may raise anything; the response is no longer
            # needed)
            pass
        finally:
            self._permits.release(self._held)

    def _close_both(self) -> None:
        try:
            if isinstance(self._chunks, _Closable):  # such as a generator
                self._chunks.close()
        finally:
            self._body.close()


def _counted(body: RequestBody) -> Generator[bytes]:
    for piece in body:
        began = monotonic()
        yield piece
        body.pace.add(len(piece), monotonic() - began)
        body.left -= len(piece)


def _is_ours(transport: object) -> bool:
    """Return whether a transport uses connections of this package, which ignore bytes after a response."""
    ours = f"{__name__.rpartition('.')[0]}.httpx_transport"
    return any(kind.__module__ == ours for kind in type(transport).__mro__)


def _error(failure: BaseException, library: HTTPLibrary, where: str, *, in_body: bool) -> errors.DregError | None:
    """Return our error for an exception of the caller's transport; None if it is raised as it is."""
    if isinstance(failure, RuntimeError) and "loop" in str(failure):
        return errors.ProtocolError(OTHER_LOOP, where)
    if isinstance(failure, TimeoutError):
        return TransferTimedOutError().error(where)
    if isinstance(failure, NetworkError):
        return failure.error(where)
    if isinstance(failure, library.failures):
        return library.error(failure, where, in_body=in_body)
    return None


def _check_time(until: float) -> None:
    if monotonic() > until:
        raise TransferTimedOutError


def _parts(target: bytes) -> list[bytes]:
    path, _, query = target.partition(b"?")
    return [unquote_to_bytes(part) for part in (*path.split(b"/"), query)]
