"""The bytes of one blob of a registry, resumed after interruptions."""

from math import inf
from time import monotonic
from typing import Self

from dreg_client import errors
from dreg_client._async.client import AsyncClient
from dreg_client._async.transport import AsyncOpenResponse
from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.events import Received
from dreg_client.values.digest import Digest


class AsyncBlobBody:
    """The bytes of a transfer in order, by one request at a time (an `AsyncBlobReader`).

    Attributes:
        transfer: The state of the transfer.
    """

    transfer: BlobTransfer

    def __init__(self, client: AsyncClient, digest: Digest, transfer: BlobTransfer) -> None:
        self.transfer = transfer
        self._client, self._digest = client, digest
        self._call = client.deadline()
        self._body: AsyncOpenResponse | None = None
        self._entered = self._left = False
        self._slow_for = 0.0  # seconds spent waiting for bytes since they last arrived fast enough

    @property
    def encoding(self) -> str:
        """The `Content-Encoding` of the bytes; empty if there is none."""
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
                if self._call is not None:
                    self._call.failed(monotonic() - self._slow_for)
                    self._call.check(failure)
                self.transfer.interrupted(failure)
                await self._resume()
                continue
            if chunk:
                return chunk
        await self._close()
        raise StopAsyncIteration

    async def _next_chunk(self) -> bytes:
        """Return the new bytes of the next chunk; empty if there are none, for example at the end of the body."""
        began = monotonic()
        end = began + self.transfer.pace.patience
        if self._call is not None:
            end = min(end, self._call.until(began))
        try:
            chunk = await self._body.chunk(end) if self._body is not None else None
        except errors.TransportError:
            self.transfer.pace.add_wait(monotonic() - began)
            self._slow_for += monotonic() - began
            raise
        if chunk is None:
            self.transfer.ended()
            return b""
        self._slow_for += monotonic() - began
        chunk = self.transfer.feed(chunk, monotonic() - began)
        if self._call is not None and self.transfer.pace.is_fast_enough:
            self._call.succeeded()
            self._slow_for = 0.0
        if not self.transfer.exact:  # ranges are reported in order, when they are passed on
            self._client.emit(Received(self._digest, len(chunk), self.transfer.total, self.transfer.offset))
        return chunk

    async def _resume(self) -> None:
        """Request the rest after an interruption."""
        began = monotonic()
        try:
            await self._begin(self.transfer.pace.resume_within)
        finally:
            self.transfer.pace.add_wait(monotonic() - began, for_body=False)

    async def _begin(self, within: float = inf) -> None:
        """Send requests until there is a body to read, or nothing is left to read."""
        end = monotonic() + within
        while not self.transfer.done:
            within = max(end - monotonic(), 0.0)
            response, self._body = await self._client.stream(self.transfer.request(), self._call, within)
            try:
                if self.transfer.begin(response):
                    return
            except BaseException:
                await self._close()
                raise
            await self._close()

    async def _close(self) -> None:
        if self._body is not None:
            await self._body.aclose()  # before the reference is dropped, because Ctrl-C may come at any moment
            self._body = None
