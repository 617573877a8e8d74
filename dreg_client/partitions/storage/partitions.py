"""Divide the storage of a registry into partitions, and validate them: repositories, blobs, and unreferenced blobs."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from dreg_client.errors import LayoutError, UnsupportedError
from dreg_client.files.registry_storage import StorageTree, open_storage
from dreg_client.files.store_path import named_store
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.row import RowReport
from dreg_client.partitions.storage.repository import RepositoryCheck
from dreg_client.validation.digest_set import DigestSet
from dreg_client.validation.report import FileReport
from dreg_client.validation.storage_blobs import blobs_between, damaged_blobs, unreferenced_blobs
from dreg_client.validation.storage_links import YOUNG, StoredBlobs
from dreg_client.values.reference import RepositoryName
from dreg_client.values.source_url import is_source_url

ALL_BLOBS: Final = 256
"""The number of first bytes of digests, by which the blobs of a storage are divided."""
_REPOSITORIES: Final = 100


@dataclass(frozen=True, slots=True)
class CheckedRepositories:
    """The result for some repositories of a storage.

    Attributes:
        reports: The reports.
        references: The digests of their manifests, and of what they refer to: the parts of a `DigestSet`.
        failure: Why one of them could not be read completely.
    """

    reports: tuple[FileReport, ...]
    references: Mapping[str, bytes]
    failure: LayoutError | None = None


def storage_partitions(source: str, rules: PartitionRules) -> Iterator[Partition]:
    """Divide a storage: groups of repositories, its unreferenced blobs, and, with `rules.blobs`, all blobs.

    No partition depends on another one. That of the unreferenced blobs reads all manifests again.

    Args:
        source: `registry-storage:PATH`, or `registry-storage:PATH/REPOSITORY` for a single repository.
        rules: How to validate the storage.

    Raises:
        NotFoundError: There is no such storage or repository.
        UnsupportedError: The name has a tag or a digest.
    """
    name = named_store(source)
    if name.is_named:
        raise UnsupportedError(
            f"{name} is a single image, which has no partitions; validate it without --format parquet"
        )
    # A worker may have another working directory.
    tree = open_storage(name.path if is_source_url(name.path) else str(Path(name.path).absolute()))
    with closing(tree.files):
        names = repositories_in(tree, name.repository)
        if name.repository is not None:
            stop = ALL_BLOBS if rules.blobs else None
            yield Partition(tree.name, "registry-storage", stop=stop, names=tuple(names))
            return
        while group := tuple(islice(names, _REPOSITORIES)):
            yield Partition(tree.name, "registry-storage", names=group)
    yield Partition(tree.name, "registry-storage")
    if rules.blobs:
        starts = range(ALL_BLOBS)
        yield from (Partition(tree.name, "registry-storage", start=start, stop=start + 1) for start in starts)


def repositories_in(tree: StorageTree, repository: RepositoryName | None) -> Iterator[str]:
    """Yield a repository, or, if it is None, all repositories of a storage, with those that have only uploads.

    Raises:
        NotFoundError: There is no such repository.
    """
    if repository is None:
        yield from tree.repositories(with_uploads=True)
    else:
        tree.check_repository(repository)
        yield repository


def reports_in_storage(partition: Partition, rules: PartitionRules) -> Iterator[RowReport]:
    """Yield the reports of a partition of a storage. Their sources are images, or files of the storage.

    Raises:
        NotFoundError: The storage is gone.
        LayoutError: A directory of it cannot be listed.
    """
    tree = open_storage(partition.source)
    with closing(tree.files):
        for found in _reports(tree, partition, rules):
            yield RowReport(found.name, 0, found.report)


def _reports(tree: StorageTree, partition: Partition, rules: PartitionRules) -> Iterator[FileReport]:
    if partition.names:
        damaged = set[str]()
        with_blobs = partition.stop is not None
        for found in repository_reports(tree, partition.names, rules, DigestSet(), with_blobs=with_blobs):
            is_damaged = any(problem.rule == "STO-02" for problem in found.report.problems)
            if is_damaged and ((rules.blobs and not with_blobs) or found.name in damaged):
                continue  # reported by the partition of the blobs, or for another repository
            damaged |= {found.name} if is_damaged else set()
            yield found
    elif partition.stop is not None:
        yield from damaged_blobs(tree, blobs_between(tree, partition.start, partition.stop))
    else:
        now = time.time()
        yield from unreferenced(tree, references_since(tree), now, rules)


def repository_reports(
    tree: StorageTree, names: Iterable[str], rules: PartitionRules, references: DigestSet, *, with_blobs: bool = False
) -> Iterator[FileReport]:
    """Yield the reports of repositories; add the digests that their manifests refer to.

    With `with_blobs`, also read all their blobs.

    Raises:
        LayoutError: A directory of a repository cannot be listed. It is raised after the reports of all repositories.
    """
    failure: LayoutError | None = None
    with StoredBlobs(tree) as blobs:
        for name in names:
            complete, pedantic = rules.complete, rules.lines.pedantic
            check = RepositoryCheck(tree, RepositoryName(name), blobs, complete=complete, pedantic=pedantic)
            try:
                yield from check.reports()
                if with_blobs:
                    yield from damaged_blobs(tree, check.unread())
            except LayoutError as error:
                failure = failure or error
            references.update(check.references.packed())
    if failure is not None:
        raise failure


def check_repositories(names: tuple[str, ...], path: str, rules: PartitionRules) -> CheckedRepositories:
    """Validate repositories of a storage, as a whole, for another process."""
    tree, references, reports = open_storage(path), DigestSet(), list[FileReport]()
    failure: LayoutError | None = None
    with closing(tree.files):
        try:
            reports.extend(repository_reports(tree, names, rules, references))
        except LayoutError as error:
            failure = error
    return CheckedRepositories(tuple(reports), references.packed(), failure)


def check_blobs(start: int, path: str) -> tuple[FileReport, ...]:
    """Read the blobs of a storage whose digests begin with a byte, for another process."""
    tree = open_storage(path)
    with closing(tree.files):
        return tuple(damaged_blobs(tree, blobs_between(tree, start, start + 1)))


def unreferenced(tree: StorageTree, references: DigestSet, now: float, rules: PartitionRules) -> Iterator[FileReport]:
    """Yield the reports of unreferenced blobs; `references` began to be read at `now`, in seconds since 1970."""
    recent = partial(references_since, tree, now - YOUNG)
    return shown(unreferenced_blobs(tree, references, recent, now), rules)


def references_since(tree: StorageTree, when: float = 0.0) -> DigestSet:
    """Read all manifests of a storage that were pushed since a time; return their digests, and what they refer to."""
    references = DigestSet()
    with StoredBlobs(tree) as blobs:
        for name in tree.repositories():
            check = RepositoryCheck(tree, RepositoryName(name), blobs)
            check.read_references(when)
            references.update(check.references.packed())
    return references


def shown(reports: Iterable[FileReport], rules: PartitionRules) -> Iterator[FileReport]:
    """Yield the reports without those that have only notes, unless these are requested."""
    for found in reports:
        if rules.lines.pedantic or not found.report.problems or found.report.errors or found.report.warnings:
            yield found
