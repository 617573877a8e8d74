"""One job, written as async code, by both clients: under asyncio, under trio, and by threads."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import trio

from dreg_client._async import _compat as async_compat
from dreg_client._async.client import AsyncClient
from dreg_client._sync import _compat as sync_compat
from dreg_client._sync.client import Client
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL

T = TypeVar("T")
FLAVOURS = ("asyncio", "trio", "threads")


class _Awaited:
    """A sync object whose methods can be awaited: they never suspend."""

    def __init__(self, given: Any) -> None:
        self._given = given

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._given, "close" if name == "aclose" else name)
        if not callable(member):
            return member

        async def call(*arguments: Any, **named: Any) -> Any:
            return _awaited(member(*arguments, **named))

        return call


def _awaited(given: Any) -> Any:
    if isinstance(given, tuple):
        return tuple(_awaited(part) for part in given)
    return _Awaited(given) if type(given).__module__.startswith("dreg_client._sync") else given


def driven(job: Coroutine[Any, Any, T]) -> T:
    """The result of a job that never suspends."""
    try:
        job.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise AssertionError("a job for threads suspended")


class Flavour:
    """One of the ways to run a client.

    Attributes:
        name: asyncio, trio or threads.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @asynccontextmanager
    async def client(self, url: str, **options: Any) -> AsyncIterator[Any]:
        """A client with the methods of `AsyncClient`, closed with the block."""
        kind: Any = Client if self.name == "threads" else AsyncClient
        made = kind(RegistryURL.parse(url), Options(**options))
        client = _Awaited(made) if self.name == "threads" else made
        try:
            yield client
        finally:
            await client.aclose()

    def run(self, job: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a job to its end."""
        if self.name == "trio":
            return trio.run(job)
        return asyncio.run(job()) if self.name == "asyncio" else driven(job())

    async def all(
        self, jobs: list[Callable[[], Coroutine[Any, Any, Any]]], until: Callable[[], bool] | None = None
    ) -> None:
        """Run jobs side by side; with `until`, cancel them once that holds."""
        if self.name == "threads":
            with sync_compat.TaskGroup() as threads:
                for job in jobs:
                    threads.start_soon(lambda job=job: driven(job()))
                while until is not None and not until():
                    sync_compat.sleep(0.01)
                if until is not None:
                    threads.cancel()
            return
        async with async_compat.TaskGroup() as tasks:
            for job in jobs:
                tasks.start_soon(job)
            while until is not None and not until():
                await async_compat.sleep(0.01)
            if until is not None:
                tasks.cancel()
