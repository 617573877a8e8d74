"""Read the documents in the storage of a registry, while a server may be writing them."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Self

from dreg_client.files.held_directory import HeldDirectory
from dreg_client.files.registry_storage import StorageTree, data_path
from dreg_client.files.storage_link import attempts, is_recent
from dreg_client.values.digest import Digest
from dreg_client.values.sizes import MAX_DOCUMENT

_KNOWN_BLOBS: Final = 50_000


class StoredBlobs:
    """The blobs of a storage: which of them exist. The last ones are remembered: many images share base layers.

    A context manager, which closes the directories that it holds.
    """

    def __init__(self, tree: StorageTree) -> None:
        self._blobs = HeldDirectory(tree.files, "blobs")
        self.is_known: Callable[[Digest], bool] = lru_cache(_KNOWN_BLOBS)(self.exists)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._blobs.__exit__()

    def exists(self, digest: Digest) -> bool:
        """Return whether there is a blob now."""
        return self._blobs.status(*data_path(digest).split("/")[1:]) is not None

    def read(self, digest: Digest, named: Digest) -> tuple[bytes, Digest]:
        """Read a document; return its bytes, and their digest by the algorithm of the one that `named` it.

        Raises:
            FileNotFoundError: The storage has no such blob.
            ResponseTooLargeError: It is larger than `MAX_DOCUMENT`.
            LayoutError: It cannot be read.
        """
        parts = tuple(data_path(digest).split("/")[1:])
        raw, actual = b"", named
        for _ in attempts():
            raw, actual = self._read(parts, named)
            if actual == named or not is_recent(self._blobs, parts):
                break
        return raw, actual

    def _read(self, parts: tuple[str, ...], named: Digest) -> tuple[bytes, Digest]:
        raw = self._blobs.read(*parts, limit=MAX_DOCUMENT)
        return raw, Digest.of(raw, named.algorithm) if named.computable else named
