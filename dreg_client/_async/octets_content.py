"""Bytes in memory, to be written as a blob."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from dreg_client.values.digest import Digest


class AsyncOctetsContent:
    """Bytes in memory (an `AsyncContent`)."""

    is_repeatable = True

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.digest: Digest | None = Digest.of(octets)
        self.size: int | None = len(octets)

    @asynccontextmanager
    async def chunks(self, start: int = 0) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Open the bytes from an offset."""
        yield self._chunks(start)

    async def _chunks(self, start: int) -> AsyncIterator[bytes]:
        yield self._octets[start:] if start else self._octets
