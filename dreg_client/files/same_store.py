"""Whether two names are those of the same repository or layout."""

import os
from collections.abc import Iterable
from typing import Final

from dreg_client.errors import ConfigError

_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HTTPS: Final = 443


def identity_of(address: str) -> str:
    """Return a text that is the same for all spellings of a store, whose name has no tag.

    Layouts are the same if their real paths are. Registries are the same if their hosts and ports are; that of HTTPS
    can be left out. Different names of a host are not compared.

    Examples:
        >>> identity_of("registry.example:0443/acme/web"), identity_of("localhost:5000/acme/web")
        ('registry.example/acme/web', 'localhost:5000/acme/web')
        >>> identity_of("oci:build/web/") == identity_of("oci:./build/web")
        True
    """
    if address.startswith("oci:"):
        return f"oci:{os.path.realpath(address.removeprefix('oci:'))}"
    host, port, repository = _parts(address)
    is_default = port == _HTTPS and host not in _THIS_MACHINE
    return f"{host}{f':{port}' if port and not is_default else ''}/{repository}"


def check_spellings(addresses: Iterable[str]) -> None:
    """Raise ConfigError if a repository on this machine is named by different hosts, such as localhost and 127.0.0.1.

    They may be different registries, so they are not taken for the same one either.
    """
    found: dict[tuple[int | None, str], tuple[str, str]] = {}
    for address in addresses:
        if address.startswith("oci:"):
            continue
        host, port, repository = _parts(address)
        if host not in _THIS_MACHINE:
            continue
        known_host, known = found.setdefault((port, repository), (host, address))
        if known_host != host:
            raise ConfigError(f"{known} and {address} may be the same repository; use one of the two names for both")


def _parts(address: str) -> tuple[str, int | None, str]:
    registry, _, repository = address.partition("/")
    host, colon, port = registry.rpartition(":")
    if not colon or not port.isdecimal():
        return registry, None, repository
    return host, int(port), repository
