# Generated from dreg_client/_async/socks.py by tools/generate_sync.py. Do not edit.
"""Connections through a SOCKS5 proxy (RFC 1928, RFC 1929), with the library `socksio` (the extra `socks`)."""

from typing import Final

from socksio import ProtocolError
from socksio.socks5 import (
    SOCKS5AuthMethod,
    SOCKS5AuthMethodsRequest,
    SOCKS5AuthReply,
    SOCKS5Command,
    SOCKS5CommandRequest,
    SOCKS5Reply,
    SOCKS5ReplyCode,
    SOCKS5UsernamePasswordReply,
    SOCKS5UsernamePasswordRequest,
)

from dreg_client._sync.network import Stream
from dreg_client.protocol.network_errors import (
    ClosedBeforeResponseError,
    ProxyNeedsPasswordError,
    ProxyRefusedNetworkError,
)
from dreg_client.protocol.proxies import Proxy
from dreg_client.values.origin import Origin

_ADDRESS_LENGTH: Final = {1: 4, 4: 16}
"""The length of an address, by its type. A host name (type 3) states its own length."""
_MAY_PASS: Final = frozenset(
    {
        SOCKS5ReplyCode.GENERAL_SERVER_FAILURE,
        SOCKS5ReplyCode.NETWORK_UNREACHABLE,
        SOCKS5ReplyCode.HOST_UNREACHABLE,
        SOCKS5ReplyCode.CONNECTION_REFUSED,
        SOCKS5ReplyCode.TTL_EXPIRED,
    }
)


def connect_by_socks(stream: Stream, proxy: Proxy, origin: Origin, deadline: float) -> None:
    """Request a connection to an origin from a SOCKS5 proxy, which resolves the host name."""
    username, password = proxy.username.encode(), proxy.password.encode()
    method = SOCKS5AuthMethod.USERNAME_PASSWORD if username or password else SOCKS5AuthMethod.NO_AUTH_REQUIRED
    try:
        stream.write(SOCKS5AuthMethodsRequest([method]).dumps(), deadline)
        if SOCKS5AuthReply.loads(_read(stream, 2, deadline)).method is not method:
            raise ProxyNeedsPasswordError
        if method is SOCKS5AuthMethod.USERNAME_PASSWORD:
            stream.write(SOCKS5UsernamePasswordRequest(username, password).dumps(), deadline)
            if not SOCKS5UsernamePasswordReply.loads(_read(stream, 2, deadline)).success:
                raise ProxyNeedsPasswordError
        request = SOCKS5CommandRequest.from_address(SOCKS5Command.CONNECT, (origin.host, origin.port))
        stream.write(request.dumps(), deadline)
        head = _read(stream, 5, deadline)  # up to the first byte of the address
        if head[1]:
            is_refused = head[1:2] == SOCKS5ReplyCode.CONNECTION_REFUSED
            raise ProxyRefusedNetworkError(may_pass=head[1:2] in _MAY_PASS, by_target=is_refused)
        length = _ADDRESS_LENGTH.get(head[3], head[4] + 1)
        SOCKS5Reply.loads(head + _read(stream, length + 1, deadline))
    except (ProtocolError, UnicodeError) as failure:
        raise ProxyRefusedNetworkError from failure


def _read(stream: Stream, size: int, deadline: float) -> bytes:
    """Read exactly `size` bytes, because the bytes after them come from the origin."""
    data = b""
    while len(data) < size:
        piece = stream.read(size - len(data), deadline)
        if not piece:
            raise ClosedBeforeResponseError
        data += piece
    return data
