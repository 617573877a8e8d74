"""Origins: scheme, host and port (RFC 6454). A credential belongs to one origin."""

import ipaddress
import re
import socket
from dataclasses import dataclass
from enum import IntEnum
from typing import Final
from urllib.parse import urljoin, urlsplit

_PORTS: Final = {"http": 80, "https": 443}
_LONGEST_URL: Final = 8192
_HOST: Final = re.compile(r"(?!.{254})(?=[A-Za-z\d])(?:[A-Za-z\d_-]{1,63}\.)*[A-Za-z\d_-]{0,62}[A-Za-z\d]", re.ASCII)
"""A name of at most 253 characters, in labels of at most 63 (RFC 1035). TLS and SOCKS cannot send longer ones."""
_NETLOC: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::[0-9]*)?", re.ASCII)
_NUMBERS: Final = re.compile(r"(?:0[xX][0-9A-Fa-f]*|[0-9]+)(?:\.(?:0[xX][0-9A-Fa-f]*|[0-9]+)){0,3}", re.ASCII)
_TRANSLATED: Final = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")))
_THIS_NETWORK: Final = ipaddress.ip_network("0.0.0.0/8")  # RFC 1122 3.2.1.3
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)


class Reach(IntEnum):
    """How close an address is to this machine. A registry may not redirect to an address closer than its own."""

    PUBLIC = 0
    PRIVATE = 1
    LOCAL = 2
    NOWHERE = 3  # not an address of one host: multicast, reserved


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a URL. The host is in lower case, and an IPv6 address has no brackets."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Return the origin of a plain http(s) URL.

        Raises:
            ValueError: The URL is not valid. The message does not repeat the URL, which may contain a secret.
        """
        if len(url) > _LONGEST_URL:
            raise ValueError(f"it is longer than {_LONGEST_URL} characters")
        if not is_printable(url) or "\\" in url:
            raise ValueError("it must contain only printable ASCII characters, without spaces or backslashes")
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        if scheme not in _PORTS:
            raise ValueError("it must begin with http:// or https://")
        if "@" in parts.netloc:
            raise ValueError("it must not contain a user name or password")
        netloc = _NETLOC.fullmatch(parts.netloc)
        host, port = (parts.hostname or "").lower(), parts.port if netloc else 0
        right = is_ipv6(host) if parts.netloc.startswith("[") else _HOST.fullmatch(host)
        if not right or port == 0:
            raise ValueError("the scheme must be followed by a host and optionally a port from 1 to 65535")
        return cls(scheme, host, port or _PORTS[scheme])

    @property
    def authority(self) -> str:
        """Host and port as in references and credential files: without the scheme's default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine by its name, for which plain HTTP is allowed by default.

        A name such as `a.localhost` may have any address, so the address is checked again (see `Hop.only_loopback`).
        """
        return _is_localhost(self.host.rstrip(".")) or is_loopback(self.host)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


def is_printable(text: str) -> bool:
    """Return whether a string is not empty, and has only printable ASCII characters without spaces, like a URL."""
    return _PRINTABLE.fullmatch(text) is not None


def is_host_name(text: str) -> bool:
    """Return whether a string is a host name, or an IPv4 address, without empty or overlong labels."""
    return _HOST.fullmatch(text) is not None


def is_authority(text: str) -> bool:
    """Return whether a string is `HOST` or `HOST:PORT`."""
    try:
        Origin.of(f"https://{text}")
    except ValueError:
        return False
    return set("/?#").isdisjoint(text)


def is_ipv6(text: str) -> bool:
    """Return whether a string is an IPv6 address without a zone."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text


def reach(host: str) -> Reach:
    """Return how close a host is, by its name or address. An unknown name counts as public.

    Examples:
        >>> reach("registry.example"), reach("10.1.2.3"), reach("0x7f.1")
        (<Reach.PUBLIC: 0>, <Reach.PRIVATE: 1>, <Reach.LOCAL: 2>)
    """
    name = host.lower().rstrip(".")
    if _is_localhost(name):
        return Reach.LOCAL
    address = _address(name)
    if address is None:
        return Reach.PUBLIC
    if address.is_loopback:  # `::1` also looks like an IPv4-compatible address
        return Reach.LOCAL
    embedded = _embedded(address) if isinstance(address, ipaddress.IPv6Address) else None
    return max(_reach_of(address), Reach.PUBLIC if embedded is None else _reach_of(embedded))


def is_loopback(text: str) -> bool:
    """Return whether a string is an address of this machine only: in 127.0.0.0/8, or ::1."""
    address = _address(text)
    return address is not None and address.is_loopback


def _is_localhost(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def _reach_of(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Reach:
    if address.is_loopback or address.is_link_local or address.is_unspecified:
        return Reach.LOCAL
    is_reserved = address.is_reserved and not any(address in network for network in _TRANSLATED)
    if is_reserved or address.is_multicast or address in _THIS_NETWORK:
        return Reach.NOWHERE
    return Reach.PUBLIC if address.is_global and not getattr(address, "is_site_local", False) else Reach.PRIVATE


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address embedded in an IPv6 one: translated (RFC 6052, 8215, 7915), compatible, 6to4, Teredo."""
    if any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour or (address.teredo[1] if address.teredo else None)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Parse an address in any form that resolvers accept: `2130706433`, `0177.0.0.1`, `::ffff:127.0.0.1`."""
    if _NUMBERS.fullmatch(name):
        try:
            return ipaddress.IPv4Address(socket.inet_aton(name))
        except OSError:
            return None
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def joined(base: str, target: str) -> str:
    """Resolve a target, such as a `Location`, against a base URL. An invalid target is returned unchanged."""
    try:
        return urljoin(base, target)
    except ValueError:
        return target


def without_query(url: str) -> str:
    """Return a URL for messages: without its query, which may be a signature, and without user name and password."""
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    scheme, separator, rest = bare.partition("://")
    netloc, slash, path = rest.partition("/")
    return f"{scheme}{separator}{netloc.rpartition('@')[2]}{slash}{path}"[:_LONGEST_URL] if separator else bare
