"""Read the documents in the storage of a registry, while a server may be writing them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from dreg_client import errors
from dreg_client.files.held_directory import HeldDirectory
from dreg_client.files.registry_storage import StorageTree, data_path
from dreg_client.files.storage_link import attempts, is_damage, is_recent
from dreg_client.values.digest import Digest
from dreg_client.values.sizes import MAX_DOCUMENT

_KNOWN_BLOBS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Whole:
    """A document whose bytes have the digest that named it."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Gone:
    """A document whose bytes are gone."""


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A document that is larger than any may be. It was not read.

    Attributes:
        size: Its size in bytes.
        limit: The size that it may have.
    """

    size: int
    limit: int


@dataclass(frozen=True, slots=True)
class Damaged:
    """A document with other bytes, or a file that is not a regular one (STO-02).

    Attributes:
        found: What was found, for reports.
        reason: The same as a predicate of the file.
        raw: The bytes; none if it is not a regular file.
    """

    found: str
    reason: str
    raw: bytes = b""


Stored = Whole | Gone | TooLarge | Damaged


class StoredBlobs:
    """The blobs of a storage: which of them exist, and documents among them.

    A context manager, which closes the directories that it holds.
    """

    def __init__(self, tree: StorageTree) -> None:
        self._blobs = HeldDirectory(tree.files, "blobs")
        self._known_size: Callable[[Digest], int | None] = lru_cache(_KNOWN_BLOBS)(self.size_now)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._blobs.close()

    def size(self, digest: Digest) -> int | None:
        """Return the size of a blob in bytes; None if there is none.

        Earlier results are remembered, because many images share base layers.
        """
        return self._known_size(digest)

    def size_now(self, digest: Digest) -> int | None:
        """Return the size of a blob in bytes now; None if there is none."""
        status = self._blobs.status(*_parts(digest))
        return None if status is None else status.size

    def document(self, target: Digest, named: Digest) -> Stored:
        """Read a document, and verify it by the digest that `named` it: `target` may be of another algorithm.

        Raises:
            LayoutError: It could not be read, which says nothing about it.
        """
        try:
            raw, actual = self._settled(target, named)
        except FileNotFoundError:
            return Gone()
        except errors.ResponseTooLargeError as failure:
            return TooLarge(failure.size or 0, failure.limit)
        except errors.LayoutError as failure:
            if not is_damage(failure):
                raise
            return Damaged(f"a file that {failure.reason}", failure.reason)
        if actual == named:
            return Whole(raw)
        return Damaged(f"content with the digest {actual}", "has other bytes than its digest states (STO-02)", raw)

    def _settled(self, target: Digest, named: Digest) -> tuple[bytes, Digest]:
        """Return the bytes of a document, and their digest by the algorithm of the one that named it."""
        raw, actual = b"", named
        for _ in attempts():
            raw = self._blobs.read(*_parts(target), limit=MAX_DOCUMENT)
            actual = Digest.of(raw, named.algorithm) if named.computable else named
            if actual == named or not is_recent(self._blobs, _parts(target)):
                break
        return raw, actual


def _parts(digest: Digest) -> tuple[str, ...]:
    return tuple(data_path(digest).split("/")[1:])
