"""Where a registry speaks TLS and was asked without, or the other way round: what to do. The other is never tried."""

from typing import Final

from dreg_client.errors import NotTLSError, OnlyTLSError, TLSError, TransportError
from dreg_client.protocol.messages import Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.origin import Origin

NOT_TLS: Final = "it speaks no TLS"
ONLY_TLS: Final = "it speaks TLS, and was asked without"
_SAID: Final = (b"http request to an https server", b"plain http request was sent to https", b"ssl-enabled server port")
"""What Go, nginx and Apache say to whom asks them so, in small letters."""


def refuse_asked_without_tls(response: Response) -> None:
    """Raise where an answer says that TLS is due. To HEAD no words come; but only Go answers without any header.

    Raises:
        TLSError: It does.
    """
    if response.status != 400 or not response.url.startswith("http://"):
        return
    body = response.body.lower()
    if any(said in body for said in _SAID) or not (body or any(response.headers)):
        raise OnlyTLSError(ONLY_TLS, response.where)


def with_advice(failure: TransportError, base: RegistryURL, options: Options) -> TransportError:
    """A failure; where it is one of these two, and the registry's own, with what to do."""
    if not failure.where.startswith(str(base.origin)):
        return failure
    match failure:
        case NotTLSError():
            return TLSError(f"{NOT_TLS}; if it is a registry without, {_without(base)}", failure.where)
        case OnlyTLSError():
            return TLSError(f"{ONLY_TLS}; {_with(base, options)}", failure.where)
        case _:
            return failure


def _without(base: RegistryURL) -> str:
    return f"write {_other(base, 'http')}" if base.is_by_url else "ask for plain_http (--plain-http)"


def _with(base: RegistryURL, options: Options) -> str:
    if base.is_by_url:
        return f"write {_other(base, 'https')}"
    ways = ["leave out plain_http (--plain-http)"] if options.plain_http else []
    if base.origin.is_loopback and not options.speaks_of_tls:
        ways.append("name its authority by ca_file (--ca-file), or leave it unchecked by insecure (--insecure)")
    return "; ".join(ways)


def _other(base: RegistryURL, scheme: str) -> str:
    return f"{Origin(scheme, base.origin.host, base.origin.port)}{base.prefix}"
