"""OCI image layouts as stores: a directory, or the same files in an archive (image-layout.md)."""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final

from dreg_client import errors
from dreg_client.asks import Ask, Blob, Document, Fetch, Fetched, HasBlob, Referrers, Resolve, Tags, manifest_of
from dreg_client.files.rooted import DirectoryFiles, Files, chunks_of
from dreg_client.image import ImageStore
from dreg_client.models.annotations import REF_NAME
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest, Index, LayoutIndex
from dreg_client.models.layout import ImageLayout
from dreg_client.models.legacy import LegacyManifest
from dreg_client.models.limits import MAX_DOCUMENT
from dreg_client.models.parse import KINDS
from dreg_client.models.paths import show
from dreg_client.protocol.referrers import fallback_tag, referrer
from dreg_client.validation.report import validate
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.media_type import Family
from dreg_client.values.sizes import MEBIBYTE

MAX_INDEX: Final = 64 * MEBIBYTE
_MAX_MARKER: Final = 64 * 1024
_CONTAINERD_NAME: Final = "io.containerd.image.name"
_LISTED: Final = 20
_LONGEST_SHOWN: Final = 128


class Layout(ImageStore):
    """An OCI image layout, read in place.

    Args:
        path: The directory that has `oci-layout`, `index.json` and `blobs`; or such files from elsewhere.

    Raises:
        NotFoundError: There is no such directory.
        LayoutCorruptError: `oci-layout` or `index.json` is missing, or no marker of version 1.0.0 (LYT-01).
        InvalidDocumentError: `index.json` is no OCI index (LYT-02).
        UnsafePathError: One of them is a link.

    Example:
        with Layout("build/web") as layout:
            image = layout.get_image("1.4")
    """

    def __init__(self, path: str | os.PathLike[str] | Files) -> None:
        self._files = path if isinstance(path, Files) else DirectoryFiles(path)
        self._check_marker()
        self.refresh()

    @property
    def name(self) -> str:
        """The path of the layout."""
        return self._files.name

    @property
    def files(self) -> Files:
        """The files below the layout's root."""
        return self._files

    @property
    def index(self) -> LayoutIndex:
        """The document `index.json`."""
        return self._index

    def close(self) -> None:
        """Give back what is held open."""
        self._files.close()

    def refresh(self) -> None:
        """Read `index.json` anew."""
        raw = self._top_file("index.json", "LYT-02", MAX_INDEX)
        try:
            self._index = LayoutIndex.parse(raw, limit=MAX_INDEX)
        except errors.InvalidDocumentError as failure:
            raise type(failure)(failure.problems, failure.kind, f"{self.name}/index.json") from None

    def _check_marker(self) -> None:
        report = validate(self._top_file("oci-layout", "LYT-01", _MAX_MARKER), kind=ImageLayout.kind)
        if not report.ok:
            problem = report.errors[0]
            raise errors.LayoutCorruptError(f"{self.name}/oci-layout", f"is no marker of an image layout: {problem}")

    def _top_file(self, name: str, rule: str, limit: int) -> bytes:
        try:
            return self._files.read(name, limit=limit)
        except FileNotFoundError:
            reason = f"has no {name}, so it is no image layout ({rule})"
            raise errors.LayoutCorruptError(self.name, reason) from None
        except errors.ResponseTooLargeError as failure:
            reason = f"is of {failure.size} bytes, more than {limit} ({rule})"
            raise errors.LayoutCorruptError(f"{self.name}/{name}", reason) from None

    def answer(self, ask: Ask) -> object:
        """Answer a question from the files."""
        self._files.check_open()
        match ask:
            case Resolve(reference):
                return self._resolve(reference)
            case Fetch(reference):
                descriptor = self._resolve(reference)
                return Fetched(descriptor, self._read(descriptor.digest, MAX_DOCUMENT))
            case Document(descriptor, limit):
                return self._read(descriptor.digest, limit)
            case Tags():
                return tuple(dict.fromkeys(filter(None, map(ref_name, self._index.manifests))))
            case Referrers(digest, artifact_type):
                return tuple(self._referrers(digest, artifact_type))
            case HasBlob(digest):
                return self._has(digest)
            case Blob(digest, start):
                return self._chunks(digest, start)

    def _referrers(self, digest: Digest, artifact_type: str | None) -> Iterator[Descriptor]:
        """The entries of `index.json`, and of the list that a tag keeps, whose manifests have this one as `subject`."""
        listed = [entry for entry in self._named(fallback_tag(digest)) if entry.family is Family.INDEX]
        entries = [*self._index.manifests]
        for entry in listed:
            kept = self._document_of(entry)
            entries += kept.manifests if isinstance(kept, Index) else ()
        for entry in dict.fromkeys(entries):
            document = self._document_of(entry)
            subject: Descriptor | None = getattr(document, "subject", None)
            if document is not None and subject is not None and subject.digest == digest:
                found = referrer(entry, document)
                if artifact_type in {None, found.artifact_type}:
                    yield found

    def _document_of(self, entry: Descriptor) -> AnyManifest | None:
        """The manifest of an entry; None where it is no modern one, or not there."""
        if entry.family not in {Family.MANIFEST, Family.INDEX}:
            return None
        try:
            document = self.run(manifest_of(entry))
        except errors.NotFoundError:
            return None
        return None if isinstance(document, LegacyManifest) else document

    def _resolve(self, reference: str) -> Descriptor:
        if not reference:
            return self._only()
        named = self._named(reference)
        if named:
            return self._agreed(named, f"the name {show(reference)}")
        if digest_fault(reference) is None and (entry := self._by_digest(Digest(reference))):
            return entry
        there = ", ".join(map(_shown, self.tags()[:_LISTED])) or "none"
        raise errors.NotFoundError(f"tag {show(reference)}", self.name, f"there are: {there}")

    def _named(self, reference: str) -> list[Descriptor]:
        """The entries of a name; of equal ones those that containerd knows by it (D-06)."""
        named = [entry for entry in self._index.manifests if ref_name(entry) == reference]
        known = [entry for entry in named or self._index.manifests if _containerd_name(entry) == reference]
        return known or named

    def _only(self) -> Descriptor:
        if not self._index.manifests:
            raise errors.NotFoundError("image at all", self.name)
        return self._agreed(list(self._index.manifests), "the layout without a tag")

    def _agreed(self, entries: list[Descriptor], what: str) -> Descriptor:
        """One of several entries, where all of them are the same content (LYT-07)."""
        different: dict[Digest, Descriptor] = {}
        for entry in entries:
            different.setdefault(entry.digest, entry)
        if len(different) == 1:
            return entries[0]
        listed = ", ".join(map(_called, list(different.values())[:_LISTED]))
        message = f"{self.name}: {what} stands for {len(different)} images; ask for one of: {listed}"
        raise errors.ConflictError(message)

    def _by_digest(self, digest: Digest) -> Descriptor | None:
        """An entry of the index, else whatever document lies there; None where the text may as well be a name."""
        listed = next((entry for entry in self._index.manifests if entry.digest == digest), None)
        if listed is not None or not digest.registered:
            return listed
        raw = self._read(digest, MAX_DOCUMENT)
        actual = Digest.of(raw, digest.algorithm)
        if actual != digest:
            raise errors.DigestMismatchError(digest, actual, f"{self.name}, blob {digest.short}")
        kind = validate(raw).kind
        media_type = KINDS[kind].media_types[0] if kind else "application/octet-stream"
        return Descriptor(mediaType=media_type, digest=digest, size=len(raw))

    def _read(self, digest: Digest, limit: int) -> bytes:
        try:
            return self._files.read("blobs", digest.algorithm, digest.encoded, limit=limit)
        except FileNotFoundError:
            raise self._missing(digest) from None

    def _has(self, digest: Digest) -> bool:
        try:
            self._files.open("blobs", digest.algorithm, digest.encoded).close()
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def _chunks(self, digest: Digest, start: int) -> Generator[Iterator[bytes]]:
        try:
            file = self._files.open("blobs", digest.algorithm, digest.encoded)
        except FileNotFoundError:
            raise self._missing(digest) from None
        with file:
            file.seek(start)
            yield chunks_of(file, f"{self.name}, blob {digest.short}")

    def _missing(self, digest: Digest) -> errors.NotFoundError:
        return errors.NotFoundError(f"blob {digest}", self.name, "the layout is not whole, or the digest is another's")


def ref_name(entry: Descriptor) -> str | None:
    """The name of an entry of `index.json` (annotations.md: org.opencontainers.image.ref.name)."""
    return (entry.annotations or {}).get(REF_NAME)


def _containerd_name(entry: Descriptor) -> str | None:
    return (entry.annotations or {}).get(_CONTAINERD_NAME)


def _shown(name: str) -> str:
    """A name as it is asked for, unless it is longer than one wants to read, or would not print."""
    return name if name.isprintable() and len(name) <= _LONGEST_SHOWN else show(name)


def _called(entry: Descriptor) -> str:
    names = [_shown(name) for name in (ref_name(entry), _containerd_name(entry)) if name]
    return f"{' or '.join(names) or 'without a name'} {entry.digest}"
