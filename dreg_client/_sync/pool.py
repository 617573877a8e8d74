# Generated from dreg_client/_async/pool.py by tools/generate_sync.py. Do not edit.
"""Connection pools: by default, up to 8 connections to each origin, kept for later requests.

The pool of httpcore 1.0.9 is not used, because it loses connections when async code is cancelled, counts them as in
use, and then hangs forever (100 requests over 8 connections). Here, a connection belongs to one request at a time. On
any exception, including cancellation, it is closed immediately and its permit is released. `network` and `connection`
give further reasons.
"""

import os
import ssl
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Final

from dreg_client import errors
from dreg_client._sync._compat import Semaphore, run_in_thread
from dreg_client._sync.connection import Connection
from dreg_client._sync.network import Stream, TLSStream, connect
from dreg_client._sync.proxy import connect_by_proxy
from dreg_client._sync.transport import RawHeaders
from dreg_client.credentials.tls import has_own_context, tls_context
from dreg_client.protocol.auth import no_loopback
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.network_errors import (
    ClosedBeforeResponseError,
    ConnectionLostError,
    NetworkError,
    body_timeout,
    no_place,
)
from dreg_client.protocol.option_types import TLSSettings
from dreg_client.protocol.options import Options, Timeouts
from dreg_client.protocol.permits import Permit
from dreg_client.protocol.proxies import Proxy, proxy_of
from dreg_client.values.origin import Origin, Reach, is_loopback, reach

_SENT_AGAIN: Final = frozenset({"GET", "HEAD"})
_MOST_POOLS: Final = 32
"""The number of origins whose connections are kept. There may be more while they are in use."""
_MOST_SPELLINGS: Final = 256


class Pool:
    """The connections to all origins (a `Transport`).

    Threads may share it. Each connection serves one request at a time, from any thread. After `os.fork`, the child
    process opens its own connections.

    Args:
        options: The options for the number of connections, the proxy, and TLS.
        named: The registry and its mirrors, each with its own settings for TLS. Other hosts get no client certificate,
            and are always verified. None: the options apply to all hosts.
    """

    def __init__(self, options: Options, named: Mapping[Origin, TLSSettings] | None) -> None:
        self._options, self._named = options, named
        self._pools: dict[Origin, OriginPool] = {}
        self._spellings: dict[str, OriginPool] = {}
        self._context: ssl.SSLContext | None = None
        self._closed = False
        self._process = os.getpid()

    def send(self, hop: Hop, timeouts: Timeouts, until: float = inf) -> "PooledResponse":
        """Send a request, and read the head of its response (see `Transport.send`)."""
        if self._process != os.getpid():
            self._drop_pools_of_parent()
        place = hop.place
        pool = self._spellings.get(place)
        if pool is None or pool.closed:
            pool = self._pool(place, hop)
        return pool.send(hop, hop.url[len(place) :], timeouts, until)

    def _drop_pools_of_parent(self) -> None:
        """Start afresh in a forked child: if both processes used the same sockets, their responses would mix."""
        pools = list(self._pools.values())
        self._spellings, self._pools = {}, {}
        self._process = os.getpid()
        for pool in pools:
            pool.close()  # in this process only: closing sends nothing while the parent still has the socket

    def _pool(self, place: str, hop: Hop) -> "OriginPool":
        try:
            origin = Origin.of(place)
        except ValueError:
            raise errors.UnsafeURLError(hop.where, hop.where, "not a valid URL") from None
        pool = self._pools.get(origin)
        if pool is None:
            if self._closed:
                raise errors.ClosedError(str(origin))
            new = self._new_pool(origin)
            self._drop_pools()
            pool = self._pools.setdefault(origin, new)  # another request may have added one
        if len(self._spellings) < _MOST_SPELLINGS:
            self._spellings[place] = pool
        if self._closed:  # in the meantime, perhaps before the new pool was added
            self._close_all()
            raise errors.ClosedError(str(origin))
        return pool

    def _new_pool(self, origin: Origin) -> "OriginPool":
        options = self._options
        settings = options if self._named is None else self._named.get(origin)
        context = self._tls_context(origin, settings) if origin.scheme == "https" else None
        proxy, proxy_context = proxy_of(origin, options), None
        if proxy is not None and proxy.scheme == "https":
            proxy_context = self._tls_context(Origin("https", proxy.host, proxy.port), None)
        return OriginPool(origin, options, context, proxy, proxy_context)

    def _tls_context(self, origin: Origin, settings: TLSSettings | None) -> ssl.SSLContext:
        """Return the TLS context for an origin. All origins without their own settings share one.

        Loading the system's CA certificates takes 0.1 seconds, and they need 1 MB. Async code loads them in a thread.
        """
        if has_own_context(self._options, origin, settings):
            return run_in_thread(tls_context, self._options, origin, settings)
        if self._context is None:
            self._context = run_in_thread(tls_context, self._options, origin, settings)
        return self._context

    def _drop_pools(self) -> None:
        """Close connections that may not be used again, and drop the pools that were not used for longest.

        So redirects to many hosts do not accumulate connections and pools.
        """
        pools = list(self._pools.items())  # a copy, because other threads may add some
        pools.sort(key=lambda item: item[1].used)
        surplus = len(pools) + 1 - _MOST_POOLS
        for origin, pool in pools:
            pool.close_unusable()
            if surplus > 0 and not pool.is_in_use:
                surplus -= 1
                self._pools.pop(origin, None)  # first, so that no pool of `_pools` is closed
                pool.close()
                self._spellings = {place: kept for place, kept in list(self._spellings.items()) if not kept.closed}

    def close(self) -> None:
        """Close all idle connections. Those in use are closed together with their responses."""
        self._closed = True
        self._close_all()

    def _close_all(self) -> None:
        self._spellings.clear()
        for pool in list(self._pools.values()):
            pool.close()
        self._pools.clear()


