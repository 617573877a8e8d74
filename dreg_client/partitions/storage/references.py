"""What the manifests in the storage of a registry refer to."""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import Final

from dreg_client import errors
from dreg_client.files.at_once import map_at_once
from dreg_client.files.held_directory import HeldDirectory
from dreg_client.files.registry_storage import LAYERS, REVISIONS, StorageTree
from dreg_client.files.storage_link import settled_link
from dreg_client.models.index import Index
from dreg_client.models.manifest import ImageManifest
from dreg_client.models.parse import Document, parse_manifest
from dreg_client.protocol.manifests import own_media_type
from dreg_client.validation.referenced_digests import ReferencedDigests
from dreg_client.validation.report import FileReport
from dreg_client.validation.storage_blobs import LinkedBlob, damage_report, path_of
from dreg_client.validation.storage_entries import hidden_by, is_misplaced, repositories_of
from dreg_client.validation.storage_needs import NeededBy
from dreg_client.validation.storage_reading import Damaged, Gone, Stored, StoredBlobs, TooLarge, Whole
from dreg_client.values.digest import SHA256, Digest, is_registered_digest
from dreg_client.values.media_type import Family
from dreg_client.values.reference import RepositoryName

_DIGEST: Final = re.compile(rb"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}")
_MOST_VERIFIED: Final = 50_000


class References:
    """What the manifests of one repository refer to. Threads may share an instance.

    Args:
        tree: The storage.
        repository: The repository.
        reach: The digests are added to it.
        needed_by: What leads to blobs that are gone is noted there.

    Attributes:
        named: The digests that its manifests name.
    """

    def __init__(
        self, tree: StorageTree, repository: RepositoryName, reach: ReferencedDigests, needed_by: NeededBy | None = None
    ) -> None:
        self._tree, self._repository, self._reach, self._lock = tree, repository, reach, Lock()
        self._needed_by = needed_by
        self._tags: dict[Digest, str] | None = None
        self.named: set[Digest] = set()

    def read(self, blobs: StoredBlobs, digest: Digest, target: Digest) -> Stored:
        """Read a manifest. If it is whole, call `add` with it; what else it is was noted.

        Args:
            blobs: The blobs of the storage.
            digest: The digest of its link, by which it is verified.
            target: The digest of its stored bytes.

        Raises:
            LayoutError: It could not be read.
        """
        with self._lock:
            self._reach.add(target)
        stored = blobs.document(target, digest)
        match stored:
            case Gone():
                self._gone(digest, target)
            case TooLarge():
                self._unknown(target, f"has {stored.size} bytes, more than a manifest may have")
            case Damaged():
                self._unknown(target, stored.reason)
                self.add(digest, target, stored.raw, None)
            case Whole():
                pass
        return stored

    def add(self, digest: Digest, target: Digest, raw: bytes, document: Document | None) -> None:
        """Note what a manifest refers to. Of one that cannot be parsed, these are all digests in its text.

        Args:
            digest: The digest of its link.
            target: The digest of its stored bytes.
            raw: Its bytes.
            document: The manifest; None if it cannot be parsed, or has other bytes than it should have.
        """
        match document:
            case ImageManifest():
                named = [document.config.digest, *(layer.digest for layer in document.layers)]
            case Index():
                named = [entry.digest for entry in document.manifests]
            case _:
                named = [Digest(found.decode()) for found in _DIGEST.findall(raw)]
        stored = [each for name in named for each in self._stored(name)]
        with self._lock:
            self.named.update(named)
            for each in stored:
                self._reach.add(each)
        if document is None and b"\\u" in raw:
            self._unknown(target, "is a manifest that cannot be parsed")
        if self._needed_by is not None:
            self._needed_by.add(digest, named, document)

    def _stored(self, digest: Digest) -> Iterator[Digest]:
        yield digest
        if digest.algorithm != SHA256:  # distribution stores all blobs by their sha256 digest
            for links in (LAYERS, REVISIONS):
                with suppress(FileNotFoundError, errors.DregError):
                    yield self._tree.target(self._repository, links, digest)

    def _unknown(self, target: Digest, reason: str) -> None:
        """Note a manifest of which it is not known what it refers to."""
        with self._lock:
            self._reach.note_unknown(path_of(self._tree, target), reason)

    def note_unknown_link(self, place: str) -> None:
        """Note a malformed link to a manifest."""
        with self._lock:
            path = f"{self._tree.files.name}/repositories/{self._repository}/{REVISIONS}/{place}"
            self._reach.note_unknown(path, "is malformed")

    def note_unread(self, failure: errors.LayoutError) -> None:
        """Note a manifest that could not be read."""
        with self._lock:
            self._reach.note_unread(failure)

    def image(self, digest: Digest) -> str:
        """Return the name of a manifest: with its first tag if it has one. The tags are read at the first call."""
        if self._tags is None:
            self._tags = self._first_tags()
        tag = self._tags.get(digest)
        return f"{self._repository}:{tag}" if tag else f"{self._repository}@{digest}"

    def _first_tags(self) -> dict[Digest, str]:
        """Return the first tag of each manifest. What cannot be read is left out."""
        found = dict[Digest, str]()
        with suppress(FileNotFoundError, errors.DregError):
            for tag in self._tree.tags(self._repository):
                with suppress(FileNotFoundError, errors.DregError):
                    found.setdefault(self._tree.tagged(self._repository, tag), tag)
        return found

    def _gone(self, digest: Digest, target: Digest) -> None:
        """Note a manifest whose bytes are gone, unless it was deleted."""
        with suppress(FileNotFoundError):
            self._tree.target(self._repository, REVISIONS, digest)
            self._unknown(target, "is a manifest that is gone")


