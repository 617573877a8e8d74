"""Send one HTTP request, read its response within limits, and wait between retries."""

from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from logging import DEBUG
from time import monotonic
from typing import Final

from dreg_client import errors
from dreg_client._async._compat import sleep
from dreg_client._async.transport import AsyncOpenResponse, AsyncRequestBody, AsyncTransport
from dreg_client._logging import log
from dreg_client.protocol.events import Answered, Event, Retrying
from dreg_client.protocol.messages import Headers, Hop, Response
from dreg_client.protocol.network_errors import (
    TOO_LONG,
    body_timeout,
    connection_timeout,
    document_timeout,
    head_timeout,
)
from dreg_client.protocol.options import Options, Timeouts
from dreg_client.protocol.retry import Attempts

AsyncResponseAndBody = tuple[Response, AsyncOpenResponse | None]
"""A response, and its body if that has not been read yet."""
_MOST_OF_AN_ERROR: Final = 64 * 1024
"""The maximum number of bytes to read from the body of an error response."""


class AsyncSender:
    """Sends all HTTP requests of one client, including those for tokens.

    Attributes:
        fixed: The headers of every request.
    """

    def __init__(self, options: Options, transport: AsyncTransport) -> None:
        self.fixed = (("User-Agent", options.user_agent), ("Accept-Encoding", "identity"))
        self._options, self._timeouts, self._transport = options, options.timeouts, transport

    async def send(self, hop: Hop, registry: str = "") -> AsyncResponseAndBody:
        """Send one HTTP request.

        Args:
            hop: The request. With `hop.streams`, the body of a successful response is not read.
            registry: The URL of the registry for which it is sent.
        """
        began = monotonic()
        opened: AsyncOpenResponse | None = None
        seconds = 0.0
        try:
            opened = await self._transport.send(hop, self._timeouts, hop.until)
            if isinstance(hop.content, AsyncRequestBody):  # which may have taken longer
                hop = replace(hop, until=hop.content.pace.response_end())
            headers = Headers(opened.headers)
            seconds = monotonic() - began
            if log.isEnabledFor(DEBUG):
                log.debug("%s %s: %d in %.3f s", hop.method, hop.where, opened.status, seconds)
            if self._options.on_event is not None:
                self._options.on_event(Answered(hop.method, hop.where, opened.status, seconds))
            if hop.streams and 200 <= opened.status < 300:
                return Response(opened.status, headers, b"", hop.url, registry, peer=opened.peer), opened
            body = await _read_body(hop, opened, headers, self._timeouts)
        except BaseException as failure:
            if opened is not None:
                await opened.aclose()
            if isinstance(failure, errors.TransportError):
                elapsed = monotonic() - began
                since_head = None if opened is None else elapsed - seconds
                is_over = monotonic() >= hop.until
                raise self._with_limit(failure, hop, elapsed, since_head, is_over=is_over) from failure.__cause__
            raise
        await opened.aclose()
        return Response(opened.status, headers, body, hop.url, registry, peer=opened.peer), None

    def _with_limit(
        self, failure: errors.TransportError, hop: Hop, elapsed: float, since_head: float | None, *, is_over: bool
    ) -> errors.TransportError:
        """Return the error of a timeout with the limit that was exceeded.

        `since_head` is the time since the head arrived; None if it did not arrive.
        """
        timeouts = self._timeouts
        read = timeouts.read if hop.waits is None else hop.waits
        if isinstance(failure, errors.ConnectError):
            return connection_timeout(failure, timeouts.connect, elapsed)
        if since_head is None:
            return head_timeout(failure, read, elapsed)
        whole = max(timeouts.whole, hop.waits or 0.0)
        return (
            document_timeout(failure, whole, since_head)
            if is_over or since_head >= whole
            else body_timeout(failure, read)
        )

    async def pause(self, method: str, url: str, attempts: Attempts, reason: str, delay: float) -> None:
        """Report why an attempt failed, and wait before the next one."""
        log.info("%s %s: attempt %d failed: %s; retrying in %.1f s", method, url, attempts.made, reason, delay)
        self.emit(Retrying(method, url, attempts.made, reason, delay))
        await sleep(delay)

    def emit(self, event: Event) -> None:
        """Pass an event to `on_event`."""
        if self._options.on_event is not None:
            self._options.on_event(event)


async def _read_body(hop: Hop, opened: AsyncOpenResponse, headers: Headers, timeouts: Timeouts) -> bytes:
    """Read a body within its limits; for an error response, only the beginning."""
    longest = max(timeouts.whole, hop.waits or 0.0)
    # Not a list of chunks: tiny ones would take many times the memory of their bytes. `getvalue` does not copy them.
    deadline, body = min(monotonic() + longest, hop.until), BytesIO()
    if not 200 <= opened.status < 300:
        with suppress(errors.TransportError):
            while (
                body.tell() <= _MOST_OF_AN_ERROR
                and monotonic() <= deadline
                and (chunk := await opened.chunk(deadline)) is not None
            ):
                body.write(chunk)
        return body.getvalue()[:_MOST_OF_AN_ERROR]
    if hop.limit == 0:
        return b""
    if hop.method != "HEAD" and (stated := headers.content_length or 0) > hop.limit:
        raise _too_large(hop, stated)
    while (chunk := await opened.chunk(deadline)) is not None:
        if (size := body.tell() + len(chunk)) > hop.limit:
            raise _too_large(hop, size)
        if monotonic() > deadline:
            raise errors.TransferTimeoutError(TOO_LONG, hop.where)
        body.write(chunk)
    return body.getvalue()


def _too_large(hop: Hop, size: int) -> errors.ResponseTooLargeError:
    return errors.ResponseTooLargeError(f"the response from {hop.where}", size, hop.limit)
