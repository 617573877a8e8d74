"""Sends one HTTP request and reads its response; and waits between the attempts of one."""

from dataclasses import replace
from logging import DEBUG
from time import monotonic

from dreg_client import errors
from dreg_client._async._compat import sleep
from dreg_client._async.response_body import AsyncBody, read_body
from dreg_client._async.transport import AsyncTransport
from dreg_client._logging import log
from dreg_client.protocol.events import Answered, Event, Retrying
from dreg_client.protocol.messages import Headers, Hop, Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.retry import Attempts
from dreg_client.values.origin import Origin

AsyncAnswer = tuple[Response, AsyncBody | None]
"""A response; if its body is still to be read, that, else None."""


class AsyncHopSender:
    """Sends the HTTP requests of one client. Everything that is sent goes through `send`.

    Args:
        options: The options of the client.
        transport: What sends.

    Attributes:
        fixed: The headers that every request has.
    """

    fixed: tuple[tuple[str, str], ...]

    def __init__(self, options: Options, transport: AsyncTransport) -> None:
        self.fixed = (("User-Agent", options.user_agent), ("Accept-Encoding", "identity"))
        self._options, self._timeouts, self._transport = options, options.timeouts, transport
        self._closed = False

    async def send(self, hop: Hop, registry: str = "") -> AsyncAnswer:
        """Send one HTTP request.

        Args:
            hop: The request. If `hop.streams`, the body of a successful response is not read.
            registry: The URL of the registry for which it is sent.

        Raises:
            TransportError: The request could not be sent, or no complete response came in time.
            ProtocolError: The response breaks the rules of HTTP.
            ResponseTooLargeError: The body of a successful response is longer than `hop.limit`.
            BlockedAddressError: The address is nearer than `hop.nearest` allows.
            ClosedError: The client is closed.
        """

    def attempts(self) -> Attempts:
        """Return the attempts of one request."""

    async def pause(self, method: str, url: str, attempts: Attempts, reason: str, delay: float) -> None:
        """Wait before the next attempt, and tell about it."""

    def tell(self, event: Event) -> None:
        """Hand an event to `on_event`."""

    async def aclose(self) -> None:
        """Close all connections."""
