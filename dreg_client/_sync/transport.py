# Generated from dreg_client/_async/transport.py by tools/generate_sync.py. Do not edit.
"""The interface between the client and its transport: our connection pool, or the caller's transport."""

from collections.abc import Iterator
from math import inf
from typing import Protocol

from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import Timeouts
from dreg_client.protocol.pace import SendingPace

RawHeaders = list[tuple[bytes, bytes]]


class RequestBody:
    """A body that is sent as it is read, and only once (`Hop.content`).

    Args:
        pieces: The bytes.
        length: How many bytes there are.
        pace: How fast they must be sent.

    Attributes:
        left: How many bytes were not sent yet.
    """

    def __init__(self, pieces: Iterator[bytes], length: int, pace: SendingPace) -> None:
        self._pieces, self.length, self.left, self.pace = pieces, length, length, pace

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces


class OpenResponse(Protocol):
    """A response whose body has not been read yet.

    Attributes:
        status: The status code.
        headers: Names and values, in order, with repetitions.
        peer: The IP address that responded; empty if unknown (proxies, callers' transports).
    """

    status: int
    headers: RawHeaders
    peer: str

    def chunk(self, until: float = inf) -> bytes | None:
        """Read the next bytes of the body; return None at the end. Only HTTP's framing is decoded.

        Args:
            until: When they must have arrived, by `time.monotonic()`, even if the timeout is longer.

        Raises:
            TransportError: The connection was lost, or no bytes arrived in time.
        """
        ...

    def close(self) -> None:
        """Return the connection to the pool if the body was read to its end; otherwise close it."""
        ...


class Transport(Protocol):
    """A transport for single HTTP requests. All errors are `DregError`s."""

    def send(self, hop: Hop, timeouts: Timeouts, until: float = inf) -> OpenResponse:
        """Send a request and read the head of its response.

        Args:
            hop: The request.
            timeouts: The timeouts.
            until: When the head must have arrived, by `time.monotonic()`, even if the timeouts are longer. If the
                request has a `RequestBody`: when it must begin to be sent; its `pace` limits the rest.

        Raises:
            TransportError: The request could not be sent, or no response arrived in time.
            ProtocolError: The response is not valid HTTP, or has both a length and chunked encoding (TRN-28).
            BlockedAddressError: The host is in a more private network than `hop.nearest`. Nothing was sent.
            UnsafeURLError: The URL or a header is not valid.
            ClosedError: The transport is closed.
        """
        ...

    def close(self) -> None:
        """Close all connections."""
        ...
