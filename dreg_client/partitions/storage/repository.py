"""Validate a repository in the storage of a registry: its documents, and what the server does not tell about it."""

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from dreg_client import errors
from dreg_client._sync.storage_source import StorageSource
from dreg_client._sync.validation import Walk
from dreg_client.files.registry_storage import LAYERS, REVISIONS, Links, StorageTree
from dreg_client.models import rules
from dreg_client.models.index import Index
from dreg_client.models.manifest import ImageManifest
from dreg_client.models.parse import Document, parse_manifest
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.manifests import own_media_type
from dreg_client.validation.digest_set import DigestSet
from dreg_client.validation.report import FileReport, Report
from dreg_client.validation.repository import RepositoryChecks
from dreg_client.validation.storage_blobs import damage, path_of
from dreg_client.validation.storage_links import LinkChecks, StoredBlobs
from dreg_client.validation.walk import Claim, Step
from dreg_client.values.digest import SHA256, Digest
from dreg_client.values.reference import RepositoryName
from dreg_client.values.sizes import MAX_DOCUMENT

_DIGEST: Final = re.compile(rb"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}")


class RepositoryCheck:
    """The validation of a repository of a storage.

    Args:
        tree: The storage.
        repository: The repository.
        blobs: The blobs of the storage.
        complete: Whether content that documents name, but that is missing, is an error (LYT-04).
        pedantic: Whether to also report notes.

    Attributes:
        references: The digests of all manifests and of all that they refer to, as they are stored.
    """

    def __init__(
        self,
        tree: StorageTree,
        repository: RepositoryName,
        blobs: StoredBlobs,
        *,
        complete: bool = False,
        pedantic: bool = False,
    ) -> None:
        self.references = DigestSet()
        self._tree, self._blobs, self._pedantic = tree, blobs, pedantic
        self._name = f"registry-storage:{tree.name.rstrip('/')}/{repository}"
        self._links = LinkChecks(tree, repository, blobs)
        self._checks = _Checks(self._links, blobs, complete=complete, pedantic=pedantic)
        source = _LinkedSource(self._links)
        self._walk = Walk(source, self._checks)
        self._named = set[Digest]()
        self._is_all_named = True  # whether all manifests could be read

    def reports(self) -> Iterator[FileReport]:
        """Yield the reports: links to manifests, tags, documents, links to layers, uploads."""
        for found in self._all():
            report = found.report
            if self._pedantic or not report.problems or report.errors or report.warnings:
                yield found

    def read_references(self, since: float = 0.0) -> None:
        """Only find out what manifests refer to: all, or those that were pushed since a time."""
        for target in self._links.pushed_since(since):
            self.references.add(target)
            with suppress(FileNotFoundError, errors.DregError):
                raw = self._blobs.read(target, MAX_DOCUMENT)
                self._refer(raw, _parsed(raw))

    def unread(self) -> Iterator[Digest]:
        """Yield the blobs that `reports` did not read."""
        return (target for digest, target in self._links.layers.items() if not self._checks.is_read(digest))

    def _all(self) -> Iterator[FileReport]:
        now = time.time()
        yield from self._links.read_manifests()
        yield from self._links.read_tags()
        malformed = [*self._links.read_layers()]
        for digest, target in self._links.manifests.items():
            yield from self._manifest(digest, target)
        yield from malformed
        yield from self._links.gone_layers(self._named if self._is_all_named else None)
        yield from self._links.uploads(now)

    def _manifest(self, digest: Digest, target: Digest) -> Iterator[FileReport]:
        """Yield the report of a manifest, of its config, and of what it names that is missing."""
        self.references.add(target)
        try:
            raw = self._blobs.read(target, MAX_DOCUMENT)
        except FileNotFoundError:  # deleted after its link was read
            self._is_all_named = False
            return
        except errors.ResponseTooLargeError as failure:
            self._is_all_named = False
            problem = rules.error("GEN-05", "$", f"{failure.size} bytes", f"at most {failure.limit} bytes")
            yield self._named_report(digest, Report(None, digest, failure.size, (problem,)))
            return
        except errors.LayoutError as failure:
            self._is_all_named = False
            yield self._damaged(target, 0, f"a file that {failure.reason}")
            return
        try:
            found = RawManifest(raw, own_media_type(raw), digest)
        except errors.DigestMismatchError as failure:
            self._is_all_named = False
            self._refer(raw, None)
            yield self._damaged(target, len(raw), f"content with the digest {failure.actual}")
            return
        report, document, _ = self._checks.check_tagged(found)
        self._refer(raw, document)
        yield self._named_report(digest, self._walk.with_layer_count(report, document))
        for below, report in self._walk.visit(self._checks.below(document, digest, 1)):
            yield self._named_report(below, report)

    def _named_report(self, digest: Digest, report: Report) -> FileReport:
        """Return a report under the name of its document, or of the blob that is damaged."""
        if any(problem.rule == "STO-02" for problem in report.problems):
            return FileReport(path_of(self._tree, self._links.layers.get(digest, digest)), report)
        tag = self._links.tagged.get(digest)
        return FileReport(f"{self._name}:{tag}" if tag else f"{self._name}@{digest}", report)

    def _damaged(self, target: Digest, size: int, found: str) -> FileReport:
        return FileReport(path_of(self._tree, target), Report(None, target, size, (damage(target, found),)))

    def _refer(self, raw: bytes, document: Document | None) -> None:
        """Note what a manifest refers to. Of one that cannot be parsed, these are all digests in its text."""
        match document:
            case ImageManifest():
                named = [document.config.digest, *(layer.digest for layer in document.layers)]
            case Index():
                named = [entry.digest for entry in document.manifests]
            case _:
                named = [Digest(found.decode()) for found in _DIGEST.findall(raw)]
        for digest in named:
            self._named.add(digest)
            self.references.add(digest)
            if digest.algorithm != SHA256:  # distribution stores all blobs by their sha256 digest
                for links in (LAYERS, REVISIONS):
                    with suppress(FileNotFoundError, errors.DregError):
                        self.references.add(self._tree.target(self._links.repository, links, digest))


