"""Validate a repository in the storage of a registry: its documents, and what the server does not tell about it."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from dreg_client import errors
from dreg_client._sync.storage_source import StorageSource
from dreg_client._sync.validation import Walk
from dreg_client.files.at_once import map_at_once
from dreg_client.files.registry_storage import LAYERS, REVISIONS, Links, StorageTree
from dreg_client.files.storage_link import is_damage
from dreg_client.models import rules as rule_book
from dreg_client.models.index import AnyManifest
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.storage.references import References
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.manifests import own_media_type
from dreg_client.validation.referenced_digests import ReferencedDigests
from dreg_client.validation.report import FileReport, Report
from dreg_client.validation.repository import RepositoryChecks
from dreg_client.validation.storage_blobs import LinkedBlob, damage, damage_report, size_report
from dreg_client.validation.storage_links import LinkChecks
from dreg_client.validation.storage_places import RepositoryPlaces
from dreg_client.validation.storage_reading import Damaged, Gone, StoredBlobs, TooLarge, Whole
from dreg_client.validation.storage_uploads import unfinished_uploads
from dreg_client.validation.walk import Claim, Step, wrong_claims
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName

_PLAIN: Final = PartitionRules()


class RepositoryCheck:
    """The validation of a repository of a storage.

    Args:
        tree: The storage.
        repository: The repository.
        blobs: The blobs of the storage.
        reach: What its manifests refer to is added to it, and what could not be read.
        rules: How to validate it.
    """

    def __init__(
        self,
        tree: StorageTree,
        repository: RepositoryName,
        blobs: StoredBlobs,
        reach: ReferencedDigests,
        rules: PartitionRules = _PLAIN,
    ) -> None:
        self._tree, self._blobs, self._rules = tree, blobs, rules
        self._name = f"registry-storage:{tree.name.rstrip('/')}/{repository}"
        self._places = RepositoryPlaces(tree, repository, reach)
        self._links = LinkChecks(self._places, blobs)
        self._checks = _Checks(self._links, blobs, complete=rules.complete, pedantic=rules.lines.pedantic)
        self._walk = Walk(_LinkedSource(self._links), self._checks)
        self._reach, self._references = reach, References(tree, repository, reach, self._links.needed_by)
        self._is_all_named = True  # whether all manifests could be read; threads only ever set it to False

    def reports(self) -> Iterator[FileReport]:
        """Yield the reports: links to manifests, tags, documents, links to layers, uploads."""
        try:
            yield from shown(self._all(), self._rules)
        except errors.LayoutError as failure:
            self._reach.note_unread(failure)

    @property
    def is_there(self) -> bool:
        """Whether there is such a repository. It is known after `reports`."""
        return self._places.is_there

    def unread(self) -> Iterator[LinkedBlob]:
        """Yield the blobs that `reports` did not read."""
        return (self._linked(LAYERS, digest) for digest in self._links.layers if not self._checks.is_read(digest))

    def _all(self) -> Iterator[FileReport]:
        now = time.time()
        yield from self._places.read_places()
        yield from self._links.read_manifests()
        yield from self._links.read_tags()
        malformed = [*self._links.read_layers()]
        for found in map_at_once(self._manifest, self._links.manifests.items(), self._tree.files.at_once):
            yield from found
        yield from malformed
        yield from self._links.gone_blobs(self._references.named if self._is_all_named else None)
        yield from unfinished_uploads(self._places, now)

    def _manifest(self, link: tuple[Digest, Digest]) -> list[FileReport]:
        """Return the reports of a manifest, of its config, and of what it names that is missing."""
        digest, target = link
        found = list[FileReport]()
        try:
            document = self._read_manifest(digest, target, found)
            for claim in self._checks.below(document, digest, 1):
                found += self._below(claim, digest)
        except errors.LayoutError as failure:
            self._is_all_named = False
            self._references.note_unread(failure)
        return found

    def _below(self, claim: Claim, manifest: Digest) -> Iterator[FileReport]:
        """Yield the reports of what a manifest names."""
        digest = claim.descriptor.digest
        try:
            for each, report in self._walk.visit([claim]):
                yield self._named_report(each, report, manifest)
        except errors.LayoutError as failure:
            if is_damage(failure) and claim.role == "config":
                yield self._damaged(LAYERS, digest, 0, f"a file that {failure.reason}", manifest)
            else:
                self._references.note_unread(failure)

    def _read_manifest(self, digest: Digest, target: Digest, found: list[FileReport]) -> AnyManifest | None:
        """Read a manifest, and add its report; return None if it is not valid."""
        stored = self._references.read(self._blobs, digest, target)
        if not isinstance(stored, Whole):
            self._is_all_named = False
        match stored:
            case Gone():  # deleted after its link was read
                return None
            case TooLarge():
                problem = rule_book.error("GEN-05", "$", f"{stored.size} bytes", f"at most {stored.limit} bytes")
                found.append(self._named_report(digest, Report(None, digest, stored.size, (problem,))))
                return None
            case Damaged():
                found.append(self._damaged(REVISIONS, digest, len(stored.raw), stored.found, digest))
                return None
            case Whole():
                return self._whole_manifest(digest, target, stored.raw, found)

    def _whole_manifest(
        self, digest: Digest, target: Digest, raw: bytes, found: list[FileReport]
    ) -> AnyManifest | None:
        report, document, _ = self._checks.check_tagged(RawManifest(raw, own_media_type(raw), digest))
        self._references.add(digest, target, raw, document)
        found.append(self._named_report(digest, self._walk.with_layer_count(report, document)))
        return document

    def _named_report(self, digest: Digest, report: Report, manifest: Digest | None = None) -> FileReport:
        """Return a report under the name of its document, or of the damaged config or layer of a manifest."""
        for problem in report.problems:
            if problem.rule == "STO-02" and manifest is not None:
                return self._damaged(LAYERS, digest, report.size, problem.found, manifest)
            if problem.rule == "LYT-05" and manifest is not None and digest in self._links.layers:
                image = self._image(manifest, self._places.repository)
                return size_report(self._tree, self._linked(LAYERS, digest), report.size, problem, image)
        return FileReport(self._image(digest, self._name), report)

    def _damaged(self, links: Links, digest: Digest, size: int, found: str, manifest: Digest) -> FileReport:
        """Return the report of a manifest, or of the config of one, with other bytes."""
        image, what = self._image(manifest, self._places.repository), "manifest" if links == REVISIONS else "config of"
        return damage_report(self._tree, self._linked(links, digest), size, f"{found}, in place of the {what} {image}")

    def _linked(self, links: Links, digest: Digest) -> LinkedBlob:
        target = (self._links.manifests if links == REVISIONS else self._links.layers).get(digest, digest)
        path = self._places.path(f"{links}/{digest.algorithm}/{digest.encoded}/link")
        return LinkedBlob(target, digest, "" if target == digest else path)

    def _image(self, digest: Digest, repository: str) -> str:
        """Return the name of a manifest in a repository: with its first tag if it has one."""
        tags = self._links.tagged.get(digest)
        return f"{repository}:{tags[0]}" if tags else f"{repository}@{digest}"


def shown(reports: Iterable[FileReport], rules: PartitionRules) -> Iterator[FileReport]:
    """Yield the reports without those that have only notes, unless these are requested."""
    for found in reports:
        if rules.lines.pedantic or not found.report.problems or found.report.errors or found.report.warnings:
            yield found


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
        """Return the next step for a claim. What has a link is checked on its own, besides its size."""
        digest = claim.descriptor.digest
        if self._links.is_reported(digest):
            return Step.SKIP
        linked = {"layer": self._links.layers, "entry": self._links.manifests}.get(claim.role, {})
        if digest in linked:
            return self._size(claim, linked[digest])
        if claim.role == "layer" and not claim.descriptor.urls:
            return Step.LOOK if self._is_new(digest, self._seen) else Step.SKIP
        step = super().step(claim)
        if step is Step.READ and claim.role == "config":
            self._configs.add(digest)
        return step

    def _size(self, claim: Claim, target: Digest) -> Step | Report:
        """Compare a size with the stated one (LYT-05): clients reject an image with another one. Nothing is read."""
        size = self._blobs.size(target)
        problems = () if size is None else (*wrong_claims(claim, size),)
        return Report(None, claim.descriptor.digest, size or 0, problems) if problems else Step.SKIP

    def unreadable(self, claim: Claim, failure: errors.DregError) -> Report:
        """Return the report of a config that does not match its descriptor: STO-02 if its bytes were changed."""
        found, digest = super().unreadable(claim, failure), claim.descriptor.digest
        stored = self._blobs.document(self._links.layers.get(digest, digest), digest)
        if isinstance(stored, Damaged):
            return replace(found, size=len(stored.raw), problems=(damage(digest, stored.found),))
        return found


class _LinkedSource(StorageSource):
    """The repository as a source that knows its links, so that none is read twice."""

    def __init__(self, links: LinkChecks) -> None:
        super().__init__(links.places.tree, links.places.repository, strict=False)
        self._known = links

    def _target(self, links: Links, digest: Digest) -> Digest:
        known = self._known.manifests if links == REVISIONS else self._known.layers
        return known.get(digest) or super()._target(links, digest)
