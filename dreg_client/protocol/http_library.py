"""The classes of httpx or httpx2, which have the same names; imported only for a caller's transport."""

import importlib.util
import os
import re
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Final, Protocol

import h11

from dreg_client import errors
from dreg_client._logging import hide_headers
from dreg_client.protocol import network_errors as network
from dreg_client.protocol.options import Options

_LIBRARIES: Final = ("httpx", "httpx2")
_CORES: Final = ("httpcore", "httpcore2")
"""The libraries below them, whose exceptions have the same names. A transport of your own may use one directly."""
_KINDS: Final[dict[str, type[network.NetworkError]]] = {
    "ProxyError": network.ProxyRefusedNetworkError,
    "ConnectTimeout": network.ConnectTimedOutError,
    "ConnectError": network.ConnectFailedError,
    "TimeoutException": network.TransferTimedOutError,
    "NetworkError": network.ConnectionLostError,
}
_BELOW: Final = {
    "anyio": ("BrokenResourceError", "ClosedResourceError", "BusyResourceError", "EndOfStream", "IncompleteRead"),
    "h2.exceptions": ("H2Error",),
}
"""Exceptions of the libraries that they use, by module."""


class _LibraryURL(Protocol):
    @property
    def raw_path(self) -> bytes: ...


class LibraryRequest(Protocol):
    """A request of the library."""

    @property
    def url(self) -> _LibraryURL:
        """Its URL, which the library may have normalised; `raw_path` is the path and query as sent."""
        ...


@dataclass(frozen=True)
class HTTPLibrary:
    """The classes of the library."""

    request: Callable[..., LibraryRequest]
    invalid: type[Exception]  # raised for an invalid URL
    failures: tuple[type[Exception], ...]  # all exceptions that its transports raise, or the libraries below it
    remote_protocol_error: tuple[type[Exception], ...]  # among those: invalid HTTP, or the server closed the connection
    kinds: tuple[tuple[type[Exception], type[network.NetworkError]], ...]  # the others, subclasses first

    @classmethod
    def of(cls, transport: object, options: Options) -> "HTTPLibrary":
        """Return the library of a caller's transport, found by the modules of its classes."""
        roots = {kind.__module__.partition(".")[0] for kind in type(transport).__mro__}
        name = next((name for name in _LIBRARIES if name in roots), "") or _named(options) or _LIBRARIES[0]
        _check_installed(name, options)
        hide_headers(name)
        http = import_module(name)
        libraries = [http, *(sys.modules[core] for core in _CORES if core in sys.modules)]
        return cls(
            http.Request,
            http.InvalidURL,
            (http.HTTPError, http.StreamError, http.InvalidURL, OSError, h11.ProtocolError, *_below(libraries[1:])),
            tuple(library.RemoteProtocolError for library in (*libraries, h11)),
            (
                *((getattr(library, named), kind) for named, kind in _KINDS.items() for library in libraries),
                (OSError, network.ConnectionLostError),
            ),
        )

    def error(self, failure: Exception, where: str, *, in_body: bool) -> errors.DregError:
        """Return the public error for one of the `failures`, without its text, which may contain a URL with secrets."""
        causes = list(_causes(failure))
        for cause in causes:
            if isinstance(cause, errors.DregError):
                return cause
            if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLWantReadError | ssl.SSLWantWriteError):
                return network.tls_failure(cause).error(where)
            if isinstance(cause, socket.gaierror):
                return network.resolver_failure(cause).error(where)
        if isinstance(failure, self.remote_protocol_error):
            is_grammar = any(isinstance(cause, h11.RemoteProtocolError) for cause in causes)
            early = network.BadHTTPError if is_grammar else network.ClosedBeforeResponseError
            return (network.ClosedInBodyError if in_body else early)().error(where)
        kind = next((kind for known, kind in self.kinds if isinstance(failure, known)), None)
        if kind is None:
            return errors.ProtocolError(f"the transport failed ({type(failure).__name__})", where)
        return _new(kind, failure, causes).error(where)


def _below(cores: Sequence[ModuleType]) -> Iterator[type[Exception]]:
    """Yield the exceptions of the libraries below, as far as these are imported."""
    for core in cores:
        yield from (core.ConnectionNotAvailable, core.ProxyError, core.UnsupportedProtocol)
        yield from (core.ProtocolError, core.TimeoutException, core.NetworkError)
    for module, names in _BELOW.items():
        if module in sys.modules:
            yield from (getattr(sys.modules[module], name) for name in names)


def check_http_option(options: Options) -> None:
    """Check `http=`, or `DREG_HTTP`, if one of them is set."""
    if name := _named(options):
        _check_installed(name, options)


def _check_installed(name: str, options: Options) -> None:
    """Check the name of an HTTP library without importing it; raise ConfigError or MissingLibraryError."""
    if name not in _LIBRARIES:
        source = "http=" if options.http else "DREG_HTTP"
        known = " or ".join(_LIBRARIES)
        raise errors.ConfigError(f"{source}: {name!r} is not a supported HTTP library; use {known}")
    if importlib.util.find_spec(name) is None:
        raise errors.MissingLibraryError(name, name)


def _new(kind: type[network.NetworkError], failure: Exception, causes: list[BaseException]) -> network.NetworkError:
    if kind is network.ConnectFailedError:
        return network.ConnectFailedError(next((cause for cause in causes if isinstance(cause, OSError)), None))
    if kind is network.ProxyRefusedNetworkError:
        # The library has no attribute for the proxy's status, but the text begins with it, as in "502 Bad Gateway".
        status = re.match(r"[1-5][0-9]{2}\b", str(failure), re.ASCII)
        return network.ProxyRefusedNetworkError(int(status[0]) if status else 0)
    return kind()


def _named(options: Options) -> str:
    return options.http or os.environ.get("DREG_HTTP") or ""


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while failure is not None and id(failure) not in seen:
        seen.add(id(failure))
        yield failure
        failure = failure.__cause__ or failure.__context__
