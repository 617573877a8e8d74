"""What to do if a registry speaks TLS and the request came without, or the reverse. The other is never tried."""

from typing import Final

from dreg_client.errors import NotTLSError, OnlyTLSError, TLSError, TransportError
from dreg_client.protocol.messages import Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.origin import Origin

NOT_TLS: Final = "it speaks no TLS"
ONLY_TLS: Final = "it speaks TLS, and was asked without"
_SAID: Final = (b"http request to an https server", b"plain http request was sent to https", b"ssl-enabled server port")
"""What Go, nginx and Apache answer to such a request, in lower case."""


def refuse_asked_without_tls(response: Response) -> None:
    """Raise an error if a response says that the server expects TLS.

    A response to HEAD has no body to say so; only Go's has no headers either.

    Raises:
        OnlyTLSError: The server expects TLS.
    """
    if response.status != 400 or not response.url.startswith("http://"):
        return
    body = response.body.lower()
    if any(said in body for said in _SAID) or not (body or any(response.headers)):
        raise OnlyTLSError(ONLY_TLS, response.where)


def with_advice(failure: TransportError, registry: RegistryURL, options: Options) -> TransportError:
    """Return a failure; if it is one of these two and the registry's own, with what to do."""
    if not isinstance(failure, NotTLSError | OnlyTLSError) or not _is_at(failure.where, registry.origin):
        return failure
    if isinstance(failure, NotTLSError):
        return TLSError(f"{NOT_TLS}; if it is a registry without, {_without(registry)}", failure.where)
    return TLSError(f"{ONLY_TLS}; {_with(registry, options)}", failure.where)


def _is_at(url: str, origin: Origin) -> bool:
    try:
        return Origin.of(url) == origin
    except ValueError:
        return False


def _without(registry: RegistryURL) -> str:
    return f"write {_other(registry, 'http')}" if registry.is_by_url else "ask for plain_http (--plain-http)"


def _with(registry: RegistryURL, options: Options) -> str:
    if registry.is_by_url:
        return f"write {_other(registry, 'https')}"
    ways = ["leave out plain_http (--plain-http)"] if options.plain_http else []
    if registry.origin.is_loopback and not options.speaks_of_tls:
        ways.append("name its authority by ca_file (--ca-file), or leave it unchecked by insecure (--insecure)")
    return "; ".join(ways)


def _other(registry: RegistryURL, scheme: str) -> str:
    return f"{Origin(scheme, registry.origin.host, registry.origin.port)}{registry.prefix}"
