# Generated from dreg_client/_async/socks.py by tools/generate_sync.py. Do not edit.
"""Connections through a SOCKS5 proxy (RFC 1928, RFC 1929), by the library `socksio` (the extra `socks`)."""

from typing import Final

from dreg_client.errors import ConfigError
from dreg_client.protocol.network_errors import (
    BadHTTPError,
    ClosedBeforeResponseError,
    ProxyNeedsPasswordError,
    ProxyRefusedNetworkError,
)
from dreg_client.protocol.proxies import Proxy
from dreg_client.values.origin import Origin
from socksio import (
    ProtocolError,
    SOCKS5AuthMethod,
    SOCKS5AuthMethodsRequest,
    SOCKS5AuthReply,
    SOCKS5Command,
    SOCKS5CommandRequest,
    SOCKS5Connection,
    SOCKS5Reply,
    SOCKS5ReplyCode,
    SOCKS5UsernamePasswordRequest,
)

from dreg_client._sync.network import Stream

_ADDRESS_LENGTH: Final = {1: 4, 4: 16}
"""The length of an address by its type; a name (3) says its own."""
_MAY_PASS: Final = frozenset(
    {
        SOCKS5ReplyCode.GENERAL_SERVER_FAILURE,
        SOCKS5ReplyCode.NETWORK_UNREACHABLE,
        SOCKS5ReplyCode.HOST_UNREACHABLE,
        SOCKS5ReplyCode.CONNECTION_REFUSED,
        SOCKS5ReplyCode.TTL_EXPIRED,
    }
)


def ask_socks(stream: Stream, proxy: Proxy, origin: Origin, deadline: float) -> None:
    """Ask a SOCKS5 proxy for a connection to an origin. The proxy resolves its name.

    Raises:
        NetworkError: The proxy refused, or its replies are not valid.
        ConfigError: The user name or the password is too long.
    """
    socks = SOCKS5Connection()
    try:
        _authenticate(socks, stream, proxy, deadline)
        socks.send(SOCKS5CommandRequest.from_address(SOCKS5Command.CONNECT, (origin.host, origin.port)))
        stream.write(socks.data_to_send(), deadline)
        head = _read(stream, 5, deadline)  # as far as the length of the address
        length = _ADDRESS_LENGTH.get(head[3], head[4] + 1)
        reply = socks.receive_data(head + _read(stream, length + 1, deadline))
    except ProtocolError as failure:
        raise BadHTTPError from failure
    if not isinstance(reply, SOCKS5Reply) or reply.reply_code is not SOCKS5ReplyCode.SUCCEEDED:
        raise ProxyRefusedNetworkError(may_pass=isinstance(reply, SOCKS5Reply) and reply.reply_code in _MAY_PASS)


def _authenticate(socks: SOCKS5Connection, stream: Stream, proxy: Proxy, deadline: float) -> None:
    username, password = proxy.username.encode(), proxy.password.encode()
    if max(len(username), len(password)) > 255:
        raise ConfigError("a proxy is named whose user or password is longer than 255 bytes")
    method = SOCKS5AuthMethod.USERNAME_PASSWORD if username or password else SOCKS5AuthMethod.NO_AUTH_REQUIRED
    socks.send(SOCKS5AuthMethodsRequest([method]))
    stream.write(socks.data_to_send(), deadline)
    reply = socks.receive_data(_read(stream, 2, deadline))
    if not isinstance(reply, SOCKS5AuthReply) or reply.method is not method:
        raise ProxyNeedsPasswordError
    if method is SOCKS5AuthMethod.USERNAME_PASSWORD:
        socks.send(SOCKS5UsernamePasswordRequest(username, password))
        stream.write(socks.data_to_send(), deadline)
        accepted = socks.receive_data(_read(stream, 2, deadline))
        if isinstance(accepted, SOCKS5AuthReply | SOCKS5Reply) or not accepted.success:
            raise ProxyNeedsPasswordError


def _read(stream: Stream, size: int, deadline: float) -> bytes:
    """Read exactly so many bytes: what follows is the origin's."""
    data = b""
    while len(data) < size:
        piece = stream.read(size - len(data), deadline)
        if not piece:
            raise ClosedBeforeResponseError
        data += piece
    return data
