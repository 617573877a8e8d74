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
    """The base class, with the public error of each subclass, and its sentence."""

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
    """The operating system reports a broken connection while reading."""


class SendError(NetworkError):
    """The connection broke while a request was being sent; a response may have arrived all the same."""


class ClosedBeforeResponseError(NetworkError, reason="the connection was closed before an answer came"):
    """The server closed the connection before any response."""


class ClosedInBodyError(NetworkError, reason="the connection was closed in the middle of a body"):
    """The server closed the connection in the middle of a response."""


class BadHTTPError(NetworkError, kind=errors.ProtocolError, reason="the answer breaks the grammar of HTTP"):
    """The response is not valid HTTP/1.1."""


class TwoLengthsError(BadHTTPError, reason="the answer has a length, and comes in chunks"):
    """The headers of a response state a length, and that the body comes in chunks."""


_TOO_LONG: Final = "no byte came, or none was taken, for too long"


class TransferTimedOutError(NetworkError, kind=errors.TransferTimeoutError, reason=_TOO_LONG):
    """Nothing could be read, or nothing could be sent, in time."""


class ConnectFailedError(NetworkError, kind=errors.ConnectError):
    """No connection could be made."""

    def __init__(self, failure: OSError | None = None) -> None:
        said = failure.strerror if failure is not None else None
        super().__init__(f"no connection: {said.lower()}" if said else "no connection")
        self._is_refused = isinstance(failure, ConnectionRefusedError)

    def error(self, where: str) -> errors.TransportError:
        """Return the public error for a URL (without its query)."""
        return errors.ConnectError(self.reason, where, refused=True) if self._is_refused else super().error(where)


class ConnectTimedOutError(NetworkError, kind=errors.ConnectError, reason="no connection in time"):
    """No connection could be made in time, TLS included."""


class UnknownHostNameError(ConnectFailedError, kind=errors.UnknownHostError):
    """The host has no address."""


class NotTLSNetworkError(NetworkError, kind=errors.NotTLSError, reason=NOT_TLS):
    """The server's reply to a TLS handshake is not TLS."""


class OnlyTLSNetworkError(NetworkError, kind=errors.OnlyTLSError, reason=ONLY_TLS):
    """The server's reply to a plain request is TLS."""


class TLSFailedError(NetworkError, kind=errors.TLSError):
    """The TLS handshake failed, for instance because of the certificate, or TLS broke later."""

    def __init__(self, failure: ssl.SSLError) -> None:
        if isinstance(failure, ssl.SSLCertVerificationError):
            told = failure.verify_message
            super().__init__(f"its certificate is not trusted: {told}; name its authority by ca_file (--ca-file)")
        else:
            told = (_openssl_reason(failure) or "it broke off").replace("_", " ").lower()
            super().__init__(f"no TLS connection: {told}")


_HTTP_2: Final = (
    "the server chose HTTP/2, which ssl_context= offers by ALPN; offer HTTP/1.1 alone, by "
    'set_alpn_protocols(["http/1.1"]), or give transport= one with HTTP/2'
)


class HTTP2ChosenError(NetworkError, kind=errors.TLSError, reason=_HTTP_2):
    """The server chose HTTP/2, which the TLS context of the caller offered (ALPN)."""


class ProxyRefusedNetworkError(NetworkError):
    """The proxy did not open a tunnel. 5xx may pass; anything else would be the same at the next attempt.

    `by_target`: the target refused the connection of the proxy.
    """

    def __init__(self, status: int = 0, *, may_pass: bool = False, by_target: bool = False) -> None:
        reason = "the proxy did not let us through" + (f" ({status})" if status else "")
        super().__init__("the proxy wants a user and a password, or others (407)" if status == 407 else reason)
        self._is_final = not may_pass and status < 500
        self._by_target = by_target

    def error(self, where: str) -> errors.TransportError:
        """Return the public error for a URL (without its query)."""
        if self._is_final:
            return errors.ProxyRefusedError(self.reason, where)
        return errors.ConnectError(self.reason, where, refused=self._by_target)


_PASSWORD: Final = "the proxy wants a user and a password, or others"


class ProxyNeedsPasswordError(NetworkError, kind=errors.ProxyRefusedError, reason=_PASSWORD):
    """A SOCKS proxy requires a user name and a password, or others."""


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
