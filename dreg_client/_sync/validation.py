# Generated from dreg_client/_async/validation.py by tools/generate_sync.py. Do not edit.
"""Validate whole stores: walk through the documents of any source, and check the blobs of a layout."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Final, Self

from dreg_client import errors
from dreg_client._sync._compat import run_in_thread, wait_future
from dreg_client._sync.documents import read_config, read_raw_manifest, read_verified
from dreg_client._sync.layout import Layout
from dreg_client._sync.ports import Source
from dreg_client._sync.store import Store
from dreg_client.files.layout import HashedBlob, blob_name, digest_of_name, hash_blob
from dreg_client.files.rooted import Files
from dreg_client.models.config import layer_count_remarks
from dreg_client.models.manifest import ImageManifest
from dreg_client.models.parse import Document
from dreg_client.protocol.content import ManifestRef, reference_text
from dreg_client.validation.layout import LayoutChecks, index_report, misnamed_report, readable
from dreg_client.validation.report import DocumentReport, FileReport, Report
from dreg_client.validation.repository import RepositoryChecks
from dreg_client.validation.walk import Checks, Claim, Step
from dreg_client.values.digest import Digest

_AHEAD: Final = 64
"""The number of blobs for each thread that are being hashed, or wait for it, or whose result was not taken yet."""


class Walk:
    """A walk from claims through all documents below them, depth first, in document order. `checks` has its state."""

    def __init__(self, source: Source, checks: Checks) -> None:
        self._source, self._checks = source, checks

    def visit(self, claims: Iterable[Claim]) -> Iterator[tuple[Digest, Report]]:
        """Yield the digest and report of each document or blob that the claims name, and of everything below it."""
        waiting = [*claims][::-1]
        while waiting:
            claim = waiting.pop()
            digest = claim.descriptor.digest
            report, document = self._visit(claim)
            if report is not None:
                yield digest, report
            waiting += reversed(self._checks.below(document, digest, claim.depth))

    def _visit(self, claim: Claim) -> tuple[Report | None, Document | None]:
        """Return the report on the target of a claim, if any, and the document, if the walk can continue from it."""
        match self._checks.step(claim):
            case Step.READ:
                return self._read(claim)
            case Step.LOOK:
                exists = self._source.has_blob(claim.descriptor.digest)
                return None if exists else self._checks.missing(claim), None
            case Step.SKIP:
                return None, None
            case Report() as report:
                return report, None

    def _read(self, claim: Claim) -> tuple[Report, Document | None]:
        descriptor, is_blob = claim.descriptor, claim.role == "config"
        try:
            if self._checks.verifies_first:
                raw = read_verified(self._source, descriptor, is_blob=is_blob).raw
            else:
                raw = self._source.fetch_document(descriptor, is_blob=is_blob)
        except errors.NotFoundError:
            return self._checks.missing(claim), None
        except self._checks.reported as failure:
            return self._checks.unreadable(claim, failure), None
        report, document = self._checks.check(claim, raw)
        return self.with_layer_count(report, document), document

    def with_layer_count(self, report: Report, document: Document | None) -> Report:
        """Add CFG-21 to a manifest's report: its config must have as many diff_ids as the manifest has layers.

        Problems of the config itself are reported at the config.
        """
        if not isinstance(document, ImageManifest) or (diff_ids := self._diff_ids(document)) is None:
            return report
        return replace(report, problems=(*report.problems, *layer_count_remarks(diff_ids, len(document.layers))))

    def _diff_ids(self, manifest: ImageManifest) -> int | None:
        """Return the number of diff_ids in a manifest's config. A config that several manifests share is read once."""
        config, known = manifest.config, self._checks.diff_ids
        key = config.digest, config.size, config.data
        if key not in known:
            try:
                known[key] = len(read_config(self._source, manifest, strict=False).rootfs.diff_ids)
            except self._checks.reported:
                known[key] = None
            except errors.DregError:  # perhaps of the connection only
                return None
        return known[key]


# --- repositories, and all other stores, tag by tag


@dataclass(slots=True)
class RepositoryValidation:
    """The validation of a store, tag by tag. Threads may share it.

    Attributes:
        store: The store.
        complete: Whether all content that documents name must exist (LYT-04). This also checks that layers exist,
            without reading them.
        pedantic: Whether to also report notes.
    """

    store: Store
    complete: bool = False
    pedantic: bool = False
    _checks: RepositoryChecks = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._checks = RepositoryChecks(complete=self.complete, pedantic=self.pedantic)

    def tag(self, name: ManifestRef) -> Iterator[DocumentReport]:
        """Validate the document at a tag, a digest or a descriptor, and everything below it that was not validated yet.

        Raises:
            DregError: The document at the tag cannot be read.
        """
        walk = Walk(self.store.source, self._checks)
        found = read_raw_manifest(self.store.source, name)
        report, document, is_new = self._checks.check_tagged(found)
        yield DocumentReport(reference_text(name), walk.with_layer_count(report, document))
        if is_new:
            for digest, below in walk.visit(self._checks.below(document, found.digest, 1)):
                yield DocumentReport(digest, below)