class OriginPool:
    """The connections to one origin.

    Args:
        origin: The origin.
        options: The options for the number of connections, the proxy, and TLS.
        context: The TLS context; None for http.
        proxy: The proxy; None if there is none.
        proxy_context: The TLS context for an https proxy.

    Attributes:
        process: The id of the process whose connections these are.
        closed: Whether `close` was called. Then connections are not kept any more.
        used: When a connection was last returned, by `time.monotonic()`.
    """

    def __init__(
        self,
        origin: Origin,
        options: Options,
        context: ssl.SSLContext | None,
        proxy: Proxy | None,
        proxy_context: ssl.SSLContext | None,
    ) -> None:
        self._origin, self._options = origin, options
        self._host = origin.authority.encode("ascii")
        self._context, self._proxy, self._proxy_context = context, proxy, proxy_context
        self._proxy_headers: RawHeaders | None = None
        if proxy is not None and origin.scheme == "http" and not proxy.is_socks:
            self._proxy_headers = proxy.headers
        self._permits = Semaphore(options.connections)
        self.process = os.getpid()
        self._idle: deque[Connection] = deque()
        self.closed = False
        self.used = monotonic()

    @property
    def is_in_use(self) -> bool:
        """Whether any request holds a connection."""
        return self._permits.free < self._options.connections

    def send(self, hop: Hop, target: str, timeouts: Timeouts, until: float) -> "PooledResponse":
        """Send a request for path and query of `target`, and read the head of its response (see `Pool.send`)."""
        seconds = timeouts.read if hop.waits is None else hop.waits
        connection: Connection | None = None
        held = Permit(self._permits)
        try:
            if not self._permits.acquire(min(timeouts.pool, until - monotonic()), held):
                raise no_place(self._options.connections, hop.where)  # noqa: TRY301 (an interrupt may follow `acquire`)
            if (connection := self._take_idle(hop)) is not None:
                try:
                    head = connection.send(hop, target, timeouts.write, seconds, until)
                    return PooledResponse(self, connection, held, head, hop=hop, seconds=seconds)
                except (ConnectionLostError, ClosedBeforeResponseError):
                    # A server may close an idle connection at any time. A request without side effects is sent again.
                    if connection.heard or hop.method not in _SENT_AGAIN:
                        raise
                    connection.close()
            connection = self._connect(hop, min(monotonic() + timeouts.connect, until))
            head = connection.send(hop, target, timeouts.write, seconds, until)
            return PooledResponse(self, connection, held, head, hop=hop, seconds=seconds)
        except BaseException as failure:
            if connection is None:
                self._permits.release(held)
            else:
                self.drop(connection, held)
            if isinstance(failure, NetworkError):
                failure.__cause__ = failure.__context__ = None  # may repeat a URL with secrets, also in a pickle
                raise failure.error(hop.where) from None
            raise

    def _take_idle(self, hop: Hop) -> Connection | None:
        """Return the most recently used idle connection that may be used again; None if there is none."""
        with suppress(IndexError):  # another thread may have taken the last one
            while self._idle:
                connection = self._idle.pop()
                is_near = is_loopback(connection.peer) if hop.only_loopback else connection.reach <= hop.nearest
                if is_near and connection.is_usable():
                    return connection
                connection.close()
        return None

    def _connect(self, hop: Hop, deadline: float) -> Connection:
        """Open a connection. Its IP address is checked before anything is sent, including TLS (TRN-05)."""
        origin, proxy = self._origin, self._proxy
        stream: Stream | None = None
        try:
            if proxy is None:
                stream = connect(origin.host, origin.port, deadline)
            else:
                stream = connect_by_proxy(proxy, origin, self._proxy_context, deadline)
            nearness = reach(stream.peer) if stream.peer else Reach.PUBLIC
            if nearness > hop.nearest:
                reason = f"its address is {stream.peer}; a registry must not redirect to a private network"
                raise errors.BlockedAddressError("the registry", hop.where, reason)  # noqa: TRY301 (closes the stream)
            if hop.only_loopback and not is_loopback(stream.peer):
                raise no_loopback(hop.where, f"its address is {stream.peer}" if stream.peer else "it is behind a proxy")  # noqa: TRY301 (as
                # above)
            if self._context is not None:
                stream = TLSStream(stream, self._context, origin.host)
                stream.handshake(deadline)
            return Connection(stream, nearness, self._host, self._proxy_headers, is_direct=proxy is None)
        except BaseException:
            if stream is not None:
                stream.close()
            raise

    def give_back(self, connection: Connection, held: list[None]) -> None:
        """Release the permit of a connection. Keep the connection if it may be used again; otherwise close it."""
        if connection.may_be_kept():
            self._idle.append(connection)
            self.used = monotonic()
            if self.closed:
                self.close()
        else:
            connection.close()
        self._permits.release(held)

    def drop(self, connection: Connection, held: list[None]) -> None:
        """Close a connection, and release its permit unless that was already done."""
        try:
            connection.close()
        finally:
            self._permits.release(held)

    def close_unusable(self) -> None:
        """Close idle connections that may not be used again."""
        with suppress(IndexError):
            for _ in range(len(self._idle)):
                connection = self._idle.popleft()
                if connection.is_usable():
                    self._idle.append(connection)
                else:
                    connection.close()

    def close(self) -> None:
        """Close the idle connections. Those in use are closed when they are returned."""
        self.closed = True
        with suppress(IndexError):
            while self._idle:
                self._idle.pop().close()


