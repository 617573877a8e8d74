"""Advice if a registry requires TLS and the request used plain HTTP, or the reverse. The other is never tried."""

from typing import Final

from dreg_client.errors import NotTLSError, OnlyTLSError, TLSError, TransportError
from dreg_client.protocol.messages import Response
from dreg_client.protocol.network_errors import NOT_TLS, ONLY_TLS
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.origin import Origin

_TLS_EXPECTED: Final = (
    b"http request to an https server",
    b"plain http request was sent to https",
    b"ssl-enabled server port",
)
"""The replies of Go, nginx and Apache to such a request, in lower case."""


def check_tls_expected(response: Response) -> None:
    """Raise OnlyTLSError if a response shows that the server expects TLS."""
    if response.status != 400 or not response.url.startswith("http://"):
        return
    body = response.body.lower()
    # A response to HEAD has no body; only Go's has no headers either.
    if any(text in body for text in _TLS_EXPECTED) or not (body or any(response.headers)):
        raise OnlyTLSError(ONLY_TLS, response.where)


def with_advice(failure: TransportError, registry: RegistryURL, options: Options) -> TransportError:
    """Return the failure; if it is one of these two, and of the registry itself, with advice."""
    if not isinstance(failure, NotTLSError | OnlyTLSError) or not _is_at(failure.where, registry.origin):
        return failure
    if isinstance(failure, OnlyTLSError):
        return TLSError(f"{ONLY_TLS}; {_with_tls(registry, options)}", failure.where)
    advice = f"write {_url(registry, 'http')}" if registry.is_by_url else "set plain_http=True"
    return TLSError(f"{NOT_TLS}; if the registry uses plain HTTP, {advice}", failure.where)


def _is_at(url: str, origin: Origin) -> bool:
    try:
        return Origin.of(url) == origin
    except ValueError:
        return False


def _with_tls(registry: RegistryURL, options: Options) -> str:
    if registry.is_by_url:
        return f"write {_url(registry, 'https')}"
    advice = ["omit plain_http"] if options.plain_http else []
    if registry.origin.is_loopback and not options.requires_tls:
        advice.append("trust its CA with ca_file, or skip verification with insecure=True")
    return "; ".join(advice)


def _url(registry: RegistryURL, scheme: str) -> str:
    return f"{Origin(scheme, registry.origin.host, registry.origin.port)}{registry.prefix}"