def _parsed(raw: bytes) -> Document | None:
    try:
        return parse_manifest(raw, own_media_type(raw), strict=False)
    except errors.DregError:
        return None


class _Checks(RepositoryChecks):
    """The checks of a repository, whose links are checked on their own."""

    def __init__(self, links: LinkChecks, blobs: StoredBlobs, *, complete: bool, pedantic: bool) -> None:
        super().__init__(complete=complete, pedantic=pedantic)
        self._links, self._blobs = links, blobs
        self._configs = set[Digest]()

    def is_read(self, digest: Digest) -> bool:
        """Return whether a config was read."""
        return digest in self._configs

    def step(self, claim: Claim) -> Step | Report:
        """Return the next step for a claim. Manifests with a link are validated on their own."""
        digest = claim.descriptor.digest
        if self._links.is_reported(digest) or (claim.role == "entry" and digest in self._links.manifests):
            return Step.SKIP
        if claim.role == "layer" and not claim.descriptor.urls:
            is_seen = digest in self._links.layers or not self._is_new(digest, self._seen)
            return Step.SKIP if is_seen else Step.LOOK
        step = super().step(claim)
        if step is Step.READ and claim.role == "config":
            self._configs.add(digest)
        return step

    def unreadable(self, claim: Claim, failure: errors.DregError) -> Report:
        """Return the report of a config that does not match its descriptor: STO-02 if its bytes were changed."""
        found, digest = super().unreadable(claim, failure), claim.descriptor.digest
        with suppress(errors.DregError, FileNotFoundError):
            raw = self._blobs.read(self._links.layers.get(digest, digest), MAX_DOCUMENT)
            actual = Digest.of(raw, digest.algorithm)
            if actual != digest:
                return replace(found, size=len(raw), problems=(damage(digest, f"content with the digest {actual}"),))
        return found


class _LinkedSource(StorageSource):
    """The repository as a source that knows its links, so that none is read twice."""

    def __init__(self, links: LinkChecks) -> None:
        super().__init__(links.tree, links.repository, strict=False)
        self._known = links

    def _target(self, links: Links, digest: Digest) -> Digest:
        known = self._known.manifests if links == REVISIONS else self._known.layers
        return known.get(digest) or super()._target(links, digest)
