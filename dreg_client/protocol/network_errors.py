"""What can fail below the registry protocol: names, connections, TLS, HTTP/1.1. Raised inside the network layer only.

A socket does not know which URL it is used for. So the streams raise these, and the connection pool, which knows the
URL, turns each into the public error that its class names.
"""

import socket
import ssl
from typing import Final

from dreg_client import errors

NOT_TLS: Final = "it speaks no TLS"
ONLY_TLS: Final = "it speaks TLS, and was asked without"
_NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"})
"""What OpenSSL, depending on its version, calls a reply that is not TLS."""
_NO_SUCH_NAME: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
"""The resolver's definite answers: no such name, or no address for it. EAI_AGAIN means that no server answered."""


class NetworkError(Exception):
    """The base class, with the public error and its sentence."""

    kind: type[errors.TransportError] = errors.TransportError
    reason: str = "the connection was lost"

    def error(self, where: str) -> errors.TransportError:
        """Return the public error for a URL (without its query)."""
        return self.kind(self.reason, where)


class ConnectionLostError(NetworkError):
    """The operating system reports a broken connection while reading."""


class SendError(NetworkError):
    """The connection broke while a request was being sent; a response may have arrived all the same."""


class ClosedBeforeResponseError(NetworkError):
    """The server closed the connection before any response."""

    reason = "the connection was closed before an answer came"


class ClosedInBodyError(NetworkError):
    """The server closed the connection in the middle of a response."""

    reason = "the connection was closed in the middle of a body"


class BadHTTPError(NetworkError):
    """The response is not valid HTTP/1.1."""

    kind, reason = errors.ProtocolError, "the answer breaks the grammar of HTTP"


class TwoLengthsError(BadHTTPError):
    """The headers of a response state a length, and that the body comes in chunks."""

    reason = "the answer has a length, and comes in chunks"


class TransferTimedOutError(NetworkError):
    """Nothing could be read, or nothing could be sent, in time."""

    kind, reason = errors.TransferTimeoutError, "no byte came, or none was taken, for too long"


class ConnectFailedError(NetworkError):
    """No connection could be made."""

    kind = errors.ConnectError

    def __init__(self, failure: OSError | None = None) -> None:
        super().__init__()
        said = failure.strerror if failure is not None else None
        self.reason = f"no connection: {said.lower()}" if said else "no connection"


class ConnectTimedOutError(NetworkError):
    """No connection could be made in time, TLS included."""

    kind, reason = errors.ConnectError, "no connection in time"


class UnknownHostNameError(ConnectFailedError):
    """The host has no address."""

    kind = errors.UnknownHostError


class NotTLSNetworkError(NetworkError):
    """The server's reply to a TLS handshake is not TLS."""

    kind, reason = errors.NotTLSError, NOT_TLS


class OnlyTLSNetworkError(NetworkError):
    """The server's reply to a plain request is TLS."""

    kind, reason = errors.OnlyTLSError, ONLY_TLS


class TLSFailedError(NetworkError):
    """The TLS handshake failed, for instance because of the certificate, or TLS broke later."""

    kind = errors.TLSError

    def __init__(self, failure: ssl.SSLError) -> None:
        super().__init__()
        self.reason = f"no TLS connection: {(_openssl_reason(failure) or 'it broke off').replace('_', ' ').lower()}"
        if isinstance(failure, ssl.SSLCertVerificationError):
            told = failure.verify_message
            self.reason = f"its certificate is not trusted: {told}; name its authority by ca_file (--ca-file)"


class HTTP2ChosenError(NetworkError):
    """The server chose HTTP/2, which the TLS context of the caller offered (ALPN)."""

    kind = errors.TLSError
    reason = (
        "the server chose HTTP/2, which ssl_context= offers by ALPN; offer HTTP/1.1 alone, by "
        'set_alpn_protocols(["http/1.1"]), or give transport= one with HTTP/2'
    )


class ProxyRefusedNetworkError(NetworkError):
    """The proxy did not open a tunnel. 5xx may pass; anything else would be the same at the next attempt."""

    def __init__(self, status: int = 0, *, may_pass: bool = False) -> None:
        super().__init__()
        self.kind = errors.ConnectError if may_pass or status >= 500 else errors.ProxyRefusedError
        self.reason = "the proxy did not let us through" + (f" ({status})" if status else "")
        if status == 407:
            self.reason = "the proxy wants a user and a password, or others (407)"


class ProxyNeedsPasswordError(NetworkError):
    """A SOCKS proxy requires a user name and a password, or others."""

    kind, reason = errors.ProxyRefusedError, "the proxy wants a user and a password, or others"


def resolver_failure(failure: OSError | UnicodeError) -> NetworkError:
    """Return the error of a name that the resolver did not resolve."""
    if isinstance(failure, UnicodeError):  # a label of more than 63 characters
        return UnknownHostNameError()
    is_unknown = isinstance(failure, socket.gaierror) and failure.errno in _NO_SUCH_NAME
    return UnknownHostNameError(failure) if is_unknown else ConnectFailedError(failure)


def tls_failure(failure: ssl.SSLError) -> NetworkError:
    """Return the error of a failed TLS handshake, or of TLS that broke later."""
    return NotTLSNetworkError() if _openssl_reason(failure) in _NOT_TLS else TLSFailedError(failure)


def _openssl_reason(failure: ssl.SSLError) -> str:
    return getattr(failure, "reason", None) or ""  # what Python code raises itself has no such attribute


def no_place(connections: int, where: str) -> errors.NoPlaceError:
    """Return the error of a request that waited too long for a free connection."""
    reason = f"all {connections} connections are in use; close streams, or raise the number by connections="
    return errors.NoPlaceError(reason, where)
