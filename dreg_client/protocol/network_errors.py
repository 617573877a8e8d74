"""Failures below the registry protocol: name lookup, connections, TLS, HTTP/1.1. Raised inside the network layer only.

A socket does not know its URL. So the streams raise these errors, and the connection pool, which knows the URL, turns
each one into the public error that its class names.
"""

import socket
import ssl
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from dreg_client import errors
from dreg_client.protocol.messages import content_length

OTHER_LOOP: Final = "the transport belongs to another event loop; create a new one, or use the built-in one"
NOT_TLS: Final = "the server does not use TLS"
ONLY_TLS: Final = "the server requires TLS, but the request used plain HTTP"
_NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"})
"""OpenSSL's reasons for a reply that is not TLS; they depend on its version."""
_NO_SUCH_NAME: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
"""Definite results of the resolver: no such name, or no address for it. EAI_AGAIN means that no DNS server replied."""


class NetworkError(Exception):
    """The base class: the public error that it becomes, and its message."""

    kind: type[errors.TransportError] = errors.TransportError
    reason: str = "the connection was lost"

    def __init_subclass__(cls, *, kind: type[errors.TransportError] | None = None, reason: str = "") -> None:
        cls.kind, cls.reason = kind or cls.kind, reason or cls.reason

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        if reason:
            self.reason = reason

    def error(self, where: str) -> errors.TransportError:
        """Return the public error for a URL (without its query)."""
        return self.kind(self.reason, where)


class ConnectionLostError(NetworkError):
    """The operating system reported a broken connection during a read."""


class SendError(NetworkError):
    """The connection broke while a request was being sent. A response may still have arrived."""


class ClosedBeforeResponseError(NetworkError, reason="the connection was closed before a response arrived"):
    """The server closed the connection without a response."""


class ClosedInBodyError(NetworkError, reason="the connection was closed before the response was complete"):
    """The server closed the connection in the middle of a response."""


class BadHTTPError(NetworkError, kind=errors.ProtocolError, reason="the response is not valid HTTP"):
    """The response is not valid HTTP/1.1."""


class TwoLengthsError(BadHTTPError, reason="the response has both a length and chunked encoding"):
    """A response has both `Content-Length` and a chunked `Transfer-Encoding`."""


def body_length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Return the body's length that headers state; None if the body is chunked, or if they state none.

    Raises:
        TwoLengthsError: The body is chunked as well.
        BadHTTPError: A length is malformed, or differs from another one.
    """
    lengths: list[str] = []
    is_chunked = False
    for name, value in headers:
        lowered = name.lower()
        if lowered == b"content-length":
            lengths.append(value.decode("latin-1"))
        elif lowered == b"transfer-encoding":
            is_chunked = True
    if lengths and is_chunked:
        raise TwoLengthsError
    try:
        return content_length(lengths)
    except ValueError:
        raise BadHTTPError from None


TOO_LONG: Final = "timed out; the request or its response was not complete in time"
NOT_SENT: Final = "timed out: the request was not sent in time; allow more with timeout=Timeouts(write=SECONDS)"
_NO_CONNECTION: Final = "the connection attempt timed out"


class TransferTimedOutError(NetworkError, kind=errors.TransferTimeoutError, reason=TOO_LONG):
    """The expected data was not read or sent before the timeout, or before the deadline of the request."""


class ConnectFailedError(NetworkError, kind=errors.ConnectError):
    """No connection could be made."""

    def __init__(self, failure: OSError | None = None) -> None:
        cause = failure.strerror if failure is not None else None
        super().__init__(f"cannot connect: {cause.lower()}" if cause else "cannot connect")
        self._is_refused = isinstance(failure, ConnectionRefusedError)

    def error(self, where: str) -> errors.TransportError:
        """Return the public error for a URL (without its query)."""
        return errors.ConnectError(self.reason, where, refused=True) if self._is_refused else super().error(where)


class ConnectTimedOutError(NetworkError, kind=errors.ConnectError, reason=_NO_CONNECTION):
    """The connection, including TLS, was not ready before the timeout."""


class UnknownHostNameError(ConnectFailedError, kind=errors.UnknownHostError):
    """The host has no address."""


class NotTLSNetworkError(NetworkError, kind=errors.NotTLSError, reason=NOT_TLS):
    """The server's reply to a TLS handshake is not TLS."""


class OnlyTLSNetworkError(NetworkError, kind=errors.OnlyTLSError, reason=ONLY_TLS):
    """The server's reply to a plain request is TLS."""


class TLSFailedError(NetworkError, kind=errors.TLSError):
    """The TLS handshake failed, for example because of the certificate, or TLS failed later."""

    def __init__(self, failure: ssl.SSLError) -> None:
        if isinstance(failure, ssl.SSLCertVerificationError):
            cause = failure.verify_message
            super().__init__(f"the certificate is not trusted: {cause}; to trust its CA, use ca_file")
        else:
            cause = (_openssl_reason(failure) or "unknown reason").replace("_", " ").lower()
            super().__init__(f"the TLS connection failed: {cause}")


