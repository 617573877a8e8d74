"""The twin of `handed`, for tasks."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import Options
from dreg_client.transport import lines
from dreg_client.transport.library import translated


class AsyncHandedAnswer:
    """An answer whose body is still to be read; closing it gives its connection back to the transport.

    Attributes:
        status: The status code.
        headers: Names and values, in order.
        peer: Empty: who answered is the transport's business.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    peer: str

    def __init__(self, given: Any, hop: Hop, http: Any) -> None:  # noqa: ANN401 (either library's)
        self.status, self.headers, self.peer = given.status_code, given.headers.raw, ""
        self._given, self._hop, self._http = given, hop, http

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        try:
            async for chunk in self._given.stream:
                yield chunk
        except (self._http.HTTPError, self._http.StreamError) as failure:
            raise translated(failure, self._http, self._hop) from None

    async def close(self) -> None:
        """Give the connection back; one whose body was not read to its end is closed."""
        with suppress(self._http.HTTPError):
            await self._given.stream.aclose()


class AsyncHandedLine:
    """The way to one origin by a transport.

    Args:
        transport: The transport.
        http: Its library.
        options: How long one waits.
    """

    def __init__(self, transport: Any, http: Any, options: Options) -> None:  # noqa: ANN401 (either library's)
        self._transport, self._http, self._timeouts = transport, http, options.timeouts

    async def open(self, hop: Hop) -> AsyncHandedAnswer:
        """Send a request, and read the head of its answer.

        Raises:
            DregError: It could not be sent, or no answer came.
        """
        request = lines.request_of(hop, self._http, self._timeouts)
        try:
            return AsyncHandedAnswer(await self._transport.handle_async_request(request), hop, self._http)
        except (self._http.HTTPError, OSError) as failure:
            raise translated(failure, self._http, hop) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()
