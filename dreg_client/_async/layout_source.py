"""OCI image layouts as sources, in a directory or in a tar archive (image-layout.md)."""

from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property, partial
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING, Final

from dreg_client import errors
from dreg_client._async._compat import run_in_thread
from dreg_client._async.documents import completed_entry, read_verified
from dreg_client._async.file_reader import AsyncFileReader
from dreg_client._async.ports import AsyncDestination
from dreg_client._logging import log
from dreg_client.errors.problems import Severity
from dreg_client.files import layout as layout_files
from dreg_client.files.rooted import Files
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import LayoutIndex
from dreg_client.models.listing import is_incomplete
from dreg_client.models.parse import parse_manifest
from dreg_client.protocol.content import BlobRequest, RawManifest
from dreg_client.protocol.referrers import (
    fallback_tag,
    is_malformed_referrer,
    of_type,
    parse_fallback,
    referrer,
    subject_of,
)
from dreg_client.values.arguments import check_flag
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.media_type import Family, essence, is_media_type

if TYPE_CHECKING:  # few programs list all manifests
    from dreg_client.files.layout_reach import KnownDocuments
    from dreg_client.protocol.manifest_list import ListedManifest

_MANIFESTS: Final = frozenset({Family.MANIFEST, Family.INDEX})


class _KeptIndex:
    """The bytes of an `index.json`, and the document, which is parsed when it is needed."""

    def __init__(self, raw: bytes, name: str, *, strict: bool) -> None:
        self.raw, self._name, self._strict = raw, name, strict

    @cached_property
    def document(self) -> LayoutIndex:
        return layout_files.parse_index(self.raw, self._name, strict=self._strict)

    @cached_property
    def entries(self) -> layout_files.Entries:
        return layout_files.Entries(self.document)


