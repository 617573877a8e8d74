"""Divide the storage of a registry into partitions, and validate them: repositories, blobs, and unreferenced blobs."""

import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from dreg_client.errors import LayoutError, UnsupportedError
from dreg_client.files.registry_storage import StorageTree, open_storage
from dreg_client.files.store_path import named_store
from dreg_client.partitions.part import (
    ALL_BLOBS,
    BlobRange,
    Bytes,
    Files,
    Part,
    Repositories,
    Rows,
    SingleRepository,
    UnreferencedBlobs,
    WholeFile,
)
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.row import RowReport
from dreg_client.partitions.storage.references import ReferenceReader
from dreg_client.partitions.storage.reports import repository_reports, unreferenced
from dreg_client.partitions.storage.repository import shown
from dreg_client.validation.referenced_digests import ReferencedDigests
from dreg_client.validation.report import FileReport
from dreg_client.validation.storage_blobs import blobs_between, damaged_blobs, each_damaged_once, is_damaged_blob
from dreg_client.validation.storage_entries import repositories_of
from dreg_client.values.source_url import is_source_url

_REPOSITORIES: Final = 100


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
        if name.repository is not None:
            tree.check_repository(name.repository)
            yield Partition(tree.name, "registry-storage", part=SingleRepository(name.repository))
            return
        # What cannot be listed is stated by the partition of the unreferenced blobs.
        names = repositories_of(tree, ReferencedDigests())
        while group := tuple(islice(names, _REPOSITORIES)):
            yield Partition(tree.name, "registry-storage", part=Repositories(group))
    yield Partition(tree.name, "registry-storage", part=UnreferencedBlobs())
    if rules.blobs:
        parts = (BlobRange(start, start + 1) for start in range(ALL_BLOBS))
        yield from (Partition(tree.name, "registry-storage", part=part) for part in parts)


def reports_in_storage(partition: Partition, rules: PartitionRules) -> Iterator[RowReport]:
    """Yield the reports of a partition of a storage. Their sources are images, or files of the storage.

    A damaged blob is reported once: by its repository if only that is validated; with `rules.blobs`, by the partition
    of the blob; otherwise by that of the unreferenced blobs. A link by another digest than that of the
    blob's path is reported by the partition of its repository, and so is a blob of another size than its manifest
    states: once by each partition.

    Raises:
        NotFoundError: The storage is gone.
        LayoutError: Something could not be read, a repository is gone, or it is not known which blobs are unreferenced.
            It is raised after all reports.
    """
    tree = open_storage(partition.source)
    with closing(tree.files):
        for found in _reports(tree, partition.part, rules):
            yield RowReport(found.name, 0, found.report, is_null=found.is_null)


def _reports(tree: StorageTree, part: Part, rules: PartitionRules) -> Iterator[FileReport]:
    reach = ReferencedDigests()
    # Repositories must be there: a worker may have another storage at the same path.
    reports_of = partial(repository_reports, tree, rules=rules, reach=reach, on_gone=partial(_note_gone, tree, reach))
    match part:
        case SingleRepository(name):
            yield from each_damaged_once(reports_of([name], alone=True))
        case Repositories(names):
            yield from (each for each in each_damaged_once(reports_of(names)) if not is_damaged_blob(tree, each))
        case BlobRange(start, stop):
            yield from damaged_blobs(tree, blobs_between(tree, start, stop, reach), reach)
        case UnreferencedBlobs():
            yield from _unreferenced(tree, reach, rules)
        case WholeFile() | Bytes() | Rows() | Files():
            raise ValueError(f"{part} is not a part of a storage")
    reach.check_read()


def _unreferenced(tree: StorageTree, reach: ReferencedDigests, rules: PartitionRules) -> Iterator[FileReport]:
    now = time.time()
    reader = ReferenceReader(tree, reach, verifies=not rules.blobs)
    yield from shown(reader.reports(), rules)
    yield from unreferenced(tree, reach, now, rules)
    reach.check_known()


def _note_gone(tree: StorageTree, reach: ReferencedDigests, name: str) -> None:
    """Note that a repository of a partition is not there, unless it is known why."""
    path = f"{tree.files.name}/repositories/{name}"
    reason = "is not there: it was deleted since the partitions were found, or this machine has another storage"
    if reach.unread_file is None or reach.unread_file[0] != path:
        reach.note_unread(LayoutError(path, reason))
