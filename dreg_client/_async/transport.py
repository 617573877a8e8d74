"""The interface between the client and what sends one HTTP request: our connection pool, or a caller's transport."""

from typing import Protocol

from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import Timeouts

RawHeaders = list[tuple[bytes, bytes]]


class AsyncOpenResponse(Protocol):
    """A response whose body is still to be read.

    Attributes:
        status: The status code.
        headers: Names and values, in order, each as often as it came.
        peer: The IP address that responded; empty if unknown (proxies, callers' transports).
    """

    status: int
    headers: RawHeaders
    peer: str

    async def chunk(self) -> bytes | None:
        """Read the next bytes of the body; None at its end. Nothing is decoded but HTTP's own framing.

        Raises:
            TransportError: The connection was lost, or no bytes came in time.
        """
        ...

    async def aclose(self) -> None:
        """Return the connection to the pool if the body was read to its end, else close it."""
        ...


class AsyncTransport(Protocol):
    """Sends one HTTP request; all errors are `DregError`s."""

    async def send(self, hop: Hop, timeouts: Timeouts) -> AsyncOpenResponse:
        """Send a request and read the head of its response.

        Raises:
            TransportError: The request could not be sent, or no response came in time.
            ProtocolError: The response is not valid, or has a length although its body comes in chunks (TRN-28).
            BlockedAddressError: The address is nearer than `hop.nearest` allows; nothing was sent.
            UnsafeURLError: The URL or a header cannot be sent.
            ClosedError: It is closed.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...
