"""Read the links and documents in the storage of a registry, while a server may be writing them."""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple, Self

from dreg_client import errors
from dreg_client.files.held_directory import HeldDirectory
from dreg_client.files.registry_storage import StorageTree, data_path
from dreg_client.models.paths import show
from dreg_client.validation.storage_reach import is_damage
from dreg_client.values.digest import SHA256, Digest, is_registered_digest
from dreg_client.values.sizes import MAX_DOCUMENT

_LONGEST_LINK: Final = 1024
_PAUSES: Final = (0.01, 0.05, 0.2, 0.5)
"""Seconds to wait before what may be half-written is read again: distribution 2 empties a link before it writes it."""
_RECENT: Final = 60
"""The number of seconds during which a link counts as just changed."""
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
        raw, actual = self._read(parts, named)
        for pause in _PAUSES:
            if actual == named or not _is_recent(self._blobs, parts):
                break
            time.sleep(pause)
            raw, actual = self._read(parts, named)
        return raw, actual

    def _read(self, parts: tuple[str, ...], named: Digest) -> tuple[bytes, Digest]:
        raw = self._blobs.read(*parts, limit=MAX_DOCUMENT)
        return raw, Digest.of(raw, named.algorithm) if named.computable else named


class Link(NamedTuple):
    """A link that was read: the digest in it; otherwise what is wrong with it."""

    target: Digest | None
    found: str = ""


def settled_link(held: HeldDirectory, parts: tuple[str, ...], text: str = "") -> Link | None:
    """Read a link; None if there is none. What may be half-written is read again."""
    link = read_link(held, parts, text)
    for pause in _PAUSES:
        if link is not None and link.target is not None:
            break
        if link is None and text:  # a deleted link; only a tag has its directory before its link
            break
        if link is not None and not _is_recent(held, parts):
            break
        time.sleep(pause)
        link = read_link(held, parts, text)
    return link


def _is_recent(held: HeldDirectory, parts: tuple[str, ...]) -> bool:
    """Return whether a link was changed just now."""
    status = held.status(*parts)
    return status is not None and status.modified is not None and time.time() - status.modified < _RECENT


def read_link(held: HeldDirectory, parts: tuple[str, ...], text: str = "") -> Link | None:
    """Read a link once; None if there is none. `text` is the digest that it must contain, if its path names one.

    If its path names another algorithm, a sha256 digest is accepted: distribution stores all blobs by their sha256
    digest.

    Raises:
        LayoutError: It cannot be read.
    """
    try:
        raw = held.read(*parts, limit=_LONGEST_LINK)
    except FileNotFoundError:
        return None
    except errors.ResponseTooLargeError as failure:
        return Link(None, f"{failure.size} bytes")
    except errors.LayoutError as failure:
        if not is_damage(failure):
            raise
        return Link(None, f"a link that {failure.reason}")
    found = raw.decode("ascii", "backslashreplace")
    if not is_registered_digest(found):
        return Link(None, show(found) if found else "an empty file")
    digest = Digest(found)
    if text and found != text and (digest.algorithm != SHA256 or text.startswith(SHA256)):
        return Link(None, f"{found}, another digest than that of its path")
    return Link(digest)
