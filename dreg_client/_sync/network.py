# Generated from dreg_client/_async/network.py by tools/generate_sync.py. Do not edit.
"""Sockets: connect, read and write with deadlines, and TLS.

Why we do not use the streams of anyio or httpcore (measured 2026-11):

- Their streams keep received bytes in queues that no public call can inspect. Bytes that a server sends after a
  response can then become the next response (9 of 24 probes; 0 of 144 here). Here, only the kernel and TLS buffer
  bytes, so `is_silent` sees all of them.
- anyio's TLS stream decrypts one record of 16 KiB at a time; ours decrypts everything that has arrived. A download of
  1 GiB over TLS takes 1.6 s of CPU instead of 2.2 s. Without TLS, their queues alone cost 1.2 times as much.
- Their timeouts restart with each byte. Our deadlines are fixed moments of `time.monotonic()`.
- Sockets are not bound to a thread: the same connection can be used by one thread after another.
"""

import errno
import os
import socket
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Final

from dreg_client._sync._compat import Address, checkpoint, getaddrinfo, wait_any_writable, wait_readable, wait_writable
from dreg_client.protocol.network_errors import (
    NOT_SENT,
    ConnectFailedError,
    ConnectionLostError,
    ConnectTimedOutError,
    HTTP2ChosenError,
    NetworkError,
    SendError,
    TransferTimedOutError,
    resolver_failure,
    tls_failure,
)

NARROW: Final = 64 * 1024
"""The maximum number of bytes per read, except for large bodies."""
_NEXT_ADDRESS: Final = 0.25
"""The seconds after which the next address of a host is also tried (RFC 8305, section 8)."""
_STALL: Final = 0.5
"""The seconds after which a write that makes no progress checks whether the server has responded already."""
_CONNECTING: Final = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK})
_RECORD: Final = 16 * 1024
_TLS_READ: Final = 256 * 1024


class SocketStream:
    """A non-blocking socket. Deadlines are moments of `time.monotonic()`.

    Attributes:
        peer: The IP address of the other end; empty if that is a proxy.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.peer = str(sock.getpeername()[0])

    def read(self, most: int, deadline: float) -> bytes:
        """Read the bytes that have arrived, waiting if necessary, at most `most`; empty at the end."""
        has_waited = False
        try:
            while True:
                try:
                    data = self._sock.recv(most)
                except BlockingIOError:
                    has_waited = wait_readable(self._sock, deadline - monotonic())
                    if not has_waited:
                        raise TransferTimedOutError from None
                else:
                    if not has_waited:
                        checkpoint()  # so that a fast server does not keep other threads from running
                        if monotonic() > deadline:  # TLS may read again and again, without any data for us
                            raise TransferTimedOutError
                    return data
        except OSError as failure:
            raise ConnectionLostError from failure

    def write(self, data: bytes | memoryview, deadline: float, stops: Callable[[], bool] | None = None) -> None:
        """Send all bytes. If `stops` returns True while the other end does not read, raise SendError."""
        left = memoryview(data)
        while left:
            try:
                left = left[self._sock.send(left) :]
            except BlockingIOError:
                wait = deadline - monotonic()
                if wait_writable(self._sock, wait if stops is None else min(wait, _STALL)):
                    continue
                if stops is not None and stops():
                    raise SendError from None
                if monotonic() >= deadline:
                    raise TransferTimedOutError(NOT_SENT) from None
            except OSError as failure:
                raise SendError from failure

    def owns(self, sock: socket.socket) -> bool:
        """Return whether this is the stream of a socket."""
        return self._sock is sock

    def has_response(self) -> bool:
        """Return whether something has arrived while a request is being sent."""
        return not self.is_silent()

    def read_now(self, most: int) -> bytes:
        """Read bytes that have arrived, without waiting; empty if there are none."""
        try:
            return self._sock.recv(most)
        except OSError:
            return b""

    def is_silent(self) -> bool:
        """Return whether nothing has arrived: no bytes, and no end of the stream."""
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Close the socket immediately. There is no waiting, so an interrupt cannot leave it open."""
        self._sock.close()


