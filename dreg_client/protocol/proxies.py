"""Which proxy to use for a host: the one of the options, or of the environment variables."""

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
    """A proxy."""

    scheme: str  # `http`, `https` (TLS to the proxy itself), `socks5` or `socks5h` (both: the proxy resolves names)
    host: str  # an IPv6 address without brackets
    port: int
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> "Proxy":
        """Parse a proxy's URL, http by default; raise a ConfigError without the text, which may hold a password."""
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
        """The headers of requests to an http proxy."""
        if not (self.username or self.password):
            return []
        return [(b"Proxy-Authorization", b"Basic " + b64encode(f"{self.username}:{self.password}".encode()))]


def proxy_of(origin: Origin, options: Options) -> Proxy | None:
    """Return the proxy for an origin; None for a direct connection."""
    text = options.proxy or (proxy_text(origin, os.environ) if options.trust_env else "")
    return Proxy.parse(text) if text else None


def proxy_text(origin: Origin, environment: Mapping[str, str]) -> str:
    """Return the proxy for an origin that environment variables name; empty for none.

    Lower-case names win. `HTTP_PROXY` is ignored if a web server runs this program (`REQUEST_METHOD`), because a client
    could have set it. `NO_PROXY` has hosts, suffixes of hosts, networks as `10.0.0.0/8`, ports behind them, and `*`.

    Examples:
        >>> proxy_text(Origin.of("https://registry.example"), {"HTTPS_PROXY": "proxy.example:3128"})
        'proxy.example:3128'
        >>> proxy_text(Origin.of("https://10.1.2.3"), {"ALL_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"})
        ''
    """

    def value(name: str) -> str:
        return environment.get(name) or environment.get(name.upper()) or ""

    if any(_matches(entry, origin) for entry in value("no_proxy").replace(",", " ").split()):
        return ""
    is_unsafe = origin.scheme == "http" and "REQUEST_METHOD" in environment
    return ("" if is_unsafe else value(f"{origin.scheme}_proxy")) or value("all_proxy")


def _matches(entry: str, origin: Origin) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        try:
            return ipaddress.ip_address(origin.host) in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    host, port = _host_and_port(entry.lower())
    if port and port != str(origin.port):
        return False
    suffix = host.removeprefix("*").lstrip(".")
    return origin.host == suffix or (bool(suffix) and origin.host.endswith(f".{suffix}"))


def _host_and_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":")
    if entry.count(":") > 1:  # an IPv6 address without brackets
        return entry, ""
    host, _, port = entry.partition(":")
    return host, port
