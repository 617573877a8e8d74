"""The body of a response: read whole within limits, or handed to the caller to read."""

from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic
from typing import Final

from dreg_client import errors
from dreg_client._async.transport import AsyncOpenResponse
from dreg_client.protocol.messages import Headers, Hop
from dreg_client.protocol.options import Timeouts

MAX_REFUSAL: Final = 64 * 1024
"""The most bytes that are read of the body of an error response."""


class AsyncBody:
    """The body of a successful response, still to be read.

    Args:
        opened: The response; its connection is in use until `aclose`.
    """

    def __init__(self, opened: AsyncOpenResponse) -> None:
        self._opened = opened
        self._chunks: AsyncIterator[bytes] | None = None

    async def chunk(self) -> bytes | None:
        """Read the next bytes; None at the end.

        Raises:
            TransportError: The connection was lost, or no bytes came in time.
        """
        if self._chunks is None:
            self._chunks = self._opened.__aiter__()
        return await anext(self._chunks, None)

    async def aclose(self) -> None:
        """Return the connection to the pool if the body was read to its end, else close it."""
        await self._opened.aclose()


async def read_body(hop: Hop, opened: AsyncOpenResponse, headers: Headers, timeouts: Timeouts) -> bytes:
    """Read a body within its limits; of an error response, the beginning is enough.

    Raises:
        ResponseTooLargeError: A successful response is longer than `hop.limit`.
        TransferTimeoutError: A successful response was not complete after `timeouts.whole` seconds.
        TransportError: The connection was lost during a successful response.
    """
    longest = max(timeouts.whole, hop.waits or 0.0)
    if not 200 <= opened.status < 300:
        return await _read_beginning(opened, monotonic() + longest)
    if hop.limit == 0:
        return b""
    stated = headers.content_length or 0
    if hop.method != "HEAD" and stated > hop.limit:
        raise _too_large(hop, stated)
    deadline, size, chunks = monotonic() + longest, 0, list[bytes]()
    async for chunk in opened:
        size += len(chunk)
        if size > hop.limit:
            raise _too_large(hop, size)
        if monotonic() > deadline:
            raise errors.TransferTimeoutError(f"the answer was not whole after {longest:.0f} s", hop.where)
        chunks.append(chunk)
    return b"".join(chunks)


async def _read_beginning(opened: AsyncOpenResponse, deadline: float) -> bytes:
    size, chunks = 0, list[bytes]()
    with suppress(errors.TransportError):
        async for chunk in opened:
            size += len(chunk)
            chunks.append(chunk)
            if size > MAX_REFUSAL or monotonic() > deadline:
                break
    return b"".join(chunks)[:MAX_REFUSAL]


def _too_large(hop: Hop, size: int) -> errors.ResponseTooLargeError:
    return errors.ResponseTooLargeError(f"{hop.where}: its answer", size, hop.limit)