class TLSStream:
    """TLS over another stream, which may itself use TLS (to an https proxy)."""

    def __init__(self, inner: "Stream", context: ssl.SSLContext, host: str) -> None:
        self._inner = inner
        self.peer: str = inner.peer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._early = b""  # bytes that arrived while a request was being sent

    def handshake(self, deadline: float) -> None:
        """Perform the TLS handshake, including verification of the certificate."""
        try:
            while True:
                try:
                    self._tls.do_handshake()
                    self._flush(deadline)
                    break
                except ssl.SSLWantReadError:
                    self._exchange(NARROW, deadline)
        except ssl.SSLError as failure:
            with suppress(NetworkError):
                self._flush(deadline)  # the alert that states the reason to the server
            raise tls_failure(failure) from failure
        except TransferTimedOutError as failure:
            raise ConnectTimedOutError from failure
        except (ConnectionLostError, SendError) as failure:
            cause = failure.__cause__
            raise ConnectFailedError(cause if isinstance(cause, OSError) else None) from failure
        # The caller's context may be shared with httpx, which makes it offer h2. Changing it here would affect httpx.
        if self._tls.selected_alpn_protocol() == "h2":
            raise HTTP2ChosenError

    def read(self, most: int, deadline: float) -> bytes:
        """Read the bytes of all records that have arrived, waiting if necessary, at most `most`; empty at the end."""
        if self._early:
            early, self._early = self._early[:most], self._early[most:]
            return early
        pieces: list[bytes] = []
        size = 0
        while not pieces:
            try:
                while size < most and (piece := self._tls.read(min(most - size, _RECORD))):
                    pieces.append(piece)
                    size += len(piece)
                break
            except ssl.SSLWantReadError:
                if not pieces:
                    self._exchange(min(most, _TLS_READ), deadline)
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                break
            except ssl.SSLError as failure:
                raise tls_failure(failure) from failure
        return b"".join(pieces)

    def write(self, data: bytes | memoryview, deadline: float, stops: Callable[[], bool] | None = None) -> None:
        """Send all bytes (see `SocketStream.write`)."""
        left = memoryview(data)
        while left:
            try:
                left = left[self._tls.write(left) :]  # one record at a time
            except ssl.SSLWantReadError:
                self._exchange(NARROW, deadline)
            except ssl.SSLError as failure:
                raise SendError from failure
            if self._outgoing.pending >= NARROW:
                self._flush(deadline, stops)
        self._flush(deadline, stops)

    def has_response(self) -> bool:
        """Return whether bytes, or the end, have arrived while a request is being sent.

        TLS itself also sends something at any moment, such as tickets, which may arrive in parts.
        """
        while not self._early and self._inner.has_response():
            data = self._inner.read_now(NARROW)
            if not data:
                return True  # the end
            self._incoming.write(data)
            with suppress(ssl.SSLError):
                self._early = self._tls.read(NARROW)
        return bool(self._early)

    def read_now(self, most: int) -> bytes:
        """Read bytes that have arrived, without waiting; empty if there are none."""
        early, self._early = self._early[:most], self._early[most:]
        return early

    def _exchange(self, most: int, deadline: float) -> None:
        """Send the pending output of TLS, then read its input."""
        self._flush(deadline)
        if data := self._inner.read(most, deadline):
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self, deadline: float, stops: Callable[[], bool] | None = None) -> None:
        if self._outgoing.pending:
            self._inner.write(self._outgoing.read(), deadline, stops)

    def is_silent(self) -> bool:
        """Return whether nothing has arrived, neither in TLS nor in the underlying stream."""
        return not (self._early or self._tls.pending() or self._incoming.pending) and self._inner.is_silent()

    def close(self) -> None:
        """Close the stream immediately, without a TLS closing message."""
        self._inner.close()


Stream = SocketStream | TLSStream


def connect(host: str, port: int, deadline: float) -> SocketStream:
    """Connect to the first address of a host that accepts the connection."""
    try:
        addresses = getaddrinfo(host, port, deadline - monotonic())
    except TimeoutError as failure:
        raise ConnectTimedOutError from failure
    except (OSError, UnicodeError) as failure:
        raise resolver_failure(failure) from failure
    return _connect_to_any(deque(addresses), deadline)


def _connect_to_any(addresses: deque[Address], deadline: float) -> SocketStream:
    """Connect to any of several addresses."""
    connecting: deque[socket.socket] = deque()  # all open sockets, because an interrupt may come at any moment
    try:
        stream = _first_connected(addresses, connecting, deadline)
        for sock in connecting:
            if not stream.owns(sock):
                sock.close()
        return stream  # noqa: TRY300 (an interrupt may come here, too)
    except BaseException:
        for sock in connecting:
            sock.close()
        raise


def _first_connected(addresses: deque[Address], connecting: deque[socket.socket], deadline: float) -> SocketStream:
    """Return the first connection that is open (RFC 8305, section 5). Slow attempts continue while others start."""
    last: OSError | None = None
    while addresses or connecting:
        try:
            if addresses:
                _dial(addresses.popleft(), connecting)
        except OSError as failure:
            last = _more_telling(last, failure)
            continue
        next_start = monotonic() + _NEXT_ADDRESS if addresses else deadline
        for sock in wait_any_writable(connecting, min(deadline, next_start) - monotonic()):
            try:
                return _connected(sock)
            except OSError as failure:
                last = _more_telling(last, failure)
                sock.close()
                connecting.remove(sock)
        if connecting and monotonic() >= deadline:
            raise ConnectTimedOutError
    raise (ConnectTimedOutError() if isinstance(last, TimeoutError) else ConnectFailedError(last)) from last


def _more_telling(last: OSError | None, failure: OSError) -> OSError:
    """Return the failure to report: a rejection rather than an unreachable address, otherwise the later one."""
    return last if isinstance(last, ConnectionRefusedError) else failure


def _dial(info: Address, connecting: deque[socket.socket]) -> None:
    """Start to connect to an address, and add the new socket to `connecting`."""
    family, kind, protocol, _, address = info
    connecting.append(socket.socket(family, kind, protocol))
    sock = connecting[-1]
    try:
        sock.setblocking(False)  # noqa: FBT003
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(address)
        if code not in _CONNECTING:
            raise OSError(code, os.strerror(code))  # noqa: TRY301 (closes the socket)
    except OSError:
        sock.close()
        connecting.pop()
        raise


def _connected(sock: socket.socket) -> SocketStream:
    """Return the stream of a socket whose attempt has ended; raise OSError if it failed."""
    if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(code, os.strerror(code))
    return SocketStream(sock)
