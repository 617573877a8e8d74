"""The twins of connections, for tasks."""

from collections.abc import AsyncIterator
from time import monotonic
from typing import Self, TypeVar

from dreg_client import errors
from dreg_client.asks import Blob
from dreg_client.conversation.conversation import conversation_with
from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.events import Received
from dreg_client.protocol.manifests import Capabilities
from dreg_client.protocol.messages import Exchange, Request, Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.plan import arun
from dreg_client.protocol.ranges import BlobRanges
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.transport.async_sending import AsyncBody, AsyncSender
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName

T = TypeVar("T")


class AsyncConnection:
    """One client of one registry, for any number of tasks of one event loop.

    Args:
        base: Where the registry is.
        options: How it is talked to.

    Attributes:
        base: Where the registry is.
        habits: What it was found to do.
        most: The most connections to one host.
    """

    base: RegistryURL
    habits: Capabilities
    most: int

    def __init__(self, base: RegistryURL, options: Options) -> None:
        self.base, self.habits, self.most = base, Capabilities(), options.connections
        self._conversation = conversation_with(base, options)
        self._sender = AsyncSender(options, (base, *self._conversation.mirrors))

    async def carry(self, plan: Exchange[T]) -> T:
        """Carry out a plan of requests."""
        return await arun(plan, self.ask)

    async def ask(self, request: Request) -> Response:
        """Ask one thing."""
        return await arun(self._conversation.ask(request), self._sender.answer)

    def blob(self, name: RepositoryName, ask: Blob) -> "AsyncBlobBody":
        """The bytes of a blob."""
        request = BlobRequest(ask.digest, ask.start, ask.size, fresh=ask.fresh, decode=ask.decode)
        download = BlobTransfer(name, request)
        return AsyncBlobBody(self, ask.digest, download)

    def received(self, digest: Digest, octets: int, reading: BlobTransfer | BlobRanges) -> None:
        """Tell that bytes came."""
        self._sender.tell(Received(digest, octets, reading.total, reading.offset))

    async def close(self) -> None:
        """Close all connections."""
        await self._sender.close()


class AsyncBlobBody:
    """The bytes of a blob as they come, through interruptions; a context manager, and an iterator within it."""

    def __init__(self, connection: AsyncConnection, digest: Digest, download: BlobTransfer) -> None:
        self._connection, self._digest, self._download = connection, digest, download
        self._body: AsyncBody | None = None
        self._left = False

    @property
    def encoding(self) -> str:
        """How the bytes came packed; empty where they did not."""
        return self._download.encoding

    async def __aenter__(self) -> Self:
        if self._body is None:
            await self._begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._left = True
        await self._close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def _begin(self) -> None:
        """Ask until there is a body to be read, or nothing is left to read."""
        while not self._download.done:
            response = await self._connection.ask(self._download.request())
            self._body = response.stream if isinstance(response.stream, AsyncBody) else None
            try:
                if self._download.begin(response):
                    return
            except BaseException:
                await self._close()
                raise
            await self._close()

    async def __anext__(self) -> bytes:
        if self._left and not self._download.done:
            raise errors.ClosedError(f"the stream of blob {self._digest.short}")
        while not self._download.done:
            try:
                wanted = await self._next_chunk()
            except errors.TransportError as failure:
                await self._close()
                self._download.interrupted(failure)
                await self._begin()
                continue
            if wanted:
                return wanted
        await self._close()
        raise StopAsyncIteration

    async def _next_chunk(self) -> bytes:
        """What is new in the next chunk, empty where nothing is, as at the end of the body."""
        began = monotonic()
        chunk = await anext(self._body, None) if self._body else None
        if chunk is None:
            self._download.ended()
            return b""
        wanted = self._download.feed(chunk, monotonic() - began)
        if not self._download.exact:
            self._connection.received(self._digest, len(wanted), self._download)
        return wanted

    async def _close(self) -> None:
        if self._body is not None:
            body, self._body = self._body, None
            await body.close()
