"""Downloads by each kind of caller: threads, asyncio and trio, each over its own client."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trio

from dreg_client._async import downloads as async_downloads
from dreg_client._async.blob_body import AsyncBlobBody
from dreg_client._async.client import AsyncClient
from dreg_client._async.ranged_download import AsyncRangedDownload
from dreg_client._sync import downloads
from dreg_client._sync.blob_body import BlobBody
from dreg_client._sync.client import Client
from dreg_client._sync.ranged_download import RangedDownload
from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.content import BlobRef, BlobRequest
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.reference import RepositoryName
from tests.raw_server import RawServer

KINDS = ("threads", "asyncio", "trio")
NAME = RepositoryName("acme/web")
Do = Callable[[Callable[[Any], Any]], Any]
"""Does something with the repository `acme/web`, and waits for it."""


class Source:
    """As much of a registry's repository as blobs need."""

    name = address = str(NAME)
    client = writable = None
    refetches = writes_manifests = True

    def __init__(self, client: Any) -> None:
        self.client = client
        is_async = isinstance(client, AsyncClient)
        self._blob: Any = AsyncBlobBody if is_async else BlobBody
        self._ranged: Any = AsyncRangedDownload if is_async else RangedDownload
        self._downloads: Any = async_downloads if is_async else downloads

    def open_blob(self, request: BlobRequest) -> Any:
        if request.ranges > 1:
            return self._ranged(self.client, NAME, request)
        return self._blob(self.client, request.digest, BlobTransfer(NAME, request))

    def download_blob(
        self, blob: BlobRef, path: Path, *, resume: bool = False, durability: Any = "full", connections: int = 1
    ) -> Any:
        return self._downloads.download_blob(self, blob, path, resume=resume, durability=durability, ranges=connections)

    def get_blob(self, request: BlobRequest, limit: int) -> Any:
        return self._downloads.get_blob(self, request, limit)

    def stream_blob(self, request: BlobRequest, verifier: Any = None) -> Any:
        return self._downloads.stream_blob(self, request, verifier)


@contextmanager
def opened(kind: str, server: RawServer, **options: Any) -> Generator[tuple[Any, Do]]:
    """A client of a server, and what does something with its repository."""
    registry, given = RegistryURL.parse(server.url), Options(**{"retries": 0, **options})
    if kind == "threads":
        client = Client(registry, given)
        yield client, lambda act: act(Source(client))
        client.close()
        return
    async_client = AsyncClient(registry, given)
    yield async_client, lambda act: run(kind, lambda: act(Source(async_client)))
    run(kind, async_client.aclose)


def run(kind: str, act: Callable[[], Awaitable[Any]]) -> Any:
    """Wait for something in an event loop of its own."""

    async def awaited() -> Any:
        return await act()

    return trio.run(awaited) if kind == "trio" else asyncio.run(awaited())


def free_places(client: Any) -> set[int]:
    """How many connections may be opened to each origin now."""
    return {pool._permits.free for pool in client._transport._pools.values()}
