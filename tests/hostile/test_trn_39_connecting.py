"""Cancelled or interrupted while connecting, at any moment: no socket is left open (TRN-39).

An open socket that is deleted is a ResourceWarning, which fails the test.
"""

import asyncio
import gc
import socket
from types import CodeType
from typing import Any

import pytest

from dreg_client import AsyncRegistry, Registry
from dreg_client.protocol.options import Timeouts
from tests.cancellation.guarded import CancelledAt
from tests.cancellation.lines import AtLine
from tests.faultserver import Network
from tests.hostile.registry import registry_at

_CONNECTING = {
    "_connect",
    "connect",
    "connect_by_proxy",
    "_connect_to_any",
    "_first_connected",
    "_dial",
    "_connected",
    "wait_any_writable",
    "_poll",
}


@pytest.fixture(params=["directly", "by a proxy"])
def options(request: pytest.FixtureRequest, net: Network, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The host, and the proxy, each have a silent address, one that rejects connections, and one that works."""
    registry_at(net)
    net.black_hole("hole.test")
    net.black_hole("hole.test", 3128)
    if request.param == "by a proxy":
        net.proxy()
    addresses = net.places.addresses
    several = {
        addresses[name]: [addresses["hole.test"], addresses[name]]
        for name in ("registry.test", "proxy.test")
        if name in addresses
    }
    for package in ("_sync", "_async"):
        monkeypatch.setattr(f"dreg_client.{package}.network._NEXT_ADDRESS", 0.01)
    known = socket.getaddrinfo

    def getaddrinfo(*given: Any, **named: Any) -> Any:
        found = known(*given, **named)
        others = several.get(found[0][4][0], [found[0][4][0]])
        return [(*found[0][:4], (address, found[0][4][1])) for address in others]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    proxy = {"proxy": "http://proxy.test:3128"} if request.param == "by a proxy" else {}
    return {"ca_file": str(net.ca_file), "retries": 0, "connections": 1, "timeout": Timeouts(pool=10), **proxy}


def test_trn_39_cancelled_at_any_await(options: dict[str, Any]) -> None:
    async def cancelled_at(number: int) -> bool:
        async with AsyncRegistry("https://registry.test", **options) as registry:
            cut = CancelledAt(registry.ping(), number)
            await asyncio.gather(asyncio.create_task(cut.run()), return_exceptions=True)
            gc.collect()
            await registry.ping()
        return cut.waits >= number

    number = 1
    while asyncio.run(cancelled_at(number)):
        number += 1
    assert number > 4, "two addresses, the handshake, the response"


def test_trn_39_interrupted_at_any_line(options: dict[str, Any]) -> None:
    def is_connecting(code: CodeType) -> bool:
        return "/dreg_client/_sync/" in code.co_filename and code.co_name in _CONNECTING

    number, reached = 0, True
    while reached:
        number += 1
        with Registry("https://registry.test", **options) as registry:
            reached = AtLine(number, is_connecting).interrupt(registry.ping)
            gc.collect()
            registry.ping()
    assert number > 30
