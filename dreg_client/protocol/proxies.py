"""The proxy for a host, from the options or from environment variables."""

import ipaddress
import os
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from dreg_client.errors import ConfigError
from dreg_client.protocol.options import Options
from dreg_client.values.origin import Origin, is_host_name

_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_IPV6: Final = re.compile(r"[0-9a-f.]*:[0-9a-f:.]*(?:%[a-z0-9._-]+)?", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_UNESCAPED: Final = re.compile(r"[/?#].*@", re.DOTALL)
_LONGEST_BY_SOCKS: Final = 255
"""The most bytes of a user name, and of a password (RFC 1929)."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy."""

    scheme: str  # `http`, `https` (TLS to the proxy), `socks5` or `socks5h` (in both, the proxy resolves host names)
    host: str  # an IPv6 address without brackets
    port: int
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    source: str = field(default="", repr=False, compare=False)  # the option or variable that sets it

    @classmethod
    def parse(cls, text: str, source: str = "proxy=") -> "Proxy":
        """Parse a proxy URL; the default scheme is http.

        Args:
            text: The URL.
            source: The name of the option or environment variable, for the error.

        Raises:
            ConfigError: The URL is not valid. It is not part of the message, because it may contain a password.
        """
        url = text.strip()
        url = url if "://" in url else f"http://{url}"
        scheme, _, rest = url.partition("://")
        scheme = scheme.lower()
        if scheme not in _PORTS:
            raise ConfigError(f"{source}: a proxy URL must begin with http://, https://, socks5:// or socks5h://")
        if _UNESCAPED.search(rest):
            reason = "the URL has /, ? or # before @; in a user name or password, write %2F, %3F or %23 instead"
            raise ConfigError(f"{source}: {reason}")
        userinfo, _, place = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")
        try:
            parts = urlsplit(f"//{place}")
            host, port = parts.hostname or "", _PORTS[scheme] if parts.port is None else parts.port
            username, _, password = (unquote(part, errors="strict") for part in userinfo.partition(":"))
            longest = max(len(username.encode()), len(password.encode()))
        except ValueError:
            host, port, username, password, longest = "", 0, "", "", 0
        if not (port and (is_host_name(host) or _IPV6.fullmatch(host))) or _CONTROL.search(url):
            raise ConfigError(f"{source}: not a valid proxy URL; expected SCHEME://[USER:PASSWORD@]HOST[:PORT]")
        proxy = cls(scheme, host, port, username, password, source)
        if proxy.is_socks and longest > _LONGEST_BY_SOCKS:
            reason = f"a SOCKS user name or password has at most {_LONGEST_BY_SOCKS} bytes"
            raise ConfigError(f"{source}: {reason}")
        return proxy

    @property
    def is_socks(self) -> bool:
        """Whether it is a SOCKS5 proxy."""
        return self.scheme.startswith("socks")

    @property
    def authority(self) -> str:
        """Host and port, for messages."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def name(self) -> str:
        """The name for errors: host and port, and the option or variable that sets it."""
        return f"the proxy {self.authority} ({self.source})" if self.source else f"the proxy {self.authority}"

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers for an HTTP proxy: `Proxy-Authorization` if it has a user name or a password."""
        if not (self.username or self.password):
            return []
        return [(b"Proxy-Authorization", b"Basic " + b64encode(f"{self.username}:{self.password}".encode()))]


def proxy_of(origin: Origin, options: Options) -> Proxy | None:
    """Return the proxy for an origin; None for a direct connection."""
    if options.proxy:
        return Proxy.parse(options.proxy)
    variable = _variable(origin, os.environ) if options.trust_env else ""
    return Proxy.parse(os.environ[variable], variable) if variable else None


def proxy_text(origin: Origin, environment: Mapping[str, str]) -> str:
    """Return the proxy that environment variables set for an origin; empty if there is none.

    Lower-case names take precedence. `HTTP_PROXY` is ignored in CGI programs (if `REQUEST_METHOD` is set), because a
    client could have set it. `NO_PROXY` lists hosts, domain suffixes and networks such as `10.0.0.0/8`; hosts and
    suffixes may have a port. `*` disables all proxies.

    Examples:
        >>> proxy_text(Origin.of("https://registry.example"), {"HTTPS_PROXY": "proxy.example:3128"})
        'proxy.example:3128'
        >>> proxy_text(Origin.of("https://10.1.2.3"), {"ALL_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"})
        ''
    """
    return environment.get(_variable(origin, environment), "")


def _variable(origin: Origin, environment: Mapping[str, str]) -> str:
    """Return the name of the variable that sets the proxy for an origin; empty if there is none."""

    def named(name: str) -> str:
        return next((variable for variable in (name, name.upper()) if environment.get(variable, "").strip()), "")

    is_unsafe = origin.scheme == "http" and "REQUEST_METHOD" in environment
    found = ("" if is_unsafe else named(f"{origin.scheme}_proxy")) or named("all_proxy")
    excluding = named("no_proxy") if found else ""
    excluded = environment.get(excluding, "").replace(",", " ").split()
    is_excluded = [_matches(entry, origin, excluding) for entry in excluded]  # a list, so that every entry is checked
    return "" if any(is_excluded) else found


def _matches(entry: str, origin: Origin, variable: str) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return _is_in_network(entry, origin.host, variable)
    host, port = _host_and_port(entry.lower())
    if port and port != str(origin.port):
        return False
    suffix = host.removeprefix("*").lstrip(".")
    return origin.host == suffix or (bool(suffix) and origin.host.endswith(f".{suffix}"))


def _is_in_network(entry: str, host: str, variable: str) -> bool:
    """Return whether a host is an IP address in a network; raise ConfigError if the network's mask is not valid."""
    address = _address(host)
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        if _address(entry.partition("/")[0]) is None:  # not meant as a network
            return False
        reason = f"{entry[:60]!a} is not a valid network; expected ADDRESS/BITS, such as 10.0.0.0/8"
        raise ConfigError(f"{variable}: {reason}") from None
    return address is not None and address in network


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _host_and_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":")
    if entry.count(":") > 1:  # an IPv6 address without brackets
        return entry, ""
    host, _, port = entry.partition(":")
    return host, port
