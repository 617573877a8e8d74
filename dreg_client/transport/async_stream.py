"""One connection of a task: asyncio's own transport, with the few words that are needed of it."""

import asyncio
import select
import socket
import ssl
from collections import deque
from contextlib import suppress
from typing import Any, Final

from dreg_client.values.sizes import KIBIBYTE

_NARROW: Final = 64 * KIBIBYTE
_NEXT_ADDRESS: Final = 2.0


class AsyncStream(asyncio.BaseProtocol):
    """Octets in both directions. Whoever waits is woken by what comes, by the end, or by the clock.

    What comes is gathered; once there is enough of it, the other side has to wait.

    Args:
        core: The lower layer of the HTTP library; its errors come.
        loop: Whose connection it is.
    """

    def __init__(self, core: Any, loop: asyncio.AbstractEventLoop) -> None:  # noqa: ANN401 (either library's)
        self._core, self._loop = core, loop
        self._transport: Any = None
        self._filled, self._most = 0, _NARROW
        self._ended = self._is_full = self._must_wait = False
        self._failure: Exception | None = None
        self._waiting: asyncio.Future[bool] | None = None

    # --- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = transport

    def eof_received(self) -> None:
        """No more will come."""
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._ended, self._failure = True, exc
        self._wake()

    def pause_writing(self) -> None:
        """The other side does not take what is sent."""
        self._must_wait = True

    def resume_writing(self) -> None:
        """It takes it again."""
        self._must_wait = False
        self._wake()

    # --- what we call

    @property
    def peer(self) -> str:
        """The address at the other end; empty where it has none."""
        address = self._transport.get_extra_info("peername")
        return str(address[0]) if address and not isinstance(address, str) else ""

    @property
    def is_silent(self) -> bool:
        """Whether nothing came that was not asked for, the end included."""
        return not (self._filled or self._ended or _is_readable(self._transport.get_extra_info("socket")))

    async def read(self, most: int, seconds: float) -> bytes:
        """What came, `most` octets of it; none at the end."""
        self._most = max(most, _NARROW)
        while not (self._filled or self._ended):
            if not await self._woken(seconds):
                raise self._core.ReadTimeout
        if self._failure is not None and not self._filled:
            raise self._core.ReadError from self._failure
        octets = self._taken(most)
        self._filled -= len(octets)
        if self._is_full and not self._transport.is_closing():
            self._is_full = False
            self._transport.resume_reading()
        return octets

    def _taken(self, most: int) -> bytes:
        raise NotImplementedError

    def _came(self, octets: int, *, is_full: bool) -> None:
        self._filled += octets
        if is_full:
            self._is_full = True
            self._transport.pause_reading()
        self._wake()

    async def write(self, octets: bytes, seconds: float) -> None:
        """Send octets, and wait until most of them are taken."""
        if self._ended or self._transport.is_closing():
            raise self._core.WriteError
        self._transport.write(octets)
        while self._must_wait:
            if self._ended:
                raise self._core.WriteError
            if not await self._woken(seconds):
                raise self._core.WriteTimeout

    async def secured(self, context: ssl.SSLContext, host: str, seconds: float) -> "AsyncStream":
        """The same connection, by TLS from here on."""
        stream = _SecuredStream(self._core, self._loop)
        try:
            async with asyncio.timeout(seconds):
                made: Any = await self._loop.start_tls(self._transport, stream, context, server_hostname=host)
        except TimeoutError:
            raise self._core.ConnectTimeout from None
        except OSError as failure:
            raise self._core.ConnectError from failure
        stream.connection_made(made)
        return stream

    def close(self) -> None:
        """Close the connection at once; nothing is awaited, so that nothing can be cancelled on the way."""
        self._transport.abort()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(True)

    async def _woken(self, seconds: float) -> bool:
        """Whether something happened in time."""
        waiting: asyncio.Future[bool] = self._loop.create_future()
        self._waiting = waiting
        timer = self._loop.call_later(seconds, _ring, waiting)
        try:
            return await waiting
        finally:
            timer.cancel()
            self._waiting = None


class _PlainStream(AsyncStream, asyncio.BufferedProtocol):
    """What comes is put into one room, without a copy on the way."""

    def __init__(self, core: Any, loop: asyncio.AbstractEventLoop) -> None:  # noqa: ANN401 (either library's)
        super().__init__(core, loop)
        self._room = memoryview(bytearray(_NARROW))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (we know better what is due)
        """Where octets are to be put."""
        if self._filled == 0 and len(self._room) != self._most:
            self._room = memoryview(bytearray(self._most))
        return self._room[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Octets came."""
        self._came(nbytes, is_full=self._filled + nbytes == len(self._room))

    def _taken(self, most: int) -> bytes:
        octets = bytes(self._room[: min(most, self._filled)])
        left = self._filled - len(octets)
        self._room[:left] = self._room[len(octets) : self._filled]
        return octets


class _SecuredStream(AsyncStream, asyncio.Protocol):
    """What comes is taken in pieces: as a connection ends, asyncio's TLS would fill a room of ours only once."""

    def __init__(self, core: Any, loop: asyncio.AbstractEventLoop) -> None:  # noqa: ANN401 (either library's)
        super().__init__(core, loop)
        self._pieces: deque[bytes] = deque()

    def data_received(self, data: bytes) -> None:
        """Octets came."""
        self._pieces.append(data)
        self._came(len(data), is_full=self._filled + len(data) >= self._most and not self._is_full)

    def _taken(self, most: int) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        if len(piece) > most:
            self._pieces.appendleft(piece[most:])
        return piece[:most]


def _is_readable(wire: Any) -> bool:  # noqa: ANN401 (each loop has its own)
    """Whether octets lie there that the loop has not come to yet."""
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([wire], [], [], 0)[0])
    look = select.poll()
    look.register(wire, select.POLLIN)
    return bool(look.poll(0))


def _ring(waiting: asyncio.Future[bool]) -> None:
    if not waiting.done():
        waiting.set_result(False)


async def connected(core: Any, host: str, port: int, seconds: float) -> AsyncStream:  # noqa: ANN401 (as above)
    """A new connection, to the first address of a host that takes it."""
    loop = asyncio.get_running_loop()
    try:
        wire = await _dialled(loop, host, port, seconds)
        try:
            _, stream = await loop.create_connection(lambda: _PlainStream(core, loop), sock=wire)
        except BaseException:
            wire.close()
            raise
    except TimeoutError:
        raise core.ConnectTimeout from None
    except OSError as failure:
        raise core.ConnectError from failure
    return stream


async def _dialled(loop: asyncio.AbstractEventLoop, host: str, port: int, seconds: float) -> socket.socket:
    """The first address that takes the connection; one that is silent does not keep us from the next one for long."""
    async with asyncio.timeout(seconds):
        *others, last = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for address in others:
        with suppress(OSError):
            return await _tried(loop, address, min(seconds, _NEXT_ADDRESS))
    return await _tried(loop, last, seconds)


async def _tried(loop: asyncio.AbstractEventLoop, found: Any, seconds: float) -> socket.socket:  # noqa: ANN401
    """Asyncio's own dialling loses its socket where the task is cancelled as it is done; this one does not."""
    family, kind, protocol, _, address = found
    wire = socket.socket(family, kind, protocol)
    try:
        wire.settimeout(0)
        async with asyncio.timeout(seconds):
            await loop.sock_connect(wire, address)
    except BaseException:
        wire.close()
        raise
    return wire
