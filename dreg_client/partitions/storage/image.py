"""Validate an image in the storage of a registry: its documents, and the links and sizes of its blobs."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from dreg_client import errors
from dreg_client._sync.documents import read_raw_manifest
from dreg_client._sync.storage_source import StorageSource
from dreg_client._sync.validation import Walk
from dreg_client.files.registry_storage import LAYERS, REVISIONS, Links, StorageTree, open_storage
from dreg_client.partitions.partition import PartitionRules
from dreg_client.validation.referenced_digests import ReferencedDigests
from dreg_client.validation.report import FileReport, Report
from dreg_client.validation.repository import RepositoryChecks
from dreg_client.validation.storage_blobs import LinkedBlob, damage_report, damaged_blobs, size_report
from dreg_client.validation.storage_entries import file_report
from dreg_client.validation.storage_links import gone_problem
from dreg_client.validation.storage_needs import shown_tags
from dreg_client.validation.storage_reading import Damaged, StoredBlobs
from dreg_client.validation.walk import Claim, Step, wrong_claims
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family
from dreg_client.values.reference import RepositoryName


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image in the storage of a registry.

    Attributes:
        path: The path or URL of the storage.
        repository: The repository.
        reference: The tag or digest.
    """

    path: str
    repository: RepositoryName
    reference: str

    def reports(self, rules: PartitionRules) -> Iterator[FileReport]:
        """Yield the reports of its documents and blobs. Layers are only read with `rules.blobs`.

        Raises:
            NotFoundError: There is no such storage, repository, tag or digest.
            LayoutError: Something could not be read.
            DregError: The manifest at the tag or digest is damaged or too large.
        """
        tree = open_storage(self.path)
        with closing(tree.files), StoredBlobs(tree) as blobs:
            checks, source = _Checks(tree, blobs, self, rules), StorageSource(tree, self.repository, strict=False)
            yield from self._documents(Walk(source, checks), checks, source)
            if rules.blobs:
                reach = ReferencedDigests()
                yield from damaged_blobs(tree, checks.unread, reach)
                reach.check_read()

    def _documents(self, walk: Walk, checks: "_Checks", source: StorageSource) -> Iterator[FileReport]:
        """Yield the reports of the image, and of everything below it."""
        place, found = source.address.removesuffix(self.repository), read_raw_manifest(source, self.reference)
        report, document, _ = checks.check_tagged(found)
        yield FileReport(f"{place}{self.named(self.reference)}", walk.with_layer_count(report, document))
        for digest, below in walk.visit(checks.below(document, found.digest, 1)):
            yield checks.faults.get(digest) or FileReport(f"{place}{self.named(digest)}", below)

    def named(self, reference: str) -> str:
        """Return the name of an image of the repository, without the storage."""
        return f"{self.repository}{'@' if ':' in reference else ':'}{reference}"


class _Checks(RepositoryChecks):
    """The checks of an image, whose links and sizes are compared with what its documents state.

    Attributes:
        faults: The reports of blobs that are gone, damaged, or of another size, under the names of their files.
        unread: The blobs that are no documents.
    """

    def __init__(self, tree: StorageTree, blobs: StoredBlobs, image: StoredImage, rules: PartitionRules) -> None:
        super().__init__(complete=rules.complete, pedantic=rules.lines.pedantic)
        self._tree, self._blobs, self._image = tree, blobs, image
        self.faults: dict[Digest, FileReport] = {}
        self.unread: list[LinkedBlob] = []

    def step(self, claim: Claim) -> Step | Report:
        """Return the next step for a claim. A blob that is gone is reported, and a layer of another size."""
        if claim.role == "layer" or (claim.role == "config" and claim.family is not Family.CONFIG):
            return self._content(claim) if self._is_new(claim.descriptor.digest, self._seen) else Step.SKIP
        step = super().step(claim)
        blob = self._linked(claim) if step is Step.READ else None
        return self._gone(claim, blob) if blob and self._blobs.size(blob.target) is None else step

    def _content(self, claim: Claim) -> Step | Report:
        if (blob := self._linked(claim)) is None:
            return Step.SKIP if claim.descriptor.urls else self.missing(claim)
        if (size := self._blobs.size(blob.target)) is None:
            return self._gone(claim, blob)
        self.unread.append(blob)
        if (problem := next(wrong_claims(claim, size), None)) is None:
            return Step.SKIP
        image = self._image.named(self._image.reference)
        return self._fault(blob, size_report(self._tree, blob, size, problem, image))

    def unreadable(self, claim: Claim, failure: errors.DregError) -> Report:
        """Return the report of a document that does not match its descriptor: STO-02 if its bytes were changed."""
        blob = self._linked(claim)
        stored = self._blobs.document(blob.target, blob.digest) if blob else None
        if blob is None or not isinstance(stored, Damaged):
            return super().unreadable(claim, failure)
        what = "the config" if claim.role == "config" else "a manifest"
        found = f"{stored.found}, in place of {what} of {self._image.named(self._image.reference)}"
        return self._fault(blob, damage_report(self._tree, blob, len(stored.raw), found))

    def _gone(self, claim: Claim, blob: LinkedBlob) -> Report:
        tag = self._image.reference
        problem = gone_problem(blob.target, "" if ":" in tag else f"; needed by {shown_tags([tag])}")
        return self._fault(blob, file_report(self._link(claim), problem, blob.digest))

    def _fault(self, blob: LinkedBlob, found: FileReport) -> Report:
        self.faults[blob.digest] = found
        return found.report

    def _linked(self, claim: Claim) -> LinkedBlob | None:
        """Return the blob of a claim; None if the repository has no link to it."""
        digest = claim.descriptor.digest
        try:
            target = self._tree.target(self._image.repository, _links(claim), digest)
        except FileNotFoundError:
            return None
        return LinkedBlob(target, digest, "" if target == digest else self._link(claim))

    def _link(self, claim: Claim) -> str:
        digest = claim.descriptor.digest
        place = f"{self._image.repository}/{_links(claim)}/{digest.algorithm}/{digest.encoded}"
        return f"{self._tree.files.name}/repositories/{place}/link"


def _links(claim: Claim) -> Links:
    return REVISIONS if claim.role == "entry" else LAYERS