# --- layouts


def validate_layout(
    layout: Layout, *, reference: ManifestRef = "", complete: bool = False, pedantic: bool = False, jobs: int = 1
) -> Iterator[FileReport]:
    """Validate a layout: documents, blobs, and how they fit together (LYT-01 to LYT-10, CFG-21).

    Args:
        layout: The layout, whose marker and index have already been read.
        reference: Only validate the document at this tag, digest or descriptor, and everything below it (default: the
            whole layout).
        complete: Whether a missing blob is an error (LYT-04) instead of a warning.
        pedantic: Whether to also report notes.
        jobs: The number of blobs to hash at a time.

    Yields:
        A report for each file: `index.json` first, then documents in the order of the index, then the other blobs.

    Raises:
        NotFoundError: There is no such reference.
        ConflictError: The reference is ambiguous (LYT-07).
        LayoutError: A directory cannot be listed.
    """
    checks = LayoutChecks(complete=complete, pedantic=pedantic)
    if reference:
        trail = f"{layout.name}, {reference_text(reference)}"
        claims = [Claim(layout.resolve(reference), trail, "entry", 1)]
    else:
        has_blobs = run_in_thread(layout.files.has_directory, "blobs")
        yield FileReport("index.json", index_report(layout.index, has_blobs=has_blobs, pedantic=pedantic))
        claims = checks.entries(layout.index)
    for digest, report in Walk(layout.source, checks).visit(claims):
        yield FileReport(blob_name(digest), report)
    with BlobHashing(layout.files, jobs) as hashing:
        hashing.start(checks.unread())
        for digest in checks.content():
            found = _content(checks, digest, hashing)
            if found is not None:
                yield FileReport(blob_name(digest), found)
        if not reference:
            names = checks.unnamed(run_in_thread(lambda: list(layout.files.names("blobs"))))
            hashing.start((digest, None) for digest in map(digest_of_name, names) if digest)
            for name in names:
                report = _unnamed(checks, name, hashing)
                yield FileReport(readable(name), report, is_null=digest_of_name(name) is None)


def _content(checks: LayoutChecks, digest: Digest, hashing: "BlobHashing") -> Report | None:
    """Return the report on a blob that is not a document; None if there is nothing to report."""
    if digest in checks.documents:
        return checks.content_again(digest)
    try:
        return checks.content_report(digest, hashing.hashed(digest))
    except errors.NotFoundError:
        return checks.missing_content(digest)
    except errors.DregError as failure:
        return checks.unreadable(checks.claims(digest)[0], failure)


def _unnamed(checks: LayoutChecks, name: str, hashing: "BlobHashing") -> Report:
    """Return the report on a file below `blobs` that no document names."""
    digest = digest_of_name(name)
    if digest is None:
        return misnamed_report(name, pedantic=checks.pedantic)
    try:
        return checks.unnamed_report(digest, hashing.hashed(digest))
    except errors.DregError as failure:
        return checks.unnamed_unreadable(digest, failure)


class BlobHashing:
    """Hashes blobs in several threads. Exiting the context ends running work.

    It does not use a `TaskGroup`, because reports are yielded while other blobs are being hashed, and a generator must
    not yield inside a `TaskGroup`.
    """

    def __init__(self, files: Files, jobs: int) -> None:
        self._files = files
        self._threads = ThreadPoolExecutor(max(jobs, 1))
        self._most = _AHEAD * max(jobs, 1)
        self._running: dict[Digest, Future[HashedBlob]] = {}
        self._waiting: Iterator[tuple[Digest, int | None]] = iter(())
        self._is_left = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_left = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        # After cancellation, this is not reached; the threads then end by themselves after the next chunk.
        run_in_thread(self._threads.shutdown)

    def start(self, blobs: Iterable[tuple[Digest, int | None]]) -> None:
        """Hash blobs, of which the largest stated sizes are given, as soon as threads are free."""
        self._waiting = chain(self._waiting, blobs)
        self._submit()

    def _submit(self) -> None:
        # A layout may have a million blobs, and a future needs more memory than a name.
        for digest, stated in islice(self._waiting, self._most - len(self._running)):
            self._running[digest] = self._threads.submit(hash_blob, self._files, digest, lambda: self._is_left, stated)

    def hashed(self, digest: Digest) -> HashedBlob:
        """Wait until a blob is hashed, and return the result. The order of the calls must be that of `start`."""
        try:
            return wait_future(self._running.pop(digest))
        finally:
            self._submit()