class AsyncLayoutSource:
    """The files of an image layout (an `AsyncSource`).

    The constructor reads the marker and the index itself, because they are small, and opening a path that is not a
    layout must fail immediately. Async code reads everything else in a thread.
    """

    client = None
    refetches = False
    writes_manifests = False

    def __init__(self, files: Files, *, strict: bool = True) -> None:
        check_flag("strict", strict)
        self.files, self.strict = files, strict
        self.name = self.address = files.name
        layout_files.check_marker(files)
        self._kept = _KeptIndex(layout_files.index_octets(files), self.name, strict=strict)
        self._keeping = Lock()
        self._subjects: dict[Digest, Digest | None] = {}  # of the manifests that were read to list referrers
        self._documents: KnownDocuments = {}  # what documents name that were read to delete others
        _ = self.index  # raises an error if it is not valid

    @property
    def index(self) -> LayoutIndex:
        """The document `index.json`, parsed when it is needed: a writer changes it many times."""
        return self._kept.document

    def keep_index(self, raw: bytes) -> None:
        """Keep what `index.json` contains now, while no other writer of this library changes it."""
        with self._keeping:
            self._replace_index(raw)

    def _replace_index(self, raw: bytes) -> None:
        if raw != self._kept.raw:
            self._kept = _KeptIndex(raw, self.name, strict=self.strict)

    async def refresh(self) -> None:
        """Read `index.json` again."""
        await self._read_index()
        _ = self.index  # raises an error if it is not valid

    @property
    def writable(self) -> AsyncDestination | None:
        """None: a source is only read."""
        return None

    async def _read_index(self) -> None:
        """Read `index.json` again, without parsing it."""
        is_kept = False
        while not is_kept:
            before = self._kept
            raw = await run_in_thread(layout_files.index_octets, self.files)
            with self._keeping:
                if is_kept := self._kept is before:  # otherwise, a newer index may have been kept meanwhile
                    self._replace_index(raw)

    async def aclose(self) -> None:
        """Close open files."""
        self.files.close()

    async def resolve(self, reference: str) -> Descriptor:
        """Return the index entry for a name or digest, or else a descriptor of the document stored under the digest."""
        self.files.check_open()
        entry = self._kept.entries.find(reference, self.name)
        if entry is not None:
            return entry
        if not is_registered_digest(reference):
            raise layout_files.not_found(self.index, reference, self.name)
        digest = Digest(reference)
        raw = await run_in_thread(layout_files.read_blob, self.files, digest)
        return layout_files.descriptor_of_stored(raw, digest, self.name)

    async def fetch_manifest(self, reference: str, *, legacy: bool = False) -> RawManifest:  # noqa: ARG002 (port)
        """Read the manifest at a name or digest. `legacy` has no effect."""
        return await read_verified(self, await self.resolve(reference))

    async def fetch_document(self, descriptor: Descriptor, *, is_blob: bool = False) -> bytes:  # noqa: ARG002 (port)
        """Read a manifest or a config."""
        self.files.check_open()
        return await run_in_thread(layout_files.read_blob, self.files, descriptor.digest)

    async def tags(self) -> tuple[str, ...]:
        """List the names of all entries, each once, in document order."""
        self.files.check_open()
        return layout_files.tags_in(self.index)

    async def manifest_list(self) -> "tuple[ListedManifest, ...] | None":
        """Return None, because a layout does not state dates."""
        self.files.check_open()
        return None

    async def untagged(self) -> tuple[Descriptor, ...]:
        """List the manifests of the index that have no name, no `subject`, and are not in an index of the layout.

        Raises:
            LayoutCorruptError: A document is damaged, so the manifests that it names are not known.
        """
        from dreg_client.files.layout_reach import untagged_in  # noqa: PLC0415 (few programs list them)

        self.files.check_open()
        return tuple(await run_in_thread(untagged_in, self.files, self.index))

    async def referrers(self, digest: Digest, artifact_type: str | None = None) -> tuple[Descriptor, ...]:
        """List the manifests with this subject, from the index and from the list under the referrers tag.

        A malformed manifest with this subject, and an entry under the referrers tag whose manifest is missing, are
        also listed, with a warning in the log.
        """
        self.files.check_open()
        listed = dict.fromkeys(await self._listed_by_tag(digest))
        in_index = dict.fromkeys(self.index.manifests)
        entries = [*(in_index | listed)]
        found: dict[Descriptor, tuple[Descriptor, ...]] = {}
        for alike in _by_manifest(entries):
            if self._subjects.get(alike[0].digest, digest) != digest and alike[0] not in listed:
                continue
            if (raw := await self._manifest_or_none(alike[0])) is not None:
                found |= self._referrers(alike, raw, digest, artifact_type)
                continue
            for entry in filter(listed.__contains__, alike):
                log.warning("%s: the referrers tag lists %s, which is not a manifest in this layout", self.name, entry)
                found[entry] = of_type([entry], artifact_type)
        by_index = [each for entry in in_index for each in found.get(entry, ())]
        known = {each.digest for each in by_index}
        by_tag = chain.from_iterable(found.get(entry, ()) for entry in listed)
        return (*by_index, *(each for each in by_tag if each.digest not in known))

    def _referrers(
        self, alike: list[Descriptor], served: RawManifest, digest: Digest, artifact_type: str | None
    ) -> dict[Descriptor, tuple[Descriptor, ...]]:
        """Return the entries for a list of referrers, for each entry of one manifest.

        They are empty if the manifest has another subject or type.
        """
        try:
            document = parse_manifest(served.raw, alike[0].media_type, strict=False)
        except errors.DocumentError as failure:
            if not is_malformed_referrer(served, digest, artifact_type):
                return {}
            log.warning("%s: the referrer %s is malformed: %s", self.name, alike[0].digest, failure)
            return {entry: (entry,) for entry in alike}
        subject = subject_of(document)
        self._subjects[alike[0].digest] = None if subject is None else subject.digest
        if subject is None or subject.digest != digest:
            return {}
        for problem in document.problems:
            if problem.severity is Severity.ERROR:
                log.warning("%s: the referrer %s is malformed: %s", self.name, alike[0].digest, problem)
        return {entry: of_type([referrer(entry, document)], artifact_type) for entry in alike}

    async def _listed_by_tag(self, digest: Digest) -> list[Descriptor]:
        """Return the entries of the indexes under the referrers tag ("Referrers Tag Schema")."""
        found: list[Descriptor] = []
        named = self._kept.entries.named(fallback_tag(digest))
        for entry, *_ in _by_manifest(entry for entry in named if entry.family is Family.INDEX):
            with suppress(errors.NotFoundError):
                listed = parse_fallback(await read_verified(self, entry), self.name)
                found += [await self._completed(each) for each in listed]
        return found

    async def _completed(self, entry: Descriptor) -> Descriptor:
        # An entry is only read if it is a manifest, so its media type must be known and valid.
        is_complete = is_media_type(entry.media_type) and not is_incomplete(entry)
        return entry if is_complete else await completed_entry(self, entry)

    async def _manifest_or_none(self, entry: Descriptor) -> RawManifest | None:
        try:
            return await read_verified(self, entry) if entry.family in _MANIFESTS else None
        except errors.NotFoundError:
            return None

    async def has_blob(self, digest: Digest) -> bool:
        """Return whether a blob exists."""
        self.files.check_open()
        return await run_in_thread(layout_files.has_blob, self.files, digest)

    def open_blob(self, request: BlobRequest) -> AsyncFileReader:
        """Return a reader of a blob."""
        self.files.check_open()
        open_file = partial(layout_files.open_blob, self.files, request.digest, request.start, request.size)
        return AsyncFileReader(open_file, f"{self.name}, blob {request.digest.short}")


def _by_manifest(entries: Iterable[Descriptor]) -> Iterable[list[Descriptor]]:
    """Group the entries of one manifest: an index may list it ten thousand times, and it is read once."""
    alike: dict[tuple[object, ...], list[Descriptor]] = {}
    for entry in entries:
        alike.setdefault((entry.digest, entry.size, essence(entry.media_type), entry.data), []).append(entry)
    return alike.values()
