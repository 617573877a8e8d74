"""What the repositories of a sync share: connections, and limits of what is copied at a time."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, Self, TypeVar

from dreg_client._async._compat import Semaphore, new_lock
from dreg_client._async.blob_copies import registry_of
from dreg_client._async.copy import listener_of
from dreg_client._async.limits import within
from dreg_client._async.ports import AsyncDestination, AsyncSource
from dreg_client._async.registry import AsyncRegistry
from dreg_client._async.shared_transfers import AsyncPlacedBlobs, AsyncSharedTransfers
from dreg_client.copying.concurrency import numbers_at_once
from dreg_client.copying.lost_registries import LostRegistries
from dreg_client.copying.options import CopyOptions, options_of_ends
from dreg_client.copying.totals import Totals
from dreg_client.credentials.lookup import with_defaults
from dreg_client.protocol.permits import Permit

REPOSITORIES_AT_ONCE: Final = 4
T = TypeVar("T")


class AsyncSyncRun:
    """A sync of one or many repositories. A context manager, which closes the connections that it opened.

    Each registry is opened once, so that all repositories share its connections and tokens.

    Args:
        options: The options of registries.

    Attributes:
        totals: Adds up the events of all copies.
        lost: The registries that failed.
    """

    def __init__(self, options: CopyOptions) -> None:
        self._of_source, self._of_destination = options_of_ends(options)
        self.totals = Totals(listener_of(options))
        self.lost = LostRegistries()
        self._places = Semaphore(REPOSITORIES_AT_ONCE)
        self._opened: dict[tuple[str, bool], AsyncRegistry] = {}
        self._blobs: dict[tuple[str, int], Semaphore] = {}
        self._placed: dict[str, AsyncPlacedBlobs] = {}
        self._lock, self._stack = new_lock(), AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def registry(self, url: str, *, is_destination: bool = False) -> AsyncRegistry:
        """Return a registry, as the source or as the destination, which have options and connections of their own."""
        key = url, is_destination
        async with self._lock:
            if key not in self._opened:
                options = self._of_destination if is_destination else self._of_source
                opened = AsyncRegistry(url, strict=False, **with_defaults(options))
                self._opened[key] = await self._stack.enter_async_context(opened)
            return self._opened[key]

    @asynccontextmanager
    async def place(self, *stores: str) -> AsyncGenerator[None]:
        """Wait until another repository may be worked on.

        Raises:
            DregError: The registry of one of its stores has already failed.
        """
        held = Permit(self._places)
        try:
            await self._places.acquire(held=held)
            self.lost.check(*stores)
            yield
        finally:
            self._places.release(held)

    def shared(self, source: AsyncSource, destination: AsyncDestination) -> AsyncSharedTransfers:
        """Return what all copies between the same hosts share.

        How many blobs a host serves or takes at a time depends on its own connections. If these differ between the
        source and the destination, the host has a limit for each.
        """
        is_shared = source.client is destination.client
        sizes = set[tuple[str, int]]()
        for end in (source, destination):
            if end.client is not None:
                at_once, _ = numbers_at_once(end.client.connections, 2 if is_shared else 1)
                sizes.add((registry_of(end), at_once))
        # All copies acquire the limits in the same order, so they cannot wait for each other.
        limits = tuple(self._blobs.setdefault(size, Semaphore(size[1])) for size in sorted(sizes))
        into = registry_of(destination)
        return AsyncSharedTransfers(limits, self._placed.setdefault(into, AsyncPlacedBlobs()) if into else None)


async def in_run(options: CopyOptions, function: Callable[[AsyncSyncRun], Awaitable[T]]) -> T:
    """Return what a function returns that gets a new run, within the `deadline` of the options."""

    async def call() -> T:
        async with AsyncSyncRun(options) as run:
            return await function(run)

    return await within(options.get("deadline"), call)
