"""The twin of `kept`, for tasks; a task that is cancelled anywhere closes the connection that it held."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from ssl import SSLContext

from dreg_client import errors
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import Options
from dreg_client.transport import lines
from dreg_client.transport.async_stream import AsyncStream, connected
from dreg_client.transport.keeping import Head, Kept, Messages, length_of
from dreg_client.transport.library import Library, failures_of, translated
from dreg_client.values.origin import Origin


class AsyncKeptConnection(Kept):
    """One connection.

    Args:
        stream: What it reads and writes by.
        messages: How it is spoken on.
        library: Whose errors come.
    """

    def __init__(self, stream: AsyncStream, messages: Messages, library: Library) -> None:
        super().__init__(messages, stream.peer)
        self._stream, self._core = stream, library.core

    async def ask(self, hop: Hop, waits: dict[str, float]) -> Head:
        """Send a request, and read the head of its answer."""
        octets = self.messages.request(hop)
        # Who is refused while sending may have an answer all the same.
        with suppress(self._core.WriteError):
            await self._stream.write(octets, waits["write"])
        while (head := self.messages.head()) is None:
            await self.receive(waits["read"])
        return head

    async def receive(self, seconds: float) -> None:
        """Read what comes next."""
        self.messages.receive(await self._stream.read(self.messages.due, seconds))

    @property
    def is_usable(self) -> bool:
        """Whether it may be used again; what came before anything was asked is an end, or no answer to us."""
        return self._stream.is_silent and not self.is_over

    def close(self) -> None:
        """Close it."""
        self._stream.close()


class AsyncKeptAnswer:
    """An answer whose body is still to be read; closing it keeps the connection, or closes that.

    Attributes:
        status: The status code.
        headers: Names and values, in order.
        peer: The address that answered.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    peer: str

    def __init__(
        self, line: "AsyncKeptLine", connection: AsyncKeptConnection, head: Head, hop: Hop, seconds: float
    ) -> None:
        self.status, self.headers, self.peer = head.status, head.headers, connection.peer
        self._line, self._connection, self._hop, self._seconds = line, connection, hop, seconds
        if hop.streams and head.status in {200, 206}:
            connection.messages.read_wide(length_of(head), is_part=head.status == 206)

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        messages = self._connection.messages
        try:
            while (chunk := messages.chunk()) != b"":
                if chunk is not None:
                    yield chunk
                else:
                    await self._connection.receive(self._seconds)
        except self._line.failures as failure:
            raise self._line.translated(failure, self._hop) from None

    async def close(self) -> None:
        """Keep the connection where the answer was read to its end, else close it."""
        self._line.give_back(self._connection)


class AsyncKeptLine:
    """The way to one origin without a proxy.

    Args:
        origin: Where.
        context: The rules for TLS.
        library: What reaches it.
        options: How long one waits.

    Attributes:
        failures: What a connection raises, before it is `translated`.
    """

    failures: tuple[type[Exception], ...]

    def __init__(self, origin: Origin, context: SSLContext, library: Library, options: Options) -> None:
        self._origin, self._context, self._library, self._timeouts = origin, context, library, options.timeouts
        self.failures = failures_of(library.core)
        self._idle: deque[AsyncKeptConnection] = deque()
        self._closed = False
        if origin.scheme == "https":
            context.set_alpn_protocols(["http/1.1"])

    async def open(self, hop: Hop) -> AsyncKeptAnswer:
        """Send a request, and read the head of its answer.

        Raises:
            DregError: It could not be sent, or no answer came.
        """
        try:
            kept = self._kept()
            answer = await self._asked_again(kept, hop) if kept is not None else None
            return answer or await self._asked(await self._connected(hop), hop)
        except self.failures as failure:
            raise self.translated(failure, hop) from None

    def translated(self, failure: Exception, hop: Hop) -> errors.DregError:
        """What one of the `failures` means."""
        return translated(failure, self._library.core, hop)

    def _kept(self) -> AsyncKeptConnection | None:
        """The connection that was used last, of those that may be used again."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
            connection.close()
        return None

    async def _asked_again(self, connection: AsyncKeptConnection, hop: Hop) -> AsyncKeptAnswer | None:
        """The answer on a kept connection; None where that turns out to be closed."""
        try:
            return await self._asked(connection, hop)
        except (self._library.core.NetworkError, self._library.core.RemoteProtocolError):
            if not connection.is_asked_again(hop):
                raise
            return None

    async def _asked(self, connection: AsyncKeptConnection, hop: Hop) -> AsyncKeptAnswer:
        waits = lines.timeouts_of(hop, self._timeouts)
        try:
            lines.refuse_near_peer(hop, connection.peer)
            return AsyncKeptAnswer(self, connection, await connection.ask(hop, waits), hop, waits["read"])
        except BaseException:
            connection.close()
            raise

    async def _connected(self, hop: Hop) -> AsyncKeptConnection:
        """A new connection; the address that is dialled is looked at before anything is sent."""
        seconds, host = self._timeouts.connect, self._origin.host
        stream = await connected(self._library.core, host, self._origin.port, seconds)
        try:
            lines.refuse_near_peer(hop, stream.peer)
            if self._origin.scheme == "https":
                stream = await stream.secured(self._context, host, seconds)
            return AsyncKeptConnection(stream, Messages(self._library, self._origin), self._library)
        except BaseException:
            stream.close()
            raise

    def give_back(self, connection: AsyncKeptConnection) -> None:
        """Keep a connection for the next request, where it may be used again."""
        if connection.messages.is_kept and not self._closed:
            connection.keep()
            self._idle.append(connection)
        else:
            connection.close()

    async def close(self) -> None:
        """Close the connections that nobody uses; the others are closed when they are given back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        await asyncio.sleep(0)  # asyncio lets go of their sockets in its next round
