"""Which proxy stands before a host, as the environment says it."""

import ipaddress
import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from dreg_client.errors import ConfigError
from dreg_client.protocol.options import Options
from dreg_client.values.origin import Origin

_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy.

    Attributes:
        scheme: `http`, `https` (TLS to the proxy itself), `socks5` or `socks5h` (both: the proxy resolves names).
        host: Its host; an IPv6 address without brackets.
        port: Its port.
        username: User name; empty for none.
        password: Password.
    """

    scheme: str
    host: str
    port: int
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> "Proxy":
        """Parse a proxy's URL; without a scheme it is an http one.

        Raises:
            ConfigError: It is not a valid URL of a proxy; the text, which may hold a password, is not repeated.
        """
        url = text if "://" in text else f"http://{text}"
        scheme = url.partition("://")[0].lower()
        if scheme not in _PORTS:
            raise ConfigError("a proxy is named whose URL is neither http:// nor https://, nor socks5://")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or _PORTS[scheme]
            host.encode("ascii")
        except ValueError:
            host, port, parts = "", 0, urlsplit("")
        if not host:
            raise ConfigError("a proxy is named whose URL has no valid host and port")
        return cls(scheme, host, port, unquote(parts.username or ""), unquote(parts.password or ""))

    @property
    def is_socks(self) -> bool:
        """Whether it is a SOCKS5 proxy."""
        return self.scheme.startswith("socks")

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers that an http proxy gets with each request of its own."""
        if not (self.username or self.password):
            return []
        return [(b"Proxy-Authorization", b"Basic " + b64encode(f"{self.username}:{self.password}".encode()))]


def proxy_of(origin: Origin, options: Options) -> Proxy | None:
    """Return the proxy for an origin: the one of the options, or of the environment; None for a direct connection.

    Raises:
        ConfigError: Its URL cannot be used.
    """
    text = options.proxy or (_named(origin, os.environ) if options.trust_env else "")
    return Proxy.parse(text) if text else None


def proxy_for(origin: Origin, environment: Mapping[str, str] | None = None) -> str | None:
    """The URL of the proxy for an origin, None for the direct way.

    Lower-case names win. `HTTP_PROXY` is passed over where a web server runs us (`REQUEST_METHOD`), since a client
    could have set it. `NO_PROXY` has hosts, suffixes of hosts, networks as `10.0.0.0/8`, ports behind them, and `*`.

    Examples:
        >>> proxy_for(Origin.of("https://registry.example"), {"HTTPS_PROXY": "proxy.example:3128"})
        'http://proxy.example:3128'
        >>> proxy_for(Origin.of("https://10.1.2.3"), {"ALL_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"})
    """
    text = _named(origin, os.environ if environment is None else environment)
    return proxy_url(text) if text else None


def _named(origin: Origin, known: Mapping[str, str]) -> str:
    """The text that names the proxy for an origin; empty for none."""
    if any(_matches(entry, origin) for entry in _value(known, "no_proxy").replace(",", " ").split()):
        return ""
    named = "" if origin.scheme == "http" and "REQUEST_METHOD" in known else _value(known, f"{origin.scheme}_proxy")
    return named or _value(known, "all_proxy")


def proxy_url(text: str) -> str:
    """A proxy's URL; without a scheme it is an http one.

    Raises:
        ConfigError: It is neither http nor https; the text, which may hold a password, is not repeated.
    """
    url = text if "://" in text else f"http://{text}"
    if url.partition("://")[0].lower() not in {"http", "https"}:
        raise ConfigError("a proxy is named whose URL is neither http:// nor https://")
    return url


def _value(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or (environment.get(name.upper()) or "")


def _matches(entry: str, origin: Origin) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return _is_within(origin.host, entry)
    host, port = _cut(entry.lower())
    if port and port != str(origin.port):
        return False
    suffix = host.removeprefix("*").lstrip(".")
    return origin.host == suffix or (bool(suffix) and origin.host.endswith(f".{suffix}"))


def _cut(entry: str) -> tuple[str, str]:
    """Host and port of an entry; an IPv6 address may have brackets."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":")
    if entry.count(":") > 1:
        return entry, ""
    host, _, port = entry.partition(":")
    return host, port


def _is_within(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
