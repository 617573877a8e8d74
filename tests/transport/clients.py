"""Clients of a server that says what a test wants said: by threads and by asyncio."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from dreg_client import AsyncRegistry, Registry
from tests.raw_server import RawServer

Do = Callable[[Callable[[Any], Any]], Any]
"""Does something with the repository `acme/web`, and waits for it."""


@contextmanager
def by_thread(server: RawServer, options: Any) -> Generator[tuple[Any, Do]]:
    with Registry(server.url, **options) as registry:
        repository = registry.repository("acme/web")
        yield registry, lambda act: act(repository)


@contextmanager
def by_task(server: RawServer, options: Any) -> Generator[tuple[Any, Do]]:
    async def carried(awaitable: Any) -> Any:
        return await awaitable

    with asyncio.Runner() as runner:
        registry = AsyncRegistry(server.url, **options)
        try:
            yield registry, lambda act: runner.run(carried(act(registry.repository("acme/web"))))
        finally:
            runner.run(registry.close())


def free_places(registry: Any) -> set[int]:
    """How many connections to each origin may still be opened."""
    return {pool._permits.free for pool in registry._client._transport._pools.values()}


def idle_connections(registry: Any) -> int:
    """How many connections a registry keeps that no request uses."""
    return sum(len(pool._idle) for pool in registry._client._transport._pools.values())
