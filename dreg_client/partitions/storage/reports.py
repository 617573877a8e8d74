"""The reports of parts of a storage, and of a whole storage in several processes of this machine."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Final, Generic, TypeVar

from dreg_client.files.registry_storage import StorageTree, open_storage
from dreg_client.partitions.part import ALL_BLOBS
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.storage.packed import PackedReports
from dreg_client.partitions.storage.references import ReferenceReader
from dreg_client.partitions.storage.repository import RepositoryCheck, shown
from dreg_client.validation.pieces import results_in_order
from dreg_client.validation.referenced_digests import ReferencedDigests
from dreg_client.validation.report import FileReport
from dreg_client.validation.storage_blobs import (
    BlobEntries,
    blobs_between,
    damaged_blobs,
    each_damaged_once,
    unreferenced_blobs,
)
from dreg_client.validation.storage_entries import repositories_of
from dreg_client.validation.storage_reading import StoredBlobs
from dreg_client.validation.storage_uploads import YOUNG
from dreg_client.values.reference import RepositoryName

S = TypeVar("S")
_TOGETHER: Final = 16
"""The most repositories that a process validates before it hands over the reports."""


@dataclass(frozen=True, slots=True)
class _Part(Generic[S]):
    """The result for a part of a storage: its reports, what was learnt, and what is left to do. It can be pickled."""

    reports: PackedReports
    reach: ReferencedDigests
    left: S | None = None


@dataclass(frozen=True, slots=True)
class StorageRun:
    """The validation of a storage, or of a repository in it, on this machine.

    Attributes:
        path: The path or URL of the storage.
        repository: The repository; None for all of them.
        rules: How to validate it.
        jobs: The number of processes.
        reach: What was learnt. It is complete after `reports`.
    """

    path: str
    repository: RepositoryName | None
    rules: PartitionRules
    jobs: int = 1
    reach: ReferencedDigests = field(default_factory=ReferencedDigests)

    def reports(self) -> Iterator[FileReport]:
        """Yield the reports. A damaged blob is reported once, also if several repositories need it.

        Raises:
            NotFoundError: There is no such storage or repository.
            LayoutError: Something could not be read. It is raised after all reports.
        """
        tree = open_storage(self.path)
        with closing(tree.files):
            yield from each_damaged_once(self._of_repository(tree) if self.repository else self._of_storage(tree))

    def check_searched(self) -> None:
        """Raise LayoutError if it is not known which blobs of the storage are unreferenced. Call it after `reports`."""
        if self.repository is None:
            self.reach.check_known()

    def _of_repository(self, tree: StorageTree) -> Iterator[FileReport]:
        tree.check_repository(RepositoryName(self.repository or ""))
        yield from repository_reports(tree, [self.repository or ""], self.rules, self.reach, alone=True)
        self.reach.check_read()

    def _of_storage(self, tree: StorageTree) -> Iterator[FileReport]:
        reach, now, others = self.reach, time.time(), list[FileReport]()
        names = repositories_of(tree, reach, others)
        if self.jobs == 1:
            yield from repository_reports(tree, names, self.rules, reach)
        else:
            yield from self._in_processes(
                partial(_repositories, path=self.path, rules=self.rules), _groups(names), reach
            )
        yield from shown(others, self.rules)
        yield from unreferenced(tree, reach, now, self.rules)
        if self.rules.blobs:
            yield from self._in_processes(partial(_blobs, path=self.path), range(ALL_BLOBS), reach)
        reach.check_read()

    def _in_processes(
        self, part: Callable[[S], _Part[S]], given: Iterable[S], reach: ReferencedDigests
    ) -> Iterator[FileReport]:
        for _, done in results_in_order(part, iter(given), _left, jobs=self.jobs, name=self.path):
            yield from done.reports
            reach.merge(done.reach)


def repository_reports(
    tree: StorageTree,
    names: Iterable[str],
    rules: PartitionRules,
    reach: ReferencedDigests,
    *,
    alone: bool = False,
    on_gone: Callable[[str], None] = lambda _: None,
) -> Iterator[FileReport]:
    """Yield the reports of repositories; note in `reach` what their manifests refer to, and what could not be read.

    With `rules.blobs`, also read the blobs of links by another digest than that of the blob's path, which no check of
    the blobs themselves knows; all blobs if the repositories are validated `alone`. `on_gone` is called with each name
    of which there is no repository.
    """
    with StoredBlobs(tree) as blobs:
        for name in names:
            check = RepositoryCheck(tree, RepositoryName(name), blobs, reach, rules)
            yield from check.reports()
            if not check.is_there:
                on_gone(name)
            if rules.blobs:
                unread = (each for each in check.unread() if alone or each.link)
                yield from damaged_blobs(tree, unread, reach)


def unreferenced(
    tree: StorageTree, reach: ReferencedDigests, now: float, rules: PartitionRules
) -> Iterator[FileReport]:
    """Yield the reports of unreferenced blobs, and of what is among blobs besides.

    Args:
        tree: The storage.
        reach: What all manifests refer to. What cannot be read is noted there.
        now: When the manifests began to be read, in seconds since 1970.
        rules: How to validate the storage.
    """
    yield from shown(BlobEntries(tree, reach).others(), rules)
    recent = ReferenceReader(tree, ReferencedDigests(), since=now - YOUNG).read
    yield from shown(unreferenced_blobs(tree, reach, recent, now), rules)


def _repositories(names: tuple[str, ...], path: str, rules: PartitionRules) -> _Part[tuple[str, ...]]:
    """Validate repositories in another process, until there are many reports."""
    tree, reach, reports, left = open_storage(path), ReferencedDigests(), PackedReports(), deque(names)

    def few() -> Iterator[str]:
        while left and not reports.are_many:
            yield left.popleft()

    with closing(tree.files):
        reports.extend(repository_reports(tree, few(), rules, reach))
    return _Part(reports, reach, tuple(left) or None)


def _blobs(start: int, path: str) -> _Part[int]:
    """Read the blobs whose digests begin with a byte, in another process."""
    tree, reach, reports = open_storage(path), ReferencedDigests(), PackedReports()
    with closing(tree.files):
        reports.extend(damaged_blobs(tree, blobs_between(tree, start, start + 1, reach), reach))
    return _Part(reports, reach)


def _left(_given: S, done: _Part[S]) -> S | None:
    return done.left


def _groups(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    waiting = iter(names)
    while group := tuple(islice(waiting, _TOGETHER)):
        yield group