_HTTP_2: Final = (
    "the server chose HTTP/2, because ssl_context= offers it by ALPN; call its "
    'set_alpn_protocols(["http/1.1"]), or pass a transport= that supports HTTP/2'
)


class HTTP2ChosenError(NetworkError, kind=errors.TLSError, reason=_HTTP_2):
    """The server chose HTTP/2, because the caller's TLS context offered it (ALPN)."""


LONGEST_CONNECT: Final = 10.0
"""The longest time to connect, in seconds, that a single number as `timeout` sets."""
_PASSWORD: Final = "the proxy requires a valid user name and password"


class ProxyRefusedNetworkError(NetworkError):
    """The proxy did not open a tunnel. A retry may help after 5xx, but not after any other status.

    `by_target`: the target rejected the proxy's connection.
    """

    def __init__(self, status: int = 0, *, may_pass: bool = False, by_target: bool = False) -> None:
        reason = "the proxy rejected the connection" + (f" ({status})" if status else "")
        super().__init__(f"{_PASSWORD} (407)" if status == 407 else reason)
        self._is_final = not may_pass and status < 500
        self._by_target = by_target

    def error(self, where: str) -> errors.TransportError:
        """Return the public error for a URL (without its query)."""
        if self._is_final:
            return errors.ProxyRefusedError(self.reason, where)
        return errors.ConnectError(self.reason, where, refused=self._by_target)


class ProxyNeedsPasswordError(NetworkError, kind=errors.ProxyRefusedError, reason=_PASSWORD):
    """A SOCKS proxy requires a user name and password, or rejects the given ones."""


def resolver_failure(failure: OSError | UnicodeError) -> NetworkError:
    """Return the error for a host name that could not be resolved."""
    if isinstance(failure, UnicodeError):  # a label of more than 63 characters
        return UnknownHostNameError()
    is_unknown = isinstance(failure, socket.gaierror) and failure.errno in _NO_SUCH_NAME
    return UnknownHostNameError(failure) if is_unknown else ConnectFailedError(failure)


def tls_failure(failure: ssl.SSLError) -> NetworkError:
    """Return the error for a failed TLS handshake, or for TLS that failed later."""
    return NotTLSNetworkError() if _openssl_reason(failure) in _NOT_TLS else TLSFailedError(failure)


def _openssl_reason(failure: ssl.SSLError) -> str:
    return getattr(failure, "reason", None) or ""  # errors raised by Python code have no such attribute


def connection_timeout(failure: errors.ConnectError, limit: float, elapsed: float) -> errors.ConnectError:
    """Return the error with the seconds after which connecting timed out, and what to do; others are returned as is."""
    if not failure.reason.endswith(_NO_CONNECTION):
        return failure
    advice = (
        "allow more with timeout="
        if limit < LONGEST_CONNECT
        else "check the host, or allow more with timeout=Timeouts(connect=SECONDS)"
    )
    return replace(failure, reason=f"{failure.reason} after {_seconds(limit, elapsed)}; {advice}")


def head_timeout(failure: errors.TransportError, limit: float, elapsed: float) -> errors.TransportError:
    """Return the error for a response whose head was not complete in time; other errors are returned as they are."""
    return _late(failure, "no response (status and headers)", limit, elapsed, "timeout=")


def body_timeout(failure: errors.TransportError, limit: float) -> errors.TransportError:
    """Return the error for a body whose next bytes did not arrive in time; other errors are returned as they are."""
    return _late(failure, "no further bytes of the response", limit, limit, "timeout=")


def document_timeout(failure: errors.TransportError, limit: float, elapsed: float) -> errors.TransportError:
    """Return the error for a document that was not complete in time; other errors are returned as they are."""
    return _late(failure, "the response was not complete", limit, elapsed, "timeout=Timeouts(whole=SECONDS)")


def _late(
    failure: errors.TransportError, what: str, limit: float, elapsed: float, option: str
) -> errors.TransportError:
    if failure.reason != TOO_LONG:
        return failure
    reason = f"timed out: {what} within {_seconds(limit, elapsed)}; allow more with {option}"
    return replace(failure, reason=reason)


def _seconds(limit: float, elapsed: float) -> str:
    """Return the duration for messages. It is less than the limit if the time for all attempts ended before."""
    return f"{round(min(limit, elapsed), 1):g} s"


def no_place(connections: int, where: str) -> errors.NoPlaceError:
    """Return the error for a request that waited too long for a free connection."""
    reason = f"all {connections} connections are in use; close open streams, or increase connections="
    return errors.NoPlaceError(reason, where)
