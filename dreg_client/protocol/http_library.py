"""What is needed of httpx or httpx2, which have the same classes; imported only when a caller hands in a transport."""

import importlib.util
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol

import h11

from dreg_client import errors
from dreg_client._logging import hide_headers
from dreg_client.protocol.network_errors import (
    BadHTTPError,
    ClosedBeforeResponseError,
    ClosedInBodyError,
    ConnectFailedError,
    ConnectionLostError,
    ConnectTimedOutError,
    NetworkError,
    ProxyRefusedNetworkError,
    TransferTimedOutError,
    resolver_failure,
    tls_failure,
)
from dreg_client.protocol.options import Options

_LIBRARIES: Final = ("httpx", "httpx2")


class LibraryURL(Protocol):
    """A URL of the library."""

    @property
    def raw_path(self) -> bytes:
        """Path and query as they are sent."""
        ...


class LibraryRequest(Protocol):
    """A request of the library."""

    @property
    def url(self) -> LibraryURL:
        """Its URL, which the library may have normalised."""
        ...


@dataclass(frozen=True)
class HTTPLibrary:
    """The classes of the library.

    Attributes:
        request: Makes a request.
        invalid: What it raises for a URL that it does not accept.
        failures: What its transports raise.
        remote_protocol_error: Among those: the response is not valid HTTP, or the server closed the connection.
        kinds: The others, the more special first, with what they mean.
    """

    request: Callable[..., LibraryRequest]
    invalid: type[Exception]
    failures: tuple[type[Exception], ...]
    remote_protocol_error: type[Exception]
    kinds: tuple[tuple[type[Exception], type[NetworkError]], ...]

    @classmethod
    def of(cls, transport: object, options: Options) -> "HTTPLibrary":
        """Return the library of a caller's transport, found by the modules of its classes.

        Raises:
            ConfigError: `http=` or `DREG_HTTP` names an unknown one.
            MissingLibraryError: It is not installed.
        """
        roots = {kind.__module__.partition(".")[0] for kind in type(transport).__mro__}
        name = next((name for name in _LIBRARIES if name in roots), "") or _named(options) or _LIBRARIES[0]
        check_http_library(name)
        hide_headers(name)
        http = import_module(name)
        return cls(
            http.Request,
            http.InvalidURL,
            (http.HTTPError, http.StreamError, OSError),
            http.RemoteProtocolError,
            (
                (http.ProxyError, ProxyRefusedNetworkError),
                (http.ConnectTimeout, ConnectTimedOutError),
                (http.ConnectError, ConnectFailedError),
                (http.TimeoutException, TransferTimedOutError),
                (http.NetworkError, ConnectionLostError),
                (OSError, ConnectionLostError),
            ),
        )

    def error(self, failure: Exception, where: str, *, in_body: bool) -> errors.DregError:
        """Return the public error of one of the `failures`; its own text may hold a URL with secrets."""
        causes = list(_causes(failure))
        for cause in causes:
            if isinstance(cause, errors.DregError):
                return cause
            if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLWantReadError | ssl.SSLWantWriteError):
                return tls_failure(cause).error(where)
            if isinstance(cause, socket.gaierror):
                return resolver_failure(cause).error(where)
        if isinstance(failure, self.remote_protocol_error):
            is_grammar = any(isinstance(cause, h11.RemoteProtocolError) for cause in causes)
            early = BadHTTPError if is_grammar else ClosedBeforeResponseError
            return (ClosedInBodyError if in_body else early)().error(where)
        kind = next((kind for known, kind in self.kinds if isinstance(failure, known)), None)
        if kind is None:
            return errors.ProtocolError(f"cannot be talked to ({type(failure).__name__})", where)
        if kind is ConnectFailedError:
            return ConnectFailedError(next((cause for cause in causes if isinstance(cause, OSError)), None)).error(
                where
            )
        return kind().error(where)


def check_http_library(name: str) -> None:
    """Check the name of an HTTP library, without importing it.

    Raises:
        ConfigError: It is unknown.
        MissingLibraryError: It is not installed.
    """
    if name not in _LIBRARIES:
        raise errors.ConfigError(f"{name!r} is no HTTP library that is known here: {' or '.join(_LIBRARIES)} is due")
    if importlib.util.find_spec(name) is None:
        raise errors.MissingLibraryError(name, name)


def check_http_option(options: Options) -> None:
    """Check `http=`, or `DREG_HTTP`, if one of them is set.

    Raises:
        ConfigError: It names an unknown library.
        MissingLibraryError: It names one that is not installed.
    """
    if name := _named(options):
        check_http_library(name)


def _named(options: Options) -> str:
    return options.http or os.environ.get("DREG_HTTP") or ""


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while failure is not None and id(failure) not in seen:
        seen.add(id(failure))
        yield failure
        failure = failure.__cause__ or failure.__context__
