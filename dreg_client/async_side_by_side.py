"""The twin of `side_by_side`, for tasks."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Self

from dreg_client.asks import Blob
from dreg_client.async_connection import AsyncBlobBody, AsyncConnection
from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.ranges import BlobRanges
from dreg_client.values.reference import RepositoryName


class AsyncSideBySide:
    """The bytes of a blob in order, as `AsyncBlobBody` gives them; a context manager, and an iterator within it.

    Args:
        connection: The client of the registry.
        name: The repository.
        ask: What is wanted, and by how many connections.
    """

    def __init__(self, connection: AsyncConnection, name: RepositoryName, ask: Blob) -> None:
        self._connection, self._digest = connection, ask.digest
        most = min(ask.connections, connection.most)
        self._pieces = BlobRanges(name, BlobRequest(ask.digest, ask.start, ask.size), most)
        self._alone = self._body(self._pieces.first)
        self._gate: asyncio.Semaphore | None = None
        self._due: deque[_Piece] = deque()
        self._chunks = self._read()

    def _body(self, download: BlobTransfer) -> AsyncBlobBody:
        return AsyncBlobBody(self._connection, self._digest, download)

    @property
    def encoding(self) -> str:
        """How the bytes came packed; empty where they did not."""
        return self._alone.encoding

    async def __aenter__(self) -> Self:
        try:
            await self._alone.__aenter__()
            if self._pieces.begin():
                self._gate = asyncio.Semaphore(self._pieces.requests)
                self._send_for(_Piece(self._pieces.first, self._alone))
                self._send_for_more()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._chunks.aclose()
        finally:
            await self._close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks

    async def _read(self) -> AsyncGenerator[bytes]:
        while self._due:
            while chunk := await self._due[0].next_chunk():
                self._pieces.advance(len(chunk))
                self._connection.received(self._digest, len(chunk), self._pieces)
                yield chunk
            if self._due[0].download.end is None:
                await self._go_on_alone()
            elif (failure := self._due[0].failure) is not None:
                raise failure
            else:
                self._due.popleft()
                self._pieces.finish_range()
                self._send_for_more()
        if self._gate is None:
            async for chunk in self._alone:
                yield chunk

    async def _go_on_alone(self) -> None:
        """A piece does not fit: what is left is read by one stream."""
        await self._close()
        self._alone = self._body(self._pieces.rest())
        await self._alone.__aenter__()

    def _send_for_more(self) -> None:
        while (download := self._pieces.next()) is not None:
            self._send_for(_Piece(download, self._body(download)))

    def _send_for(self, piece: "_Piece") -> None:
        self._due.append(piece)
        if self._gate is not None:
            piece.task = asyncio.create_task(piece.read(self._gate))

    async def _close(self) -> None:
        """End all pieces, and wait until nothing is read any more, also where we are cancelled meanwhile."""
        tasks = [piece.task for piece in self._due if piece.task is not None]
        self._gate = None
        self._due.clear()
        for task in tasks:
            task.cancel()
        cancelled: asyncio.CancelledError | None = None
        while not all(task.done() for task in tasks):
            try:
                await asyncio.wait(tasks)
            except asyncio.CancelledError as again:
                cancelled = again
        await self._alone.__aexit__()
        if cancelled is not None:
            raise cancelled


class _Piece:
    """A piece on its way.

    Attributes:
        download: Where its reading stands.
        failure: What ended it too early.
        task: What reads it.
    """

    failure: BaseException | None = None
    task: asyncio.Task[None] | None = None

    def __init__(self, download: BlobTransfer, body: AsyncBlobBody) -> None:
        self.download, self._body = download, body
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(self, gate: asyncio.Semaphore) -> None:
        """Read it to its end; what fails is told, not raised."""
        try:
            async with gate, self._body as chunks:
                async for chunk in chunks:
                    self._chunks.put_nowait(chunk)
        except Exception as failure:  # noqa: BLE001 (it is raised where the bytes are due)
            self.failure = failure
        finally:
            self._chunks.put_nowait(b"")

    async def next_chunk(self) -> bytes:
        """Its next bytes, once they are there; none at its end."""
        return await self._chunks.get()
