"""What the copies of a sync share, such as the blobs that were written to a registry and that others can mount."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from dreg_client._async._compat import Semaphore, wait_future
from dreg_client.protocol.turns import Turn
from dreg_client.values.digest import Digest

_MOST: Final = 100_000
"""The most blobs to remember: 20 MB."""


class AsyncPlacedBlobs:
    """The repositories of a registry that have the blobs which were written. Copies to it may share it."""

    def __init__(self) -> None:
        self._repositories: dict[Digest, str] = {}

    @asynccontextmanager
    async def turn(self, digest: Digest) -> AsyncGenerator[None]:
        """Wait until no other copy transfers the same blob, which can then be mounted."""
        with Turn((self, digest)) as before:
            await wait_future(before)
            yield

    def add(self, digest: Digest, repository: str) -> None:
        """Remember that a repository has a blob."""
        if len(self._repositories) < _MOST:
            self._repositories.setdefault(digest, repository)

    def repository_with(self, digest: Digest, besides: str) -> str | None:
        """Return a repository that has a blob, other than `besides`; None if none is known."""
        found = self._repositories.get(digest)
        return None if found == besides else found


@dataclass(frozen=True, slots=True)
class AsyncSharedTransfers:
    """What the copies of a sync share.

    Attributes:
        limits: How many blobs may be transferred at a time.
        placed: The blobs that were written to the registry of the destination; None if it is not a registry.
    """

    limits: tuple[Semaphore, ...] = ()
    placed: AsyncPlacedBlobs | None = None