class ReferenceReader:
    """Reads all manifests of a storage, to find out what they refer to.

    Args:
        tree: The storage.
        reach: What is found is noted there.
        since: Only read manifests that were pushed since this time, in seconds since 1970.
        verifies: Whether to report damaged manifests and configs (STO-02), each once.
    """

    def __init__(
        self, tree: StorageTree, reach: ReferencedDigests, *, since: float = 0.0, verifies: bool = False
    ) -> None:
        self._tree, self._reach, self._since, self._verifies = tree, reach, since, verifies
        self._damaged, self._whole = set[Digest](), set[Digest]()

    def reports(self) -> Iterator[FileReport]:
        """Yield the reports of damaged manifests and configs, and of entries that no registry reads (STO-07)."""
        others = list[FileReport]()
        with StoredBlobs(self._tree) as blobs:
            for name in repositories_of(self._tree, self._reach, others):
                yield from self._of_repository(RepositoryName(name), blobs)
                yield from others
                others.clear()
        yield from others

    def read(self) -> ReferencedDigests:
        """Read them; return what they refer to."""
        for _ in self.reports():
            pass
        return self._reach

    def _of_repository(self, repository: RepositoryName, blobs: StoredBlobs) -> Iterator[FileReport]:
        references = References(self._tree, repository, self._reach)
        place = f"repositories/{repository}/{REVISIONS}"
        try:
            for algorithm in self._directories(place):
                with HeldDirectory(self._tree.files, f"{place}/{algorithm}") as held:
                    read = partial(self._of_link, references, blobs, held, algorithm)
                    names = self._directories(f"{place}/{algorithm}")
                    for found in map_at_once(read, names, self._tree.files.at_once):
                        yield from (each for each in found if self._is_new(each))
        except errors.LayoutError as failure:
            self._reach.note_unread(failure)

    def _directories(self, place: str) -> list[str]:
        entries = self._tree.files.entries(place)
        path = f"{self._tree.files.name}/{place}"
        for each in entries:
            if is_misplaced(path, each):
                self._reach.note_unknown(f"{path}/{each.name}", hidden_by(each))
        return [each.name for each in entries if each.is_directory]

    def _is_new(self, found: FileReport) -> bool:
        is_new = found.report.digest not in self._damaged
        self._damaged.add(found.report.digest)
        return is_new and self._verifies

    def _of_link(
        self, references: References, blobs: StoredBlobs, held: HeldDirectory, algorithm: str, name: str
    ) -> list[FileReport]:
        try:
            if not self._is_recent(held, name):
                return []
            link = settled_link(held, (name, "link"), f"{algorithm}:{name}")
            if link is None:
                return []
            if link.target is None or not is_registered_digest(f"{algorithm}:{name}"):
                references.note_unknown_link(f"{algorithm}/{name}/link")
                return []
            return self._of_manifest(references, blobs, Digest(f"{algorithm}:{name}"), link.target)
        except errors.LayoutError as failure:
            references.note_unread(failure)
            return []

    def _is_recent(self, held: HeldDirectory, name: str) -> bool:
        if not self._since:
            return True
        status = held.status(name, "link")
        return status is not None and (status.modified is None or status.modified >= self._since)

    def _of_manifest(
        self, references: References, blobs: StoredBlobs, digest: Digest, target: Digest
    ) -> list[FileReport]:
        stored = references.read(blobs, digest, target)
        if isinstance(stored, Whole):
            document = parsed(stored.raw)
            references.add(digest, target, stored.raw, document)
            return [*self._of_config(references, blobs, digest, document)]
        # The check of its repository reports a link whose digest is not that of the blob's path.
        if self._verifies and isinstance(stored, Damaged) and digest == target:
            return [self._damage_report(digest, stored, f"the manifest {references.image(digest)}")]
        return []

    def _of_config(
        self, references: References, blobs: StoredBlobs, manifest: Digest, document: Document | None
    ) -> Iterator[FileReport]:
        """Report the config of a manifest if it is damaged. One that many manifests share is read once."""
        if self._verifies and isinstance(document, ImageManifest) and document.config.family is Family.CONFIG:
            digest = document.config.digest
            if (damaged := self._damage_of(blobs, digest)) is not None:
                yield self._damage_report(digest, damaged, f"the config of {references.image(manifest)}")

    def _damage_report(self, digest: Digest, damaged: Damaged, what: str) -> FileReport:
        found = f"{damaged.found}, in place of {what}"
        return damage_report(self._tree, LinkedBlob(digest, digest), len(damaged.raw), found)

    def _damage_of(self, blobs: StoredBlobs, digest: Digest) -> Damaged | None:
        if digest in self._whole:
            return None
        stored = blobs.document(digest, digest)
        if isinstance(stored, Damaged):
            return stored
        if len(self._whole) >= _MOST_VERIFIED:
            self._whole.clear()
        self._whole.add(digest)
        return None


def parsed(raw: bytes) -> Document | None:
    """Parse a manifest with the media type that it states; None if that is not possible."""
    try:
        return parse_manifest(raw, own_media_type(raw), strict=False)
    except errors.DregError:
        return None
