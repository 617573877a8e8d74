"""The resolver and the `connect` of tests: names have addresses, and each address is a port of this machine.

Standard library alone: a child process runs this file before all else (see `child/sitecustomize.py`).
"""

import errno
import json
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, cast


@dataclass
class Map:
    """Which names there are, and what stands behind them.

    Attributes:
        addresses: The address of each name.
        ports: The port of this machine behind each `ADDRESS:PORT`.
        real: Ports of this machine that may be reached as they are.
    """

    addresses: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    real: list[int] = field(default_factory=list)

    def text(self) -> str:
        """As a child process reads it."""
        return json.dumps(asdict(self))


def installed(places: Map) -> Callable[[], None]:
    """Look names up and connect by a map from now on; what is given back ends it."""
    resolve, connect, connect_ex = socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex
    peer, changed = socket.socket.getpeername, cast("Any", socket.socket)
    socket.getaddrinfo = lambda host, port, *rest, **named: resolve(_address_of(places, host), port, *rest, **named)
    changed.connect = lambda self, address: connect(self, _real(places, address))
    changed.connect_ex = lambda self, address: connect_ex(self, _real(places, address))
    changed.getpeername = lambda self: _shown(places, peer(self))

    def ended() -> None:
        socket.getaddrinfo = resolve
        del changed.connect, changed.connect_ex, changed.getpeername

    return ended


def _address_of(places: Map, host: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name in places.addresses:
        return places.addresses[name]
    if name is None or name == "localhost" or _is_address(name):
        return host
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _real(places: Map, address: Any) -> Any:
    """The port of this machine behind an address; what the map does not know is refused."""
    if not isinstance(address, tuple):
        return address
    port = places.ports.get(f"{address[0]}:{address[1]}")
    if port is not None:
        return ("127.0.0.1", port)
    if address[1] in places.real or address[1] in places.ports.values():
        return address
    raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


def _shown(places: Map, address: Any) -> Any:
    """The address that a port of this machine stands for."""
    for shown, port in places.ports.items():
        if isinstance(address, tuple) and address[:2] == ("127.0.0.1", port):
            host, _, visible = shown.rpartition(":")
            return (host, int(visible))
    return address


def _is_address(name: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, name)
        except OSError:
            continue
        return True
    try:  # 0x7f.1, 2130706433
        socket.inet_aton(name)
    except OSError:
        return False
    return True
