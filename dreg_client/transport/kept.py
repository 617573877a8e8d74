"""Connections to one origin, kept by ourselves, for threads; its twin is `async_kept`."""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from socket import SHUT_RDWR, socket
from ssl import SSLContext
from typing import Any

from dreg_client import errors
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import Options
from dreg_client.transport import lines
from dreg_client.transport.keeping import Head, Kept, Messages, length_of
from dreg_client.transport.library import Library, failures_of, translated
from dreg_client.values.origin import Origin
from dreg_client.waiting import on_leaving


class KeptConnection(Kept):
    """One connection.

    Args:
        stream: The HTTP library's.
        messages: How it is spoken on.
        library: Whose errors come.
    """

    def __init__(self, stream: Any, messages: Messages, library: Library) -> None:  # noqa: ANN401 (either library's)
        super().__init__(messages, lines.peer_of(stream))
        self._stream, self._core = stream, library.core

    def ask(self, hop: Hop, waits: dict[str, float]) -> Head:
        """Send a request, and read the head of its answer."""
        octets = self.messages.request(hop)
        # Who is refused while sending may have an answer all the same.
        with suppress(self._core.WriteError):
            self._stream.write(octets, timeout=waits["write"])
        while (head := self.messages.head()) is None:
            self.receive(waits["read"])
        return head

    def receive(self, seconds: float) -> None:
        """Read what comes next."""
        self.messages.receive(self._stream.read(self.messages.due, timeout=seconds))

    @property
    def is_usable(self) -> bool:
        """Whether it may be used again; what can be read before anything was asked is an end, or no answer to us."""
        return not (self.is_over or self._stream.get_extra_info("is_readable") or self._holds_octets())

    def _holds_octets(self) -> bool:
        wire = self._stream.get_extra_info("socket")
        return bool(getattr(wire, "pending", int)())

    def interrupt(self) -> None:
        """End what another thread reads or writes here."""
        wire = self._stream.get_extra_info("socket")
        with suppress(OSError):  # of TLS, too, it is the socket beneath that ends
            socket.shutdown(wire, SHUT_RDWR)

    def close(self) -> None:
        """Close it."""
        with suppress(OSError):
            self._stream.close()


class KeptAnswer:
    """An answer whose body is still to be read; closing it keeps the connection, or closes that.

    Attributes:
        status: The status code.
        headers: Names and values, in order.
        peer: The address that answered.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    peer: str

    def __init__(self, line: "KeptLine", connection: KeptConnection, head: Head, hop: Hop, seconds: float) -> None:
        self.status, self.headers, self.peer = head.status, head.headers, connection.peer
        self._line, self._connection, self._hop, self._seconds = line, connection, hop, seconds
        if hop.streams and head.status in {200, 206}:
            connection.messages.read_wide(length_of(head), is_part=head.status == 206)

    def __iter__(self) -> Iterator[bytes]:
        messages = self._connection.messages
        on_leaving(self._connection.interrupt)
        try:
            while (chunk := messages.chunk()) != b"":
                if chunk is not None:
                    yield chunk
                else:
                    self._connection.receive(self._seconds)
        except self._line.failures as failure:
            raise self._line.translated(failure, self._hop) from None

    def close(self) -> None:
        """Keep the connection where the answer was read to its end, else close it."""
        self._line.give_back(self._connection)


class KeptLine:
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
        self._network = library.core.SyncBackend()
        self._idle: deque[KeptConnection] = deque()
        self._closed = False
        if origin.scheme == "https":
            context.set_alpn_protocols(["http/1.1"])

    def open(self, hop: Hop) -> KeptAnswer:
        """Send a request, and read the head of its answer.

        Raises:
            DregError: It could not be sent, or no answer came.
        """
        try:
            kept = self._kept()
            answer = self._asked_again(kept, hop) if kept is not None else None
            return answer or self._asked(self._connected(hop), hop)
        except self.failures as failure:
            raise self.translated(failure, hop) from None

    def translated(self, failure: Exception, hop: Hop) -> errors.DregError:
        """What one of the `failures` means."""
        return translated(failure, self._library.core, hop)

    def _kept(self) -> KeptConnection | None:
        """The connection that was used last, of those that may be used again."""
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if connection.is_usable:
                    return connection
                connection.close()
        return None

    def _asked_again(self, connection: KeptConnection, hop: Hop) -> KeptAnswer | None:
        """The answer on a kept connection; None where that turns out to be closed."""
        try:
            return self._asked(connection, hop)
        except (self._library.core.NetworkError, self._library.core.RemoteProtocolError):
            if not connection.is_asked_again(hop):
                raise
            return None

    def _asked(self, connection: KeptConnection, hop: Hop) -> KeptAnswer:
        waits = lines.timeouts_of(hop, self._timeouts)
        on_leaving(connection.interrupt)
        try:
            lines.refuse_near_peer(hop, connection.peer)
            return KeptAnswer(self, connection, connection.ask(hop, waits), hop, waits["read"])
        except BaseException:
            on_leaving(None)
            connection.close()
            raise

    def _connected(self, hop: Hop) -> KeptConnection:
        """A new connection; the address that is dialled is looked at before anything is sent."""
        seconds = self._timeouts.connect
        stream = self._network.connect_tcp(self._origin.host, self._origin.port, timeout=seconds)
        try:
            lines.refuse_near_peer(hop, lines.peer_of(stream))
            if self._origin.scheme == "https":
                stream = stream.start_tls(self._context, server_hostname=self._origin.host, timeout=seconds)
            return KeptConnection(stream, Messages(self._library, self._origin), self._library)
        except BaseException:
            stream.close()
            raise

    def give_back(self, connection: KeptConnection) -> None:
        """Keep a connection for the next request, where it may be used again."""
        on_leaving(None)
        if not connection.messages.is_kept:
            connection.close()
            return
        connection.keep()
        self._idle.append(connection)
        if self._closed:
            self.close()

    def close(self) -> None:
        """Close the connections that nobody uses; the others are closed when they are given back."""
        self._closed = True
        with suppress(IndexError):
            while True:
                self._idle.pop().close()
