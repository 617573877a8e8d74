"""What to do if a registry uses TLS and the request came without, or the reverse. The other is never tried."""

from typing import Final

from dreg_client.errors import NotTLSError, OnlyTLSError, TLSError, TransportError
from dreg_client.protocol.messages import Response
from dreg_client.protocol.network_errors import NOT_TLS, ONLY_TLS
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.origin import Origin

_SAID: Final = (b"http request to an https server", b"plain http request was sent to https", b"ssl-enabled server port")
"""What Go, nginx and Apache respond to such a request, in lower case."""


def check_tls_expected(response: Response) -> None:
    """Raise OnlyTLSError if a response says that the server expects TLS."""
    if response.status != 400 or not response.url.startswith("http://"):
        return
    body = response.body.lower()
    # A response to HEAD has no body to say so; only Go's has no headers either.
    if any(said in body for said in _SAID) or not (body or any(response.headers)):
        raise OnlyTLSError(ONLY_TLS, response.where)


def with_advice(failure: TransportError, registry: RegistryURL, options: Options) -> TransportError:
    """Return a failure; if it is one of these two and the registry's own, with what to do."""
    if not isinstance(failure, NotTLSError | OnlyTLSError) or not _is_at(failure.where, registry.origin):
        return failure
    if isinstance(failure, OnlyTLSError):
        return TLSError(f"{ONLY_TLS}; {_with_tls(registry, options)}", failure.where)
    advice = f"write {_url(registry, 'http')}" if registry.is_by_url else "ask for plain_http (--plain-http)"
    return TLSError(f"{NOT_TLS}; if it is a registry without, {advice}", failure.where)


def _is_at(url: str, origin: Origin) -> bool:
    try:
        return Origin.of(url) == origin
    except ValueError:
        return False


def _with_tls(registry: RegistryURL, options: Options) -> str:
    if registry.is_by_url:
        return f"write {_url(registry, 'https')}"
    advice = ["leave out plain_http (--plain-http)"] if options.plain_http else []
    if registry.origin.is_loopback and not options.requires_tls:
        advice.append("name its authority by ca_file (--ca-file), or leave it unchecked by insecure (--insecure)")
    return "; ".join(advice)


def _url(registry: RegistryURL, scheme: str) -> str:
    return f"{Origin(scheme, registry.origin.host, registry.origin.port)}{registry.prefix}"
