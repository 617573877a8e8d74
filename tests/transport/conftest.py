"""A client for each kind of caller: every test that asks for one runs by threads and by asyncio."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from dreg_client.protocol.options import Options
from tests.faultserver import Network, network
from tests.raw_server import RawServer
from tests.transport.clients import by_task, by_thread
from tests.transport.pools import KINDS, AnyPool


@pytest.fixture(params=[by_thread, by_task])
def client(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Opens a registry on a server; what is done with its repository, one after another, is on the same connections."""

    def opened(server: RawServer, **options: Any) -> Any:
        return request.param(server, {"retries": 0, **options})

    return opened


@pytest.fixture(params=KINDS)
def new_pool(request: pytest.FixtureRequest) -> Generator[Callable[..., AnyPool]]:
    """Makes pools; at the end, each place in them must be free."""
    pools: list[AnyPool] = []

    def new(**options: Any) -> AnyPool:
        pools.append(AnyPool(request.param, Options(**options)))
        return pools[-1]

    yield new
    for pool in pools:
        assert pool.free <= {pool.connections}, "a place was not given back"
        pool.run(AnyPool.aclose)


@pytest.fixture
def pool(new_pool: Callable[..., AnyPool]) -> AnyPool:
    return new_pool()


@pytest.fixture
def net(tmp_path: Path) -> Generator[Network]:
    with network(tmp_path) as net:
        yield net


@pytest.fixture
def tls(new_pool: Callable[..., AnyPool], net: Network) -> AnyPool:
    """A pool that trusts the hosts of the network."""
    return new_pool(ca_file=str(net.ca_file), trust_env=False)
