# Generated from dreg_client/_async/adapter.py by tools/generate_sync.py. Do not edit.
"""A caller's transport of httpx or httpx2 as our `Transport`: a mock, an ASGI app, a cache, one with HTTP/2."""

from collections.abc import Collection, Iterator
from typing import Protocol, runtime_checkable
from urllib.parse import unquote_to_bytes

from dreg_client import errors
from dreg_client._sync._compat import Semaphore
from dreg_client._sync.connection import body_length, request_target
from dreg_client._sync.pool import Pool
from dreg_client._sync.transport import RawHeaders, Transport
from dreg_client.protocol.http_library import HTTPLibrary, LibraryRequest, check_http_option
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.network_errors import TwoLengthsError, no_place
from dreg_client.protocol.options import Options, Timeouts
from dreg_client.values.origin import Origin


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


def new_transport(options: Options, registries: Collection[Origin]) -> Transport:
    """Return the transport that the options ask for: the caller's own, or a connection pool."""
    if options.transport is not None:
        return TransportAdapter(options.transport, options)
    check_http_option(options)
    return Pool(options, registries)


class TransportAdapter:
    """A caller's transport as ours.

    Args:
        transport: A transport of httpx or httpx2.
        options: How many requests there are to one origin at a time.
    """

    def __init__(self, transport: object, options: Options) -> None:
        if not isinstance(transport, CallerTransport):
            kind = type(transport).__name__
            raise TypeError(f"transport= takes a transport of httpx or httpx2 with handle_request, not {kind}")
        self._transport, self._options = transport, options
        self._library = HTTPLibrary.of(transport, options)
        self._places: dict[Origin, Semaphore] = {}
        self._closed = False

    def send(self, hop: Hop, timeouts: Timeouts) -> "AdaptedResponse":
        """Send a request, and read the head of its response (see `Transport.send`)."""
        origin, request = self._request(hop, timeouts)
        if self._closed:
            raise errors.ClosedError(str(origin))
        places = self._places.get(origin) or self._places.setdefault(origin, Semaphore(self._options.connections))
        held: list[None] = []
        try:
            if not places.acquire(timeouts.pool, held):
                raise no_place(self._options.connections, hop.where)  # noqa: TRY301 (an interrupt may follow `acquire`)
            response = self._transport.handle_request(request)
            adapted = AdaptedResponse(response, self._library, places, held, hop.where)
        except BaseException as failure:
            places.release(held)
            if isinstance(failure, self._library.failures):
                raise self._library.error(failure, hop.where, in_body=False) from None
            raise
        try:
            body_length(adapted.headers)
        except TwoLengthsError as failure:
            adapted.close()
            raise failure.error(hop.where) from None
        return adapted

    def _request(self, hop: Hop, timeouts: Timeouts) -> tuple[Origin, LibraryRequest]:
        seconds = {"connect": timeouts.connect, "write": timeouts.write, "pool": timeouts.pool}
        seconds["read"] = timeouts.read if hop.waits is None else hop.waits
        extensions, headers = {"timeout": seconds}, list(hop.headers)
        try:
            request = self._library.request(
                hop.method, hop.url, headers=headers, content=hop.body or None, extensions=extensions
            )
            # httpx turns /a%2Fb/../c into /c: the URL that is sent must be the one that was checked. More percent signs
            # than ours do no harm.
            origin = Origin.of(hop.place)
            is_sent = _parts(request.url.raw_path) == _parts(request_target(hop.url[len(hop.place) :]))
            if is_sent and Origin.of(str(request.url).partition("?")[0]) == origin:
                return origin, request
        except (self._library.invalid, UnicodeError, ValueError):
            pass
        raise errors.UnsafeURLError(hop.where, hop.where, "it is no URL that can be asked")

    def close(self) -> None:
        """Close the caller's transport."""
        self._closed = True
        self._transport.close()


class AdaptedResponse:
    """A response of a caller's transport whose body is still to be read; it is not decompressed."""

    def __init__(
        self, response: _Response, library: HTTPLibrary, places: Semaphore, held: list[None], where: str
    ) -> None:
        self.status, self.headers, self.peer = response.status_code, response.headers.raw, ""
        self._body, self._library, self._places, self._where = response.stream, library, places, where
        self._held = held
        self._chunks = response.stream.__iter__()
        self._is_open, self._at_end = True, False

    def chunk(self) -> bytes | None:
        """Read the next bytes of the body; None at its end."""
        if self._at_end:
            return None
        if not self._is_open:
            raise errors.ClosedError(self._where)
        try:
            chunk = next(self._chunks, None)
        except self._library.failures as failure:
            raise self._library.error(failure, self._where, in_body=True) from None
        self._at_end = chunk is None
        return chunk

    def close(self) -> None:
        """Close it. The connection is the transport's business."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            if isinstance(self._chunks, _Closable):  # such as a generator
                self._chunks.close()
            self._body.close()
        except self._library.failures:
            pass  # it is not needed any more
        finally:
            self._places.release(self._held)


def _parts(target: bytes) -> list[bytes]:
    path, _, query = target.partition(b"?")
    return [unquote_to_bytes(part) for part in (*path.split(b"/"), query)]
