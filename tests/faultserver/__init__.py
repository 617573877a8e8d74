"""Hosts that say exactly what a test wants said, by name, over TLS or plainly, and keep what they are told.

    with network(tmp_path) as net:
        registry = net.host("registry.test")
        registry.on("/v2/acme/web/blobs/sha256:...", redirect("https://cdn.test/layer?sig=canary"))
        net.host("cdn.test").on("/layer", answer(LAYER))

Names are resolved, and connections made, in place of the operating system's resolver and `connect` (see `loopback`):
hosts have public addresses, all of them on this machine. What a test does not name cannot be reached.
"""

from tests.faultserver.answers import (
    END,
    RESET,
    STALL,
    Drip,
    Piece,
    Trickle,
    answer,
    challenge,
    chunked,
    head,
    redirect,
    refusal,
    sentence,
)
from tests.faultserver.hosts import Heard, Host
from tests.faultserver.network import Network, network

__all__ = [
    "END",
    "RESET",
    "STALL",
    "Drip",
    "Heard",
    "Host",
    "Network",
    "Piece",
    "Trickle",
    "answer",
    "challenge",
    "chunked",
    "head",
    "network",
    "redirect",
    "refusal",
    "sentence",
]
