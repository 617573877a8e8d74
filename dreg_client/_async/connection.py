"""One HTTP/1.1 connection, using h11's public API.

httpcore 1.0.9 is not used, because it accepts bytes after a response as the next response, restarts the timeout for a
response with each byte of its head, and leaves connections open when async code is cancelled.
"""

from time import monotonic
from typing import Final

import h11

from dreg_client import errors
from dreg_client._async.heads import Event, new_parser, read_head
from dreg_client._async.network import NARROW, AsyncStream
from dreg_client._async.transport import AsyncRequestBody, RawHeaders
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.network_errors import (
    BadHTTPError,
    ClosedBeforeResponseError,
    ClosedInBodyError,
    OnlyTLSNetworkError,
    SendError,
    body_length,
)
from dreg_client.values.origin import Reach
from dreg_client.values.sizes import MEBIBYTE

_IDLE: Final = 30.0
"""The seconds for which an idle connection is kept."""
_WIDE: Final = MEBIBYTE
"""The maximum number of bytes per read of a large body."""
_SMALL_PART: Final = 4 * MEBIBYTE
_TLS_ALERT: Final = b"\x15\x03"
"""The start of a TLS alert (RFC 8446 5.1), with which a TLS server replies to plain HTTP."""
_HAS_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_WHOLE_OR_PART: Final = frozenset({200, 206})
# Not allowed in a URL, but common in URLs from registries. Everything else is sent unchanged.
_ENCODED: Final = {ord(character): f"%{ord(character):02X}" for character in "\"<>`{}'"}


