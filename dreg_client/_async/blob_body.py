"""The bytes of one blob of a registry, through interruptions."""

from time import monotonic
from typing import Self

from dreg_client import errors
from dreg_client._async.client import AsyncClient
from dreg_client._async.response_body import AsyncBody
from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.events import Received
from dreg_client.values.digest import Digest


class AsyncBlobBody:
    """The bytes of a transfer in order, by one request at a time (implements `AsyncBlobReader`).

    Attributes:
        transfer: The state of the reading.
    """

    transfer: BlobTransfer

    def __init__(self, client: AsyncClient, digest: Digest, transfer: BlobTransfer) -> None:
        self.transfer = transfer
        self._client, self._digest = client, digest
        self._body: AsyncBody | None = None
        self._entered = self._left = False

    @property
    def encoding(self) -> str:
        """The `Content-Encoding` that the bytes came with; empty if none."""
        return self.transfer.encoding

    async def __aenter__(self) -> Self:
        if not self._entered:
            await self._begin()
            self._entered = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._left = True
        await self._close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._left and not self.transfer.done:
            raise errors.ClosedError(f"the stream of blob {self._digest.short}")
        while not self.transfer.done:
            try:
                chunk = await self._next_chunk()
            except errors.TransportError as failure:
                await self._close()
                self.transfer.interrupted(failure)
                await self._begin()
                continue
            if chunk:
                return chunk
        await self._close()
        raise StopAsyncIteration

    async def _next_chunk(self) -> bytes:
        """Return what is new in the next chunk; empty if nothing is, as at the end of the body."""
        began = monotonic()
        chunk = await self._body.chunk() if self._body is not None else None
        if chunk is None:
            self.transfer.ended()
            return b""
        chunk = self.transfer.feed(chunk, monotonic() - began)
        if not self.transfer.exact:  # ranges are reported in order, once they are handed on
            self._client.tell(Received(self._digest, len(chunk), self.transfer.total, self.transfer.offset))
        return chunk

    async def _begin(self) -> None:
        """Send requests until there is a body to be read, or nothing is left to read."""
        while not self.transfer.done:
            response, self._body = await self._client.stream(self.transfer.request())
            try:
                if self.transfer.begin(response):
                    return
            except BaseException:
                await self._close()
                raise
            await self._close()

    async def _close(self) -> None:
        if self._body is not None:
            await self._body.aclose()  # before it is forgotten: Ctrl-C may come at any moment
            self._body = None
