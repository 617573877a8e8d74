# Generated from dreg_client/_async/shared_transfers.py by tools/generate_sync.py. Do not edit.
"""What the copies of a sync share, such as the blobs that were written to a registry and that others can mount."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from dreg_client._sync._compat import Semaphore, wait_future
from dreg_client.protocol.turns import Turn
from dreg_client.values.digest import Digest

_MOST: Final = 100_000
"""The most blobs to remember: 20 MB."""


class PlacedBlobs:
    """The repositories of a registry that have the blobs which were written. Copies to it may share it."""

    def __init__(self) -> None:
        self._repositories: dict[Digest, str] = {}

    @contextmanager
    def turn(self, digest: Digest) -> Generator[None]:
        """Wait until no other copy transfers the same blob, which can then be mounted."""
        with Turn((self, digest)) as before:
            wait_future(before)
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
class SharedTransfers:
    """What the copies of a sync share.

    Attributes:
        limits: How many blobs may be transferred at a time.
        placed: The blobs that were written to the registry of the destination; None if it is not a registry.
    """

    limits: tuple[Semaphore, ...] = ()
    placed: PlacedBlobs | None = None