class AsyncConnection:
    """One connection, for one request at a time.

    Args:
        stream: An open stream.
        reach: The network of the other end.
        host: The value of the `Host` header.
        proxied: The headers for a proxy that gets requests in absolute form; None if there is no such proxy.
        is_direct: Whether there is no proxy. Then a TLS alert in reply to plain HTTP means that the server needs TLS.

    Attributes:
        peer: The IP address at the other end; empty if unknown.
        heard: Whether any byte of the current response has arrived.
    """

    def __init__(
        self, stream: AsyncStream, reach: Reach, host: bytes, proxied: RawHeaders | None, *, is_direct: bool
    ) -> None:
        self._stream, self._is_direct, self.peer, self.reach = stream, is_direct, stream.peer, reach
        self._headers = [(b"Host", host), *(proxied or ())]
        self._prefix = b"" if proxied is None else b"http://" + host
        self._h11 = new_parser()
        self.heard = self._ended = self._keeps = False
        self._left: int | None = None  # of a large body, which is counted instead of parsed
        self._first = b""
        self._most = _WIDE
        self._since = 0.0

    async def send(
        self, hop: Hop, target: str, write_seconds: float, read_seconds: float, until: float
    ) -> tuple[int, RawHeaders]:
        """Send a request, and read the status and headers of its response.

        The head, including all interim responses (1xx), must be complete within `read_seconds`, and before `until`.
        """
        data, is_sent = self._request(hop, target), True
        try:
            for start in range(0, len(data), NARROW):
                await self._stream.write(data[start : start + NARROW], min(monotonic() + write_seconds, until))
            if isinstance(hop.content, AsyncRequestBody):
                is_sent = await self._send_body(hop.content, write_seconds)
                until = hop.content.pace.response_end(read_seconds)
        except SendError:
            is_sent = False  # a server may respond early, and close the connection while the request is being sent
        deadline = min(monotonic() + read_seconds, until)
        head = await read_head(self._next_event, deadline)
        # h11 knows the rules: after HTTP/1.0 or `Connection: close`, `our_state` is not DONE here.
        self._keeps = is_sent and self._h11.our_state is h11.DONE
        status, headers = head.status_code, head.headers.raw_items()
        length = body_length(headers)
        if length is not None and length >= _WIDE and status in _WHOLE_OR_PART and hop.method == "GET":
            # h11 holds at most the bytes of one read, which are fewer than the body has.
            self._first = self._h11.trailing_data[0]
            self._left = length - len(self._first)
            # Small ranges are read concurrently, each in its own thread, whose allocator never returns the memory of
            # a large read. So they are read in small pieces.
            self._most = NARROW if status == 206 and length <= _SMALL_PART else _WIDE
        return status, headers

    async def _send_body(self, body: AsyncRequestBody, seconds: float) -> bool:
        """Send a body as it is read; return False if the server responded before its end."""
        async for piece in body:
            self._h11.send_with_data_passthrough(h11.Data(data=piece))  # which counts the bytes
            left = memoryview(piece)
            while left:
                if self._stream.has_response():
                    return False
                part, left = left[: body.pace.piece], left[body.pace.piece :]
                began = monotonic()
                end = min(began + seconds, body.pace.until(began))
                await self._stream.write(part, end, self._stream.has_response)
                body.pace.add(len(part), monotonic() - began)
                body.left -= len(part)
        self._h11.send(h11.EndOfMessage())
        return True

    def _request(self, hop: Hop, text: str) -> bytes:
        if self._left is not None:
            self._h11, self._left = new_parser(), None
        elif self._ended:
            self._h11.start_next_cycle()
        self.heard = self._ended = False
        try:
            headers = self._headers.copy()
            for name, value in hop.headers:
                headers.append((name.encode("ascii"), value.encode("latin-1")))
            if hop.body or hop.method in _HAS_BODY:
                length = hop.content.length if isinstance(hop.content, AsyncRequestBody) else len(hop.body)
                headers.append((b"Content-Length", b"%d" % length))
            target = self._prefix + request_target(text)
            data = self._h11.send(h11.Request(method=hop.method, target=target, headers=headers))
            if hop.body:
                data += self._h11.send(h11.Data(data=hop.body))
            if hop.content is None:
                self._h11.send(h11.EndOfMessage())
        except (h11.LocalProtocolError, UnicodeError):
            raise errors.UnsafeURLError(hop.where, hop.where, _unsendable_part(hop)) from None
        return data

    async def _next_event(self, deadline: float) -> Event:
        data: bytes | None = None
        try:
            while (event := self._h11.next_event()) is h11.NEED_DATA:
                data = await self._stream.read(NARROW, deadline)
                if self._is_direct and not self.heard and data.startswith(_TLS_ALERT):
                    raise OnlyTLSNetworkError
                if not data and self._h11.their_state is h11.SEND_RESPONSE:
                    raise ClosedBeforeResponseError
                self.heard = True
                self._h11.receive_data(data)
        except h11.RemoteProtocolError as failure:
            raise (ClosedInBodyError if data == b"" else BadHTTPError) from failure
        return event

    async def read_chunk(self, seconds: float, until: float) -> bytes:
        """Read the next chunk of the body, within `seconds` and before `until`; return an empty one at the end."""
        if self._left is None:
            event = await self._next_event(min(monotonic() + seconds, until))
            if isinstance(event, h11.Data):
                return bytes(event.data)
            self._ended = True
            return b""
        data, self._first = self._first, b""
        if not data and self._left:
            data = await self._stream.read(min(self._left, self._most), min(monotonic() + seconds, until))
            if not data:
                raise ClosedInBodyError
            self._left -= len(data)
        self._ended = not data
        return data

    def may_be_kept(self) -> bool:
        """Return whether the response was read to its end, nothing follows it, and HTTP allows another request."""
        if not self._keeps:
            return False
        self._since = monotonic()
        if self._left is not None:
            return not (self._left or self._first)
        if not self._ended:  # an empty body was not read, so h11 has not parsed its end yet
            try:
                self._ended = isinstance(self._h11.next_event(), h11.EndOfMessage)
            except h11.RemoteProtocolError:
                return False
        return self._ended and not self._h11.trailing_data[0]

    def is_usable(self) -> bool:
        """Return whether the connection was idle for a short time only, and nothing has arrived since.

        Anything that arrives before a request is the end of the connection, or not a response to our request.
        """
        return monotonic() - self._since <= _IDLE and self._stream.is_silent()

    def close(self) -> None:
        """Close the connection immediately."""
        self._stream.close()


def _unsendable_part(hop: Hop) -> str:
    """Return a message about the part of a request that cannot be sent. It has no values, which may be secret."""
    sample = [(b"Host", b"x")]
    try:
        h11.Request(method=hop.method, target=b"/", headers=sample)
    except (h11.LocalProtocolError, UnicodeError):
        return f"the method {hop.method[:50]!r} cannot be sent"
    for name, value in hop.headers:
        try:
            h11.Request(method="GET", target=b"/", headers=[*sample, (name.encode("ascii"), value.encode("latin-1"))])
        except (h11.LocalProtocolError, UnicodeError):
            return f"the header {name[:50]!r} cannot be sent"
    return "not a valid URL"


def request_target(text: str) -> bytes:
    """Return path and query as they are sent; raise UnicodeError if they are not ASCII."""
    target = text.partition("#")[0].translate(_ENCODED).encode("ascii")
    return target if target.startswith(b"/") else b"/" + target
