"""A blob of one store as the content to write to another."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Self

from dreg_client import errors
from dreg_client._async.ports import AsyncSource
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.content import blob_request


class AsyncStoredBlob:
    """A blob of a store (an `AsyncContent`). Its bytes are verified by the destination that they are written to.

    Args:
        source: The store.
        descriptor: The blob.
        passed: A function that is called with the number of bytes that are passed on, and the offset after them.

    Attributes:
        was_read: Whether any bytes were requested.
        is_missing: Whether the store does not have the blob.
    """

    is_repeatable = True
    was_read: bool = False
    is_missing: bool = False

    def __init__(self, source: AsyncSource, descriptor: Descriptor, passed: Callable[[int, int], None]) -> None:
        self._source, self._request, self._passed = source, blob_request(descriptor), passed
        self._encoding = ""
        self.digest, self.size = descriptor.digest, descriptor.size

    def request_again(self) -> bool:
        """After the bytes were wrong, let `chunks` request them in another way; return whether there is one."""
        request = self._request.again(self._encoding) if self._source.refetches else None
        self._request = request or self._request
        return request is not None

    @asynccontextmanager
    async def chunks(self, start: int = 0) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Open the bytes from an offset.

        Raises:
            NotFoundError: The store does not have the blob; sets `is_missing`.
        """
        self.was_read, is_open = True, False
        try:
            async with self._source.open_blob(replace(self._request, start=start)) as chunks:
                is_open, self._encoding = True, chunks.encoding
                yield _AsyncPassedChunks(chunks, start, self._passed)
        except errors.NotFoundError:
            self.is_missing = not is_open
            raise


class _AsyncPassedChunks:
    """An async iterator over chunks from an offset, which reports how many bytes it passes on."""

    def __init__(self, chunks: AsyncIterator[bytes], start: int, passed: Callable[[int, int], None]) -> None:
        self._chunks, self._so_far, self._passed = chunks, start, passed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        self._so_far += len(chunk)
        self._passed(len(chunk), self._so_far)
        return chunk
