"""The checks of the blobs of a registry's storage: their bytes (STO-02), and whether a manifest needs them (STO-05)."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, NamedTuple

from dreg_client import errors
from dreg_client.errors.problems import Problem
from dreg_client.files.at_once import map_at_once
from dreg_client.files.held_directory import HeldDirectory
from dreg_client.files.layout import HashedBlob, hash_file
from dreg_client.files.registry_storage import StorageTree, data_path
from dreg_client.files.rooted import Entry, Status
from dreg_client.files.storage_link import is_damage
from dreg_client.models import rules
from dreg_client.models.paths import show
from dreg_client.validation.referenced_digests import ReferencedDigests
from dreg_client.validation.report import FileReport
from dreg_client.validation.storage_entries import file_report, misnamed, misplaced, others_in
from dreg_client.validation.storage_uploads import YOUNG, ago
from dreg_client.values.digest import COMPUTABLE, REGISTERED, Digest, is_registered_digest
from dreg_client.values.sizes import MAX_DOCUMENT

_PAUSE: Final = 0.05
"""Seconds to wait before a small blob is read again: distribution 2 empties the file of a manifest before it writes."""
_ALL_STARTS: Final = frozenset(f"{number:02x}" for number in range(256))


class LinkedBlob(NamedTuple):
    """A blob, and the digest that its bytes must have.

    Attributes:
        target: The digest in its path.
        digest: The digest of the link to it, by which clients request and verify it.
        link: The path of the link if its digest is another one, so that the blob itself may be whole; empty otherwise.
    """

    target: Digest
    digest: Digest
    link: str = ""


def is_damaged_blob(tree: StorageTree, found: FileReport) -> bool:
    """Return whether a report is about the bytes of a blob (STO-02), which repositories may share: not about a link."""
    is_damaged = any(problem.rule == "STO-02" for problem in found.report.problems)
    return is_damaged and found.name == path_of(tree, found.report.digest)


def each_damaged_once(reports: Iterable[FileReport]) -> Iterator[FileReport]:
    """Yield reports, those of a blob with other bytes or another size once, also if several manifests need it."""
    damaged = set[tuple[str, str, str]]()
    for found in reports:
        fault = _damage_in(found)
        if fault is None:
            yield found
        elif fault not in damaged:
            damaged.add(fault)
            yield found


def _damage_in(found: FileReport) -> tuple[str, str, str] | None:
    """Return the damage of a blob that a report is about: its name, the rule, and the size that it should have."""
    for problem in found.report.problems:
        if problem.rule == "STO-02":
            return found.name, problem.rule, ""
        if problem.rule == "LYT-05":  # several manifests may state several wrong sizes
            return found.name, problem.rule, problem.expected.partition(",")[0]
    return None


class BlobEntries:
    """The directories of the blobs of a storage.

    Args:
        tree: The storage.
        reach: What could not be listed is noted there.
    """

    def __init__(self, tree: StorageTree, reach: ReferencedDigests) -> None:
        self._tree, self._reach = tree, reach

    def parts(self) -> Iterator[tuple[str, str, list[str]]]:
        """Yield each algorithm, two digits, and the encoded parts of the digests that begin with them."""
        for algorithm in self._listed("blobs"):
            place = f"blobs/{algorithm.name}"
            starts = [each.name for each in self._listed(place)]
            inner = map_at_once(self._listed, (f"{place}/{start}" for start in starts), self._tree.files.at_once)
            for start, entries in zip(starts, inner, strict=True):
                yield algorithm.name, start, [it.name for it in entries if _is_blob(algorithm.name, start, it)]

    def others(self) -> Iterator[FileReport]:
        """Report what is among the blobs besides (STO-07)."""
        root = self._tree.files.name
        for algorithm in self._listed("blobs"):
            place = f"blobs/{algorithm.name}"
            if is_known := algorithm.name in REGISTERED:
                inner = self._listed(place)
                yield from others_in(f"{root}/{place}", inner)
                for start in inner:
                    yield from self._others_in(algorithm.name, start)
            elif algorithm.is_directory:
                yield misnamed(f"{root}/{place}", algorithm.name, "sha256 or sha512")
            if not algorithm.is_directory and (is_known or algorithm.is_link):
                yield misplaced(f"{root}/{place}", algorithm)

    def _others_in(self, algorithm: str, start: Entry) -> Iterator[FileReport]:
        place = f"blobs/{algorithm}/{start.name}"
        path = f"{self._tree.files.name}/{place}"
        if not start.is_directory:
            return
        if start.name not in _ALL_STARTS:
            yield misnamed(path, start.name, "the first two digits of a digest")
            return
        inner = self._listed(place)
        yield from others_in(path, inner)
        for each in inner:
            if each.is_directory and not _is_blob(algorithm, start.name, each):
                yield misnamed(
                    f"{path}/{each.name}", each.name, f"the hexadecimal digits of a digest, from {start.name}"
                )

    def _listed(self, place: str) -> list[Entry]:
        try:
            return self._tree.files.entries(place)
        except errors.UnsafePathError:  # a link, which is reported
            return []
        except errors.LayoutError as failure:
            self._reach.note_unread(failure)
            return []


def _is_blob(algorithm: str, start: str, entry: Entry) -> bool:
    return entry.is_directory and entry.name.startswith(start) and is_registered_digest(f"{algorithm}:{entry.name}")


def unreferenced_blobs(
    tree: StorageTree, reach: ReferencedDigests, recent: Callable[[], ReferencedDigests], now: float
) -> Iterator[FileReport]:
    """Report the blobs that no manifest of any repository refers to (STO-05), with their bytes.

    Nothing is reported if not all manifests could be read: what they refer to must not be deleted.

    Args:
        tree: The storage.
        reach: What all manifests refer to. What cannot be read is noted there.
        recent: Return the same for manifests that were pushed meanwhile. It is called if a blob is not in `reach`.
        now: When reading the references began, in seconds since 1970.
    """
    is_recent = False
    for algorithm, start, names in BlobEntries(tree, reach).parts() if reach.is_known else ():
        left = set(names) - reach.digests.part(algorithm, start)
        if left and not is_recent:
            reach.merge(recent())
            is_recent = True
            left -= reach.digests.part(algorithm, start)
        if not reach.is_known:
            return
        with HeldDirectory(tree.files, f"blobs/{algorithm}/{start}") as held:
            digests = (Digest(f"{algorithm}:{name}") for name in sorted(left))
            for found in map_at_once(partial(_unreferenced, tree, held, now), digests, tree.files.at_once):
                if isinstance(found, errors.LayoutError):
                    reach.note_unread(found)
                elif found is not None:
                    yield found


def _unreferenced(
    tree: StorageTree, held: HeldDirectory, now: float, digest: Digest
) -> FileReport | errors.LayoutError | None:
    try:
        status = held.status(digest.encoded, "data")
        if status is not None:
            return _report_of(tree, digest, status, now)
        return _without_bytes(tree, held, digest)
    except errors.LayoutError as failure:
        return failure


def _without_bytes(tree: StorageTree, held: HeldDirectory, digest: Digest) -> FileReport | None:
    """Return the report of a directory of a blob without its bytes; None if it was deleted, or is written, meanwhile.

    A server that is killed may leave one behind, with a temporary file in it: `data.UUID.tmp`.
    """
    entries = held.entries(digest.encoded)
    if (data := next((each for each in entries if each.name == "data"), None)) is not None:
        is_written = held.status(digest.encoded, "data") is not None
        return None if is_written else misplaced(path_of(tree, digest), data, "a file")
    if not entries and not held.has(digest.encoded):
        return None
    found = f"a directory with {show(entries[0].name)}, without a file data" if entries else "an empty directory"
    problem = rules.note("STO-07", "$", found, "a file data, or no such directory")
    return file_report(path_of(tree, digest).rpartition("/")[0], problem, digest)


def _report_of(tree: StorageTree, digest: Digest, status: Status, now: float) -> FileReport:
    age = None if status.modified is None else now - status.modified
    verdict = rules.warning if age is None or age >= YOUNG else rules.note
    written = "" if age is None else f", written {ago(age)} ago"
    found = f"a blob of {status.size} bytes{written}"
    problem = verdict("STO-05", "$", found, "a manifest of any repository that refers to it")
    return file_report(path_of(tree, digest), problem, digest, status.size)


def blobs_between(tree: StorageTree, first: int, stop: int, reach: ReferencedDigests) -> Iterator[LinkedBlob]:
    """Yield all blobs, by the digests of their paths, whose first byte is in a range; 0 to 256 are all."""
    for start in (f"{number:02x}" for number in range(first, stop)):
        for algorithm in sorted(COMPUTABLE):
            try:
                entries = tree.files.entries(f"blobs/{algorithm}/{start}")
            except errors.UnsafePathError:  # a link, which is reported
                continue
            except errors.LayoutError as failure:
                reach.note_unread(failure)
                continue
            for each in entries:
                if _is_blob(algorithm, start, each):
                    digest = Digest(f"{algorithm}:{each.name}")
                    yield LinkedBlob(digest, digest)


def damaged_blobs(tree: StorageTree, blobs: Iterable[LinkedBlob], reach: ReferencedDigests) -> Iterator[FileReport]:
    """Read blobs; report those whose bytes have another digest (STO-02). Those that cannot be read are noted."""
    for found in map_at_once(partial(_damaged, tree), blobs, tree.files.at_once):
        if isinstance(found, errors.LayoutError):
            reach.note_unread(found)
        elif found is not None:
            yield found


def damage(digest: Digest, found: str) -> Problem:
    """Return the problem of a blob with other bytes (STO-02)."""
    return rules.error("STO-02", "$", found, f"content with the digest {digest}")


def damage_report(tree: StorageTree, blob: LinkedBlob, size: int, found: str) -> FileReport:
    """Return the report of a blob with other bytes (STO-02)."""
    return _blob_report(tree, blob, size, damage(blob.digest, found))


def size_report(tree: StorageTree, blob: LinkedBlob, size: int, problem: Problem, image: str) -> FileReport:
    """Return the report of a layer of an image that has another size than its manifest states (LYT-05)."""
    named = rules.error(problem.rule, problem.path, f"{problem.found}, in a layer of {image}", problem.expected)
    return _blob_report(tree, blob, size, named)


def _blob_report(tree: StorageTree, blob: LinkedBlob, size: int, problem: Problem) -> FileReport:
    """Return the report of a blob, with its path; with that of its link, if that has another digest."""
    return file_report(blob.link or path_of(tree, blob.target), problem, blob.digest, size)


def path_of(tree: StorageTree, digest: Digest) -> str:
    """Return the path of a blob's bytes, for reports."""
    return f"{tree.files.name}/{data_path(digest)}"


def _damaged(tree: StorageTree, blob: LinkedBlob) -> FileReport | errors.LayoutError | None:
    """Return the report of a blob; None if nothing is wrong with it, or it was deleted."""
    try:
        hashed = _hash(tree, blob)
        if hashed.digest != blob.digest and hashed.size <= MAX_DOCUMENT:  # perhaps it is being written
            time.sleep(_PAUSE)
            hashed = _hash(tree, blob)
    except FileNotFoundError:
        return None
    except errors.LayoutError as failure:
        return damage_report(tree, blob, 0, f"a file that {failure.reason}") if is_damage(failure) else failure
    if hashed.digest in {blob.digest, None}:
        return None
    return damage_report(tree, blob, hashed.size, f"content with the digest {hashed.digest}")


def _hash(tree: StorageTree, blob: LinkedBlob) -> HashedBlob:
    with tree.open(blob.target) as file:
        return hash_file(file, blob.digest, path_of(tree, blob.target))
