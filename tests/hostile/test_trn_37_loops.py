"""One registry in several event loops, one after another and side by side (TRN-37)."""

import asyncio
import gc
import threading
from typing import Any

import httpx
import pytest
import trio

from dreg_client import AsyncRegistry, errors
from tests.faultserver import Network, challenge
from tests.hostile.registry import TAGS, listed, registry_at


def opened(net: Network, **options: Any) -> AsyncRegistry:
    return AsyncRegistry("https://registry.test", **{"ca_file": str(net.ca_file), "retries": 0, **options})


async def tags(registry: AsyncRegistry) -> tuple[str, ...]:
    return await registry.repository("acme/web").tags()


def test_trn_37_a_registry_works_in_one_event_loop_after_another(net: Network) -> None:
    registry_at(net)
    registry = opened(net)

    assert asyncio.run(tags(registry)) == ("1.4", "all")
    registry.repository("acme/web").refresh()
    assert trio.run(tags, registry) == ("1.4", "all")
    asyncio.run(registry.repository("acme/web").get_manifest("1.4"))  # type: ignore[arg-type]
    asyncio.run(registry.close())


def test_trn_37_loops_share_one_token_and_one_connection(net: Network) -> None:
    registry_at(net).on(TAGS, challenge('Bearer realm="https://registry.test/token"'), listed("1.4"))
    registry = opened(net, connections=1)
    net.hosts["registry.test"].on("/token", b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"token":"t"}')
    found = list[object]()

    async def several() -> None:
        for _ in range(10):
            registry.repository("acme/web").refresh()
            found.append(await tags(registry))

    threads = [threading.Thread(target=lambda: asyncio.run(several()), daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [("1.4",)] * 40
    asyncio.run(registry.close())


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_trn_37_a_callers_transport_is_closed_in_another_loop_without_a_foreign_error(net: Network) -> None:
    registry_at(net)
    transport = httpx.AsyncHTTPTransport(verify=httpx.create_ssl_context(verify=str(net.ca_file)))
    registry = opened(net, transport=transport, keep_alive=True)
    assert asyncio.run(tags(registry)) == ("1.4", "all")

    async def again(registry: AsyncRegistry) -> None:
        registry.repository("acme/web").refresh()
        with pytest.raises(errors.DregError):
            await tags(registry)

    asyncio.run(again(registry))
    asyncio.run(registry.close())
    del transport, registry
    gc.collect()  # what httpx left open ends in this test, whose warnings are ignored


@pytest.mark.parametrize(
    "failure", [RuntimeError("Event loop is closed"), AttributeError("send"), OSError(9, "closed")]
)
def test_trn_37_an_error_of_a_callers_transport_does_not_leave_close(net: Network, failure: Exception) -> None:
    class Failing(httpx.AsyncBaseTransport):
        async def aclose(self) -> None:
            raise failure

    registry = opened(net, transport=Failing())
    asyncio.run(registry.close())
    with pytest.raises(errors.ClosedError):
        asyncio.run(tags(registry))