class PooledResponse:
    """A response whose body has not been read yet, and its pooled connection."""

    def __init__(
        self,
        pool: OriginPool,
        connection: Connection,
        held: list[None],
        head: tuple[int, RawHeaders],
        *,
        hop: Hop,
        seconds: float,
    ) -> None:
        self.status, self.headers = head
        self.peer = connection.peer
        self._pool, self._connection, self._hop, self._seconds = pool, connection, hop, seconds
        self._held = held
        self._is_open, self._at_end = True, False

    def chunk(self, until: float = inf) -> bytes | None:
        """Read the next bytes of the body; return None at the end."""
        if not self._is_open:
            if self._at_end:
                return None
            raise errors.ClosedError(self._hop.where)
        try:
            if self._pool.process != os.getpid():  # the parent of this process also reads the rest
                raise ConnectionLostError  # noqa: TRY301 (closes the connection in this process)
            chunk = self._connection.read_chunk(self._seconds, until)
        except BaseException as failure:
            self.close()
            if isinstance(failure, NetworkError):
                failure.__cause__ = failure.__context__ = None  # as in `send`
                error = failure.error(self._hop.where)
                raise (error if monotonic() >= until else body_timeout(error, self._seconds)) from None
            raise
        if chunk:
            return chunk
        self._at_end = True
        self.close()
        return None

    def close(self) -> None:
        """Return the connection to the pool if the body was read to its end; otherwise close it."""
        if self._is_open:
            try:
                self._is_open = False
                self._pool.give_back(self._connection, self._held)
            except BaseException:  # an interrupt
                self._pool.drop(self._connection, self._held)
                raise
