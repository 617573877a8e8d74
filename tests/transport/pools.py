"""Pools for each kind of caller: threads, asyncio and trio; a test is written once, as async code."""

import asyncio
import select
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any, Self

import trio

from dreg_client._async._compat import maybe_await
from dreg_client._async.pool import AsyncPool
from dreg_client._sync.pool import Pool
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import Options, Timeouts
from dreg_client.values.origin import Origin

KINDS = ("threads", "asyncio", "trio")
Act = Callable[["AnyPool"], Awaitable[Any]]


@dataclass(frozen=True)
class Got:
    """A response that was read to its end."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    peer: str


class AnyResponse:
    """A response of tasks or threads, as an async iterator."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.status, self.headers, self.peer = response.status, response.headers, response.peer

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        chunk = await maybe_await(self.response.chunk())
        if chunk is None:
            raise StopAsyncIteration
        return chunk  # type: ignore[no-any-return]

    async def aclose(self) -> None:
        await maybe_await(self.response.close() if hasattr(self.response, "close") else self.response.aclose())


class AnyPool:
    """A pool of any kind, and what a test asks of it."""

    def __init__(self, kind: str, options: Options, registries: Collection[Origin] = ()) -> None:
        self.kind = kind
        self.timeouts, self.connections = options.timeouts, options.connections
        named = dict.fromkeys(registries, options)
        self.pool: Any = (Pool if kind == "threads" else AsyncPool)(options, named)

    async def send(self, hop: Hop, timeouts: Timeouts | None = None) -> Any:
        sent = self.pool.send(hop, timeouts or self.timeouts)
        return AnyResponse(await maybe_await(sent))

    async def get(self, url: str, method: str = "GET", **rest: Any) -> Got:
        """Send a request, and read its response to the end."""
        response = await self.send(Hop(method, url, **rest))
        try:
            body = b"".join([chunk async for chunk in response])
        finally:
            await response.aclose()
        return Got(response.status, response.headers, body, response.peer)

    async def aclose(self) -> None:
        if self.kind == "threads":
            self.pool.close()
        else:
            await self.pool.aclose()

    @property
    def package(self) -> str:
        """The package that it is from."""
        return "_sync" if self.kind == "threads" else "_async"

    @property
    def idle(self) -> int:
        """How many connections are kept."""
        return sum(len(pool._idle) for pool in self.pool._pools.values())

    def wait_for_bytes(self) -> None:
        """Wait until something has arrived on each connection that is kept."""
        for stream in [each._stream for pool in self.pool._pools.values() for each in pool._idle]:
            inner = stream
            while hasattr(inner, "_inner"):
                inner = inner._inner
            # Some of it may have been read from the socket already, as a part of what TLS encrypts.
            assert not stream.is_silent() or select.select([inner._sock], [], [], 20)[0]

    @property
    def free(self) -> set[int]:
        """How many connections may be made, to each origin."""
        return {pool._permits.free for pool in self.pool._pools.values()}

    def run(self, act: Act) -> Any:
        """Do something with it, in an event loop of its own where the kind has one."""

        async def whole() -> Any:
            return await act(self)

        if self.kind == "asyncio":
            return asyncio.run(whole())
        return trio.run(whole) if self.kind == "trio" else driven(whole())

    def run_get(self, url: str, method: str = "GET", **rest: Any) -> Got:
        return self.run(lambda pool: pool.get(url, method, **rest))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.run(AnyPool.aclose)


def driven(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")
