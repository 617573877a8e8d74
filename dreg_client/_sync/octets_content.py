# Generated from dreg_client/_async/octets_content.py by tools/generate_sync.py. Do not edit.
"""Bytes in memory, to be written as a blob."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

from dreg_client.values.digest import Digest


class OctetsContent:
    """Bytes in memory (a `Content`)."""

    is_repeatable = True

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.digest: Digest | None = Digest.of(octets)
        self.size: int | None = len(octets)

    @contextmanager
    def chunks(self, start: int = 0) -> Generator[Iterator[bytes]]:
        """Open the bytes from an offset."""
        yield self._chunks(start)

    def _chunks(self, start: int) -> Iterator[bytes]:
        yield self._octets[start:] if start else self._octets
