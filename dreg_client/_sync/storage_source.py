# Generated from dreg_client/_async/storage_source.py by tools/generate_sync.py. Do not edit.
"""A repository in the storage of a registry as a source, without the server (distribution-spec "Pull")."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import BinaryIO, TypeVar

from dreg_client import errors
from dreg_client._logging import log
from dreg_client._sync._compat import run_in_thread
from dreg_client._sync.documents import completed_entry
from dreg_client._sync.file_reader import FileReader
from dreg_client.files.at_once import map_at_once
from dreg_client.files.registry_storage import LAYERS, REVISIONS, Links, StorageTree
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.listing import is_incomplete
from dreg_client.models.parse import parse_manifest
from dreg_client.protocol.content import BlobRequest, RawManifest
from dreg_client.protocol.manifests import own_media_type
from dreg_client.protocol.referrers import (
    check_count,
    fallback_tag,
    is_malformed_referrer,
    of_type,
    parse_fallback,
    referrer,
    subject_in,
)
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.reference import DEFAULT_TAG, RepositoryName, is_tag

S = TypeVar("S")
T = TypeVar("T")


class StorageSource:
    """A repository in the storage of a registry (a `Source`).

    As in a registry, a manifest or blob is only found if the repository has a link to it. With `owns_tree`, closing it
    closes the files of the storage.
    """

    client = writable = None
    refetches = False
    writes_manifests = False

    def __init__(
        self, tree: StorageTree, repository: RepositoryName, *, owns_tree: bool = False, strict: bool = True
    ) -> None:
        self._tree, self._repository, self._owns_tree, self.strict = tree, repository, owns_tree, strict
        self.name: str = repository
        self.address = f"registry-storage:{tree.name.rstrip('/')}/{repository}"
        self._read = set[Digest]()  # the manifests that were read to list referrers
        self._with_subject: dict[Digest, dict[Digest, None]] = {}  # those that have a subject, by subject
        self._version: object = None  # of the links, when all manifests had been read

    def close(self) -> None:
        """Close the files of the storage if they belong to this source."""
        if self._owns_tree:
            self._tree.files.close()

    def resolve(self, reference: str) -> Descriptor:
        """Return the descriptor of a tag or digest, which is that of the document itself."""
        found = self.fetch_manifest(reference)
        return Descriptor(mediaType=found.media_type, digest=found.digest, size=len(found.raw))

    def fetch_manifest(self, reference: str, *, legacy: bool = False) -> RawManifest:  # noqa: ARG002 (port)
        """Read the manifest at a tag or digest. Its media type is taken from its bytes. `legacy` has no effect."""
        self._tree.files.check_open()
        return run_in_thread(self._manifest, reference or DEFAULT_TAG)

    def _manifest(self, reference: str) -> RawManifest:
        digest = Digest(reference) if is_registered_digest(reference) else self._tagged(reference)
        raw = self._document(REVISIONS, digest)
        return RawManifest(raw, own_media_type(raw), digest, f"{self.address}@{digest}")

    def _tagged(self, tag: str) -> Digest:
        advice = f"list the tags there are with: dreg tags {self.address}"
        if is_tag(tag):
            try:
                return self._tree.tagged(self._repository, tag)
            except FileNotFoundError:
                self._tree.check_repository(self._repository)
            if self._tree.has_tag(self._repository, tag):
                advice = "its directory has no file current/link (STO-03); push the tag again, or delete the directory"
        raise errors.NotFoundError(f"tag {tag[:128]!r}", self.address, advice)

    def fetch_document(self, descriptor: Descriptor, *, is_blob: bool = False) -> bytes:
        """Read a manifest, or, with `is_blob`, a config."""
        self._tree.files.check_open()
        return run_in_thread(self._document, LAYERS if is_blob else REVISIONS, descriptor.digest)

    def _document(self, links: Links, digest: Digest) -> bytes:
        target = self._target(links, digest)
        try:
            return self._tree.read(target)
        except FileNotFoundError:
            raise self._gone(target) from None

    def _target(self, links: Links, digest: Digest) -> Digest:
        """Return the digest of the stored bytes of a manifest or blob."""
        try:
            return self._tree.target(self._repository, links, digest)
        except FileNotFoundError:
            self._tree.check_repository(self._repository)
        what = "manifest" if links == REVISIONS else "blob"
        raise errors.NotFoundError(f"{what} {digest}", self.address, "the repository has no link to it")

    def _gone(self, digest: Digest) -> errors.NotFoundError:
        advice = "the repository has a link to it, but its bytes are gone (STO-01)"
        return errors.NotFoundError(f"blob {digest}", self._tree.name, advice)

    def tags(self) -> tuple[str, ...]:
        """List all tags, sorted. A tag may name no manifest, because tags are not read."""
        self._tree.files.check_open()
        return tuple(run_in_thread(self._tree.tags, self._repository))

    def manifests(self) -> list[Digest]:
        """List all manifests and indexes that the repository has a link to, with and without a tag."""
        self._tree.files.check_open()
        return run_in_thread(self._manifests)

    def _manifests(self) -> list[Digest]:
        linked = [*self._tree.linked(self._repository, REVISIONS)]
        exist = self._at_once(self._is_linked, linked)
        return [digest for digest, exists in zip(linked, exist, strict=True) if exists]

    def _at_once(self, function: Callable[[S], T], given: Iterable[S]) -> Iterator[T]:
        return map_at_once(function, given, self._tree.files.at_once)

    def _is_linked(self, digest: Digest) -> bool:
        try:
            self._target(REVISIONS, digest)
        except errors.NotFoundError:
            return False
        return True

    def manifest_list(self) -> None:
        """Return None, because a storage does not state dates."""
        self._tree.files.check_open()

    def untagged(self) -> tuple[Descriptor, ...]:
        """List all manifests and indexes without a tag, including children of indexes and referrers."""
        self._tree.files.check_open()
        return tuple(run_in_thread(self._untagged))

    def _untagged(self) -> list[Descriptor]:
        tagged = {*self._at_once(self._tagged_or_none, self._tree.tags(self._repository))}
        others = [each for each in self._tree.linked(self._repository, REVISIONS) if each not in tagged]
        found: list[Descriptor] = []
        for digest, raw in zip(others, self._at_once(self._raw_or_none, others), strict=True):
            if raw is not None:
                found.append(Descriptor(mediaType=own_media_type(raw), digest=digest, size=len(raw)))
        return found

    def _tagged_or_none(self, tag: str) -> Digest | None:
        """Return the digest that a tag names; None if it names no manifest, or was deleted meanwhile."""
        try:
            return self._tree.tagged(self._repository, tag)
        except FileNotFoundError:
            return None

    def _raw_or_none(self, digest: Digest) -> bytes | None:
        """Return the bytes of a manifest; None if it was deleted, or its bytes are gone."""
        try:
            return self._document(REVISIONS, digest)
        except errors.NotFoundError:
            return None

    def referrers(self, digest: Digest, artifact_type: str | None = None) -> tuple[Descriptor, ...]:
        """List the manifests with this subject, and then the others in the list under the referrers tag.

        All manifests of the repository are read, each once: a storage has no list of referrers.
        """
        self._tree.files.check_open()
        found = {each.digest: each for each in run_in_thread(self._referrers, digest, artifact_type)}
        for entry in self._listed_by_tag(digest):
            if entry.digest not in found and artifact_type in {None, entry.artifact_type}:
                found[entry.digest] = completed_entry(self, entry) if is_incomplete(entry) else entry
        check_count(entries := tuple(found.values()), self.address)
        return entries

    def _referrers(self, digest: Digest, artifact_type: str | None) -> list[Descriptor]:
        version = self._tree.version(self._repository, REVISIONS)
        if version is None or version != self._version:
            is_complete = self._read_subjects()
            self._version = version if is_complete else None
        found: list[Descriptor] = []
        for manifest in [*self._with_subject.get(digest, ())]:
            if (raw := self._raw_or_none(manifest)) is not None:
                found += self._referrer(RawManifest(raw, own_media_type(raw), manifest), digest, artifact_type)
        return found

    def _read_subjects(self) -> bool:
        """Read the manifests that were not read yet; return whether all of them could be read."""
        is_complete = True
        unread = [each for each in self._tree.linked(self._repository, REVISIONS) if each not in self._read]
        for manifest, raw in zip(unread, self._at_once(self._raw_or_none, unread), strict=True):
            if raw is None:  # it may be pushed again
                is_complete = False
                continue
            if (subject := subject_in(raw)) is not None:
                self._with_subject.setdefault(subject, {})[manifest] = None
            self._read.add(manifest)
        return is_complete

    def _referrer(self, served: RawManifest, subject: Digest, artifact_type: str | None) -> tuple[Descriptor, ...]:
        """Return the entry of a manifest for a list of referrers; none if it has another type."""
        entry = Descriptor(mediaType=served.media_type, digest=served.digest, size=len(served.raw))
        try:
            document = parse_manifest(served.raw, served.media_type, strict=False)
        except errors.DocumentError as failure:
            log.warning("%s: the referrer %s is malformed: %s", self.address, served.digest, failure)
            return (entry,) if is_malformed_referrer(served, subject, artifact_type) else ()
        return of_type([referrer(entry, document)], artifact_type)

    def _listed_by_tag(self, digest: Digest) -> tuple[Descriptor, ...]:
        try:
            served = self.fetch_manifest(fallback_tag(digest))
        except errors.NotFoundError:
            return ()
        return parse_fallback(served, f"{self.address}:{fallback_tag(digest)}")

    def has_blob(self, digest: Digest) -> bool:
        """Return whether the repository has a blob: its link, and its bytes."""
        self._tree.files.check_open()
        try:
            run_in_thread(self._opened, digest, 0, None).close()
        except errors.NotFoundError:
            return False
        return True

    def open_blob(self, request: BlobRequest) -> FileReader:
        """Return a reader of a blob."""
        self._tree.files.check_open()
        open_file = partial(self._opened, request.digest, request.start, request.size)
        return FileReader(open_file, f"{self.address}, blob {request.digest.short}")

    def _opened(self, digest: Digest, start: int, size: int | None) -> BinaryIO:
        target = self._target(LAYERS, digest)
        try:
            return self._tree.open(target, start, size)
        except FileNotFoundError:
            raise self._gone(target) from None
