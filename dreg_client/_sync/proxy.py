# Generated from dreg_client/_async/proxy.py by tools/generate_sync.py. Do not edit.
"""Connections through proxies: CONNECT (RFC 9110 9.3.6) and SOCKS5 (RFC 1928), with our own streams.

Current HTTP libraries accept bytes after the response of a proxy as the next response (16 of 18 probes), and read the
head of that response without a deadline.
"""

import ssl
from importlib.util import find_spec

import h11

from dreg_client._sync.heads import Event, new_parser, read_head
from dreg_client._sync.network import NARROW, Stream, TLSStream, connect
from dreg_client.errors import MissingLibraryError
from dreg_client.protocol.network_errors import (
    BadHTTPError,
    ClosedBeforeResponseError,
    ConnectTimedOutError,
    NetworkError,
    ProxyNeedsPasswordError,
    ProxyRefusedNetworkError,
    TransferTimedOutError,
)
from dreg_client.protocol.proxies import Proxy
from dreg_client.values.origin import Origin


def connect_by_proxy(proxy: Proxy, origin: Origin, context: ssl.SSLContext | None, deadline: float) -> Stream:
    """Open a connection through a proxy; for plain HTTP through an HTTP proxy, a connection to the proxy.

    Args:
        proxy: The proxy.
        origin: The origin to connect to.
        context: The TLS context for an https proxy; None for other proxies.
        deadline: When the connection must be open, by `time.monotonic()`.
    """
    if proxy.is_socks and find_spec("socksio") is None:
        raise MissingLibraryError("socksio", "socks")
    stream: Stream | None = None
    try:
        stream = connect(proxy.host, proxy.port, deadline)
        stream.peer = ""  # it would be the proxy's address, not the origin's
        if context is not None:
            stream = TLSStream(stream, context, proxy.host)
            stream.handshake(deadline)
        if proxy.is_socks:
            from dreg_client._sync.socks import connect_by_socks  # noqa: PLC0415 (needs an extra)

            connect_by_socks(stream, proxy, origin, deadline)
        elif origin.scheme == "https":
            _open_tunnel(stream, proxy, origin, deadline)
    except BaseException as failure:
        if stream is not None:
            stream.close()
        if isinstance(failure, TransferTimedOutError):
            late = ConnectTimedOutError()
            _name_proxy(late, proxy)
            raise late from failure
        _name_proxy(failure, proxy)
        raise
    return stream


def _name_proxy(failure: BaseException, proxy: Proxy) -> None:
    """Add the name of a proxy that failed to the error, and the option or variable that sets it."""
    if isinstance(failure, ProxyRefusedNetworkError | ProxyNeedsPasswordError):
        failure.reason = failure.reason.replace("the proxy", proxy.name, 1)
    elif isinstance(failure, NetworkError):
        failure.reason = f"{proxy.name}: {failure.reason}"


def _open_tunnel(stream: Stream, proxy: Proxy, origin: Origin, deadline: float) -> None:
    """Open a tunnel by CONNECT."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    target = f"{host}:{origin.port}".encode("ascii")
    http = new_parser()
    request = h11.Request(method="CONNECT", target=target, headers=[(b"Host", target), *proxy.headers])
    stream.write(http.send(request) + http.send(h11.EndOfMessage()), deadline)

    def next_event(deadline: float) -> Event:
        while (event := http.next_event()) is h11.NEED_DATA:
            if not (data := stream.read(NARROW, deadline)):
                raise ClosedBeforeResponseError
            http.receive_data(data)
        return event

    try:
        head = read_head(next_event, deadline)
    except h11.RemoteProtocolError as failure:
        raise BadHTTPError from failure
    if not 200 <= head.status_code < 300:
        raise ProxyRefusedNetworkError(head.status_code)
    if http.trailing_data[0]:  # from the proxy, not from the origin, because TLS has not started yet
        raise BadHTTPError
