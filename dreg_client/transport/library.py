"""Which HTTP library sends: httpx, or httpx2, which has the same classes; and the layers that it stands on itself."""

import os
import socket
import ssl
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from dreg_client import errors
from dreg_client._logging import hide_headers
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import Options
from dreg_client.protocol.tls_mismatch import NOT_TLS

_LIBRARIES: Final = ("httpx", "httpx2")
_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"})
"""What OpenSSL, by its version, calls an answer that is no TLS."""
_NO_NAME: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
"""Who knows it says that there is no such name, or no address of it; EAI_AGAIN says that nobody could be asked."""
_WAITING: Final = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
"""No fault: how TLS of tasks says that it waits. What breaks off or takes too long meanwhile has it as its context."""


@dataclass(frozen=True)
class Library:
    """One HTTP library.

    Attributes:
        name: Its name.
    """

    name: str

    @cached_property
    def http(self) -> Any:  # noqa: ANN401 (two libraries with the same classes; one is not always there)
        """The library itself, for ways that it keeps the connections of: through a proxy."""
        return _imported(self.name, self.name)

    @cached_property
    def core(self) -> Any:  # noqa: ANN401 (as above)
        """What it reaches networks by."""
        return _imported(self.name.replace("httpx", "httpcore"), self.name)

    @cached_property
    def h11(self) -> Any:  # noqa: ANN401 (as above)
        """What it reads and writes HTTP/1.1 by."""
        return _imported("h11", self.name)


def library_of(options: Options) -> Library:
    """The library that sends.

    Raises:
        ConfigError: There is no such library.
        MissingLibraryError: It is not installed.
    """
    name = options.http or _of_transport(options.transport) or os.environ.get("DREG_HTTP") or _LIBRARIES[0]
    if name not in _LIBRARIES:
        raise errors.ConfigError(f"{name!r} is no HTTP library that is known here: {' or '.join(_LIBRARIES)} is due")
    hide_headers(name)
    library = Library(name)
    _ = library.core
    return library


def _imported(module: str, name: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError:
        raise errors.MissingLibraryError(name, name) from None


def _of_transport(transport: object) -> str:
    """The library of a transport that a caller hands in."""
    roots = {kind.__module__.partition(".")[0] for kind in type(transport).__mro__}
    return next((name for name in _LIBRARIES if name in roots), "")


def failures_of(core: Any) -> tuple[type[Exception], ...]:  # noqa: ANN401 (as above)
    """What the lower layer of the HTTP library raises; UnicodeError is that of a name which no resolver can take."""
    return (core.TimeoutException, core.NetworkError, core.ProtocolError, OSError, UnicodeError)


def translated(failure: Exception, http: Any, hop: Hop) -> errors.DregError:  # noqa: ANN401 (as above)
    """What an exception of the HTTP library, or of its lower layer, means in our words; its own may hold a URL."""
    causes = _causes(failure)
    ours = next((cause for cause in causes if isinstance(cause, errors.DregError)), None)
    tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError) and not isinstance(cause, _WAITING)), None)
    if ours is not None:
        return ours
    if tls is not None:
        return _tls_error(tls, hop.where)
    if isinstance(failure, http.RemoteProtocolError):
        return _broken(str(failure), hop)
    return _lost(failure, causes, http, hop)


def _lost(failure: Exception, causes: list[BaseException], http: Any, hop: Hop) -> errors.TransportError:  # noqa: ANN401
    if isinstance(failure, http.ProxyError):
        return _not_let_through(str(failure), hop)
    if any(isinstance(cause, socket.gaierror) and cause.errno in _NO_NAME for cause in causes):
        return errors.UnknownHostError(_connect_reason(failure, causes, http), hop.where)
    if isinstance(failure, http.ConnectTimeout | http.ConnectError):
        return errors.ConnectError(_connect_reason(failure, causes, http), hop.where)
    if isinstance(failure, http.TimeoutException):
        return errors.TransferTimeoutError("no byte came, or none was taken, for too long", hop.where)
    if isinstance(failure, http.NetworkError | OSError):
        return errors.TransportError("the connection was lost", hop.where)
    return errors.ProtocolError(f"cannot be talked to ({type(failure).__name__})", hop.where)


def _not_let_through(text: str, hop: Hop) -> errors.ConnectError:
    """What a proxy says to CONNECT: 5xx may pass, all else is a refusal."""
    status = text[:3] if text[:3].isdecimal() else ""
    if status == "407":
        return errors.ProxyRefusedError("the proxy wants a user and a password, or others (407)", hop.where)
    kind = errors.ConnectError if status.startswith("5") else errors.ProxyRefusedError
    return kind("the proxy did not let us through" + (f" ({status})" if status else ""), hop.where)


def _causes(failure: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while failure is not None and failure not in found:
        found.append(failure)
        failure = failure.__cause__ or failure.__context__
    return found


def _tls_error(cause: ssl.SSLError, where: str) -> errors.TLSError:
    if isinstance(cause, ssl.SSLCertVerificationError):
        reason = f"its certificate is not trusted: {cause.verify_message}; name its authority by ca_file (--ca-file)"
        return errors.TLSError(reason, where)
    if cause.reason in _NO_TLS:
        return errors.NotTLSError(NOT_TLS, where)
    return errors.TLSError(f"no TLS connection: {(cause.reason or 'it broke off').replace('_', ' ').lower()}", where)


def _connect_reason(failure: Exception, causes: list[BaseException], http: Any) -> str:  # noqa: ANN401 (as above)
    if isinstance(failure, http.ConnectTimeout):
        return "no connection in time"
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror:
            return f"no connection: {cause.strerror.lower()}"
    return "no connection"


def _broken(text: str, hop: Hop) -> errors.TransportError:
    """An answer that breaks off is worth another attempt, one that breaks HTTP's grammar is not."""
    lowered = text.lower()
    if "disconnected" in lowered or "without sending" in lowered:
        return errors.TransportError("the connection was closed before an answer came", hop.where)
    if "peer closed" in lowered or "incomplete" in lowered:
        return errors.TransportError("the connection was closed in the middle of a body", hop.where)
    return errors.ProtocolError("the answer breaks the grammar of HTTP", hop.where)
