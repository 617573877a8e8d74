# Generated from dreg_client/_async/sync_run.py by tools/generate_sync.py. Do not edit.
"""What the repositories of a sync share: connections, and limits of what is copied at a time."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Final, Self, TypeVar

from dreg_client._sync._compat import Semaphore, new_lock
from dreg_client._sync.blob_copies import registry_of
from dreg_client._sync.copy import listener_of
from dreg_client._sync.limits import within
from dreg_client._sync.ports import Destination, Source
from dreg_client._sync.registry import Registry
from dreg_client._sync.shared_transfers import PlacedBlobs, SharedTransfers
from dreg_client.copying.concurrency import numbers_at_once
from dreg_client.copying.lost_registries import LostRegistries
from dreg_client.copying.options import CopyOptions, options_of_ends
from dreg_client.copying.totals import Totals
from dreg_client.credentials.lookup import with_defaults
from dreg_client.protocol.permits import Permit

REPOSITORIES_AT_ONCE: Final = 4
T = TypeVar("T")


class SyncRun:
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
        self._opened: dict[tuple[str, bool], Registry] = {}
        self._blobs: dict[tuple[str, int], Semaphore] = {}
        self._placed: dict[str, PlacedBlobs] = {}
        self._lock, self._stack = new_lock(), ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def registry(self, url: str, *, is_destination: bool = False) -> Registry:
        """Return a registry, as the source or as the destination, which have options and connections of their own."""
        key = url, is_destination
        with self._lock:
            if key not in self._opened:
                options = self._of_destination if is_destination else self._of_source
                opened = Registry(url, strict=False, **with_defaults(options))
                self._opened[key] = self._stack.enter_context(opened)
            return self._opened[key]

    @contextmanager
    def place(self, *stores: str) -> Generator[None]:
        """Wait until another repository may be worked on.

        Raises:
            DregError: The registry of one of its stores has already failed.
        """
        held = Permit(self._places)
        try:
            self._places.acquire(held=held)
            self.lost.check(*stores)
            yield
        finally:
            self._places.release(held)

    def shared(self, source: Source, destination: Destination) -> SharedTransfers:
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
        return SharedTransfers(limits, self._placed.setdefault(into, PlacedBlobs()) if into else None)


def in_run(options: CopyOptions, function: Callable[[SyncRun], T]) -> T:
    """Return what a function returns that gets a new run, within the `deadline` of the options."""

    def call() -> T:
        with SyncRun(options) as run:
            return function(run)

    return within(options.get("deadline"), call)
