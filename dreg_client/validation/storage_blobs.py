"""The checks of the blobs of a registry's storage: their bytes (STO-02), and whether a manifest needs them (STO-05)."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final

from dreg_client import errors
from dreg_client.errors.problems import Problem
from dreg_client.files.held_directory import HeldDirectory
from dreg_client.files.registry_storage import StorageTree, data_path
from dreg_client.files.rooted import Status, chunks_of
from dreg_client.models import rules
from dreg_client.validation.digest_set import DigestSet
from dreg_client.validation.report import FileReport, Report
from dreg_client.validation.storage_links import YOUNG, ago
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.sizes import MAX_DOCUMENT

_PAUSE: Final = 0.05
"""Seconds to wait before a small blob is read again: distribution 2 empties the file of a manifest before it writes."""


def _never() -> bool:
    return False


def unreferenced_blobs(
    tree: StorageTree, references: DigestSet, recent: Callable[[], DigestSet], now: float
) -> Iterator[FileReport]:
    """Report the blobs that no manifest of any repository refers to (STO-05), with their bytes.

    Args:
        tree: The storage.
        references: The digests of all manifests, and of all that they refer to.
        recent: Return the same for manifests that were pushed meanwhile. It is called if a blob is not in `references`.
        now: When the references were started to be read, in seconds since 1970.
    """
    pushed: DigestSet | None = None
    for algorithm, start, names in _parts(tree):
        left = set(names) - references.part(algorithm, start)
        if left:
            pushed = recent() if pushed is None else pushed
            left -= pushed.part(algorithm, start)
        with HeldDirectory(tree.files, f"blobs/{algorithm}/{start}") as held:
            for name in sorted(left):
                digest, status = Digest(f"{algorithm}:{name}"), held.status(name, "data")
                if status is not None:  # it was not deleted meanwhile
                    yield _unreferenced(tree, digest, status, now)


def _unreferenced(tree: StorageTree, digest: Digest, status: Status, now: float) -> FileReport:
    age = None if status.modified is None else now - status.modified
    verdict = rules.warning if age is None or age >= YOUNG else rules.note
    written = "" if age is None else f", written {ago(age)} ago"
    found = f"a blob of {status.size} bytes{written}"
    problem = verdict("STO-05", "$", found, "a manifest of any repository that refers to it")
    return FileReport(path_of(tree, digest), Report(None, digest, status.size, (problem,)))


def _parts(tree: StorageTree) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each algorithm, two digits, and the encoded parts of the digests that begin with them."""
    for algorithm in tree.files.entries("blobs"):
        for start in tree.files.entries(f"blobs/{algorithm.name}"):
            inner = tree.files.entries(f"blobs/{algorithm.name}/{start.name}")
            names = [each.name for each in inner if each.name.startswith(start.name)]
            yield algorithm.name, start.name, [it for it in names if is_registered_digest(f"{algorithm.name}:{it}")]


def blobs_between(tree: StorageTree, first: int, stop: int) -> Iterator[Digest]:
    """Yield the digests of all blobs whose first byte is in a range; 0 to 256 are all."""
    for algorithm in tree.files.entries("blobs"):
        for start in range(first, stop):
            for entry in tree.files.entries(f"blobs/{algorithm.name}/{start:02x}"):
                if is_registered_digest(text := f"{algorithm.name}:{entry.name}"):
                    yield Digest(text)


def damaged_blobs(
    tree: StorageTree, digests: Iterable[Digest], is_cancelled: Callable[[], bool] = _never
) -> Iterator[FileReport]:
    """Read blobs; report those whose bytes have another digest (STO-02), or cannot be read."""
    for digest in digests:
        if digest.computable and (found := _damage(tree, digest, is_cancelled)) is not None:
            size, what = found
            yield FileReport(path_of(tree, digest), Report(None, digest, size, (damage(digest, what),)))


def damage(digest: Digest, found: str) -> Problem:
    """Return the problem of a blob with other bytes (STO-02)."""
    return rules.error("STO-02", "$", found, f"content with the digest {digest}")


def path_of(tree: StorageTree, digest: Digest) -> str:
    """Return the path of a blob's bytes, for reports."""
    return f"{tree.files.name}/{data_path(digest)}"


def _damage(tree: StorageTree, digest: Digest, is_cancelled: Callable[[], bool]) -> tuple[int, str] | None:
    """Return the size of a blob and what is wrong with it; None if nothing is, or it was deleted."""
    try:
        with suppress(FileNotFoundError):
            size, actual = _hash(tree, digest, is_cancelled)
            if actual != digest and size <= MAX_DOCUMENT:  # perhaps it is being written
                time.sleep(_PAUSE)
                size, actual = _hash(tree, digest, is_cancelled)
            return None if actual == digest or is_cancelled() else (size, f"content with the digest {actual}")
    except errors.LayoutError as failure:
        return 0, f"a file that {failure.reason}"
    return None


def _hash(tree: StorageTree, digest: Digest, is_cancelled: Callable[[], bool]) -> tuple[int, Digest]:
    verifier = digest.verifier()
    with tree.open(digest) as file:
        for chunk in chunks_of(file, path_of(tree, digest)):
            verifier.update(chunk)
            if is_cancelled():
                break
    return verifier.size, verifier.digest()
