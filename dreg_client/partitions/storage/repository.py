"""Validate a repository in the storage of a registry: its documents, and what the server does not tell about it."""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from dreg_client import errors
from dreg_client._sync.storage_source import StorageSource
from dreg_client._sync.validation import Walk
from dreg_client.files.at_once import map_at_once
from dreg_client.files.registry_storage import REVISIONS, Links, StorageTree
from dreg_client.models import rules as rule_book
from dreg_client.models.index import AnyManifest
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.storage.references import References
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.manifests import own_media_type
from dreg_client.validation.report import FileReport, Report
from dreg_client.validation.repository import RepositoryChecks
from dreg_client.validation.storage_blobs import damage, damage_report, path_of
from dreg_client.validation.storage_links import LinkChecks
from dreg_client.validation.storage_reach import StorageReach, is_damage
from dreg_client.validation.storage_reading import StoredBlobs
from dreg_client.validation.walk import Claim, Step
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
        reach: StorageReach,
        rules: PartitionRules = _PLAIN,
    ) -> None:
        self._tree, self._blobs, self._rules = tree, blobs, rules
        self._name = f"registry-storage:{tree.name.rstrip('/')}/{repository}"
        self._links = LinkChecks(tree, repository, blobs, reach)
        self._checks = _Checks(self._links, blobs, complete=rules.complete, pedantic=rules.lines.pedantic)
        self._walk = Walk(_LinkedSource(self._links), self._checks)
        self._reach, self._references = reach, References(tree, repository, reach)
        self._is_all_named = True  # whether all manifests could be read

    def reports(self) -> Iterator[FileReport]:
        """Yield the reports: links to manifests, tags, documents, links to layers, uploads."""
        try:
            yield from shown(self._all(), self._rules)
        except errors.LayoutError as failure:
            self._reach.unread(failure)

    @property
    def is_there(self) -> bool:
        """Whether there is such a repository. It is known after `reports`."""
        return self._links.is_there

    def unread(self) -> Iterator[Digest]:
        """Yield the blobs that `reports` did not read."""
        return (target for digest, target in self._links.layers.items() if not self._checks.is_read(digest))

    def _all(self) -> Iterator[FileReport]:
        now = time.time()
        yield from self._links.read_places()
        yield from self._links.read_manifests()
        yield from self._links.read_tags()
        malformed = [*self._links.read_layers()]
        for found in map_at_once(self._manifest, self._links.manifests.items(), self._tree.files.at_once):
            yield from found
        yield from malformed
        yield from self._links.gone_blobs(self._references.named if self._is_all_named else None)
        yield from self._links.uploads(now)

    def _manifest(self, link: tuple[Digest, Digest]) -> list[FileReport]:
        """Return the reports of a manifest, of its config, and of what it names that is missing."""
        digest, target = link
        self._references.add_stored(target)
        found = list[FileReport]()
        try:
            document = self._read_manifest(digest, target, found)
            for claim in self._checks.below(document, digest, 1):
                found += self._below(claim, digest)
        except errors.LayoutError as failure:
            self._is_all_named = False
            self._references.unread(failure)
        return found

    def _below(self, claim: Claim, manifest: Digest) -> Iterator[FileReport]:
        """Yield the reports of what a manifest names."""
        try:
            for digest, report in self._walk.visit([claim]):
                yield self._named_report(digest, report, manifest)
        except errors.LayoutError as failure:
            if is_damage(failure) and claim.role == "config":
                problem = damage(claim.descriptor.digest, f"a file that {failure.reason}")
                yield self._named_report(
                    claim.descriptor.digest, Report(None, claim.descriptor.digest, 0, (problem,)), manifest
                )
            else:
                self._references.unread(failure)

    def _read_manifest(self, digest: Digest, target: Digest, found: list[FileReport]) -> AnyManifest | None:
        """Read a manifest, and add its report; return None if it is not valid."""
        try:
            raw, actual = self._blobs.read(target, digest)
        except FileNotFoundError:  # deleted after its link was read
            self._is_all_named = False
            self._references.gone(digest, target)
            return None
        except errors.ResponseTooLargeError as failure:
            self._unknown(target, f"has {failure.size} bytes, more than a manifest may have")
            problem = rule_book.error("GEN-05", "$", f"{failure.size} bytes", f"at most {failure.limit} bytes")
            found.append(self._named_report(digest, Report(None, digest, failure.size, (problem,))))
            return None
        except errors.LayoutError as failure:
            if not is_damage(failure):
                raise
            self._unknown(target, failure.reason)
            found.append(self._damaged(digest, target, 0, f"a file that {failure.reason}"))
            return None
        if actual != digest:
            self._is_all_named = False
            self._add_named(digest, target, raw, None, is_damaged=True)
            found.append(self._damaged(digest, target, len(raw), f"content with the digest {actual}"))
            return None
        report, document, _ = self._checks.check_tagged(RawManifest(raw, own_media_type(raw), digest))
        self._add_named(digest, target, raw, document)
        found.append(self._named_report(digest, self._walk.with_layer_count(report, document)))
        return document

    def _add_named(
        self, digest: Digest, target: Digest, raw: bytes, document: AnyManifest | None, *, is_damaged: bool = False
    ) -> None:
        named = self._references.add(target, raw, document, is_damaged=is_damaged)
        self._links.needed_by.add(digest, named, document)

    def _damaged(self, digest: Digest, target: Digest, size: int, found: str) -> FileReport:
        return damage_report(
            self._tree, target, size, f"{found}, in place of the manifest {self._image(digest, self._links.repository)}"
        )

    def _unknown(self, target: Digest, reason: str) -> None:
        self._is_all_named = False
        self._references.unknown(target, reason)

    def _named_report(self, digest: Digest, report: Report, manifest: Digest | None = None) -> FileReport:
        """Return a report under the name of its document, or of the blob that is damaged: the config of a manifest."""
        if any(problem.rule == "STO-02" for problem in report.problems):
            of = (
                ""
                if manifest is None
                else f", in place of the config of {self._image(manifest, self._links.repository)}"
            )
            problems = tuple(replace(problem, found=f"{problem.found}{of}") for problem in report.problems)
            path = path_of(self._tree, self._links.layers.get(digest, digest))
            return FileReport(path, replace(report, problems=problems))
        return FileReport(self._image(digest, self._name), report)

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
        with suppress(errors.ResponseTooLargeError, FileNotFoundError):
            raw, actual = self._blobs.read(self._links.layers.get(digest, digest), digest)
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
