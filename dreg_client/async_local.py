"""Layouts and archives for tasks: their files are read by a thread, so that no other task waits for a disk."""

from collections.abc import AsyncIterator, Iterator
from functools import partial
from types import TracebackType
from typing import cast

from dreg_client.asks import Ask, Blob
from dreg_client.async_image import AsyncImageStore
from dreg_client.async_store import to_its_end
from dreg_client.image import ImageStore
from dreg_client.store import Chunks


class AsyncLocalStore(AsyncImageStore):
    """A store of this machine, for tasks.

    Args:
        store: The store; it is closed with this one.
    """

    def __init__(self, store: ImageStore) -> None:
        self._store = store

    @property
    def name(self) -> str:
        """What people call the store."""
        return self._store.name

    @property
    def address(self) -> str:
        """Where the store is."""
        return self._store.address

    async def answer(self, ask: Ask) -> object:
        """Answer one question."""
        answer = await to_its_end(partial(self._store.answer, ask))
        return _AsyncChunks(cast("Chunks", answer)) if isinstance(ask, Blob) else answer

    async def close(self) -> None:
        """Give back what the store holds open."""
        self._store.close()


class _AsyncChunks:
    """The chunks of a blob, each read by a thread."""

    def __init__(self, chunks: Chunks) -> None:
        self._held = chunks
        self._chunks: Iterator[bytes] = iter(())

    async def __aenter__(self) -> AsyncIterator[bytes]:
        self._chunks = await to_its_end(self._held.__enter__)
        return self._read()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await to_its_end(partial(self._held.__exit__, None, None, None))

    async def _read(self) -> AsyncIterator[bytes]:
        while chunk := await to_its_end(partial(next, self._chunks, b"")):
            yield chunk
