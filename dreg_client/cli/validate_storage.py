"""Validate the storage of a registry, or a repository in it, in several processes."""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from typing import Final

from dreg_client.cli.progress import Advance
from dreg_client.cli.validate_output import Checked, Finding, Settings
from dreg_client.cli.validate_registries import check_in_storage
from dreg_client.errors import LayoutError
from dreg_client.files.registry_storage import StorageTree, open_storage
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.storage.partitions import (
    ALL_BLOBS,
    check_blobs,
    check_repositories,
    repositories_in,
    repository_reports,
    unreferenced,
)
from dreg_client.validation.digest_set import DigestSet
from dreg_client.validation.dumps import LineRules
from dreg_client.validation.pieces import map_in_processes
from dreg_client.validation.report import FileReport
from dreg_client.values.store_name import StoreName

_TOGETHER: Final = 16
"""The repositories that a process validates before it hands over the reports."""


def check_storage(name: StoreName, settings: Settings, advance: Advance) -> Iterator[Finding]:
    """Validate a storage, a repository, or an image in it. A blob is reported once, also if repositories share it."""
    if name.is_named:
        yield from check_in_storage(name, settings)
        return
    rules = PartitionRules(LineRules(pedantic=settings.pedantic), complete=settings.complete)
    tree, damaged = open_storage(name.path), set[str]()
    with closing(tree.files):
        for found in _reports(tree, name, settings, rules):
            if any(problem.rule == "STO-02" for problem in found.report.problems):
                if found.name in damaged:
                    continue
                damaged.add(found.name)
            yield Checked.of(found.name, found.report)
            advance(found.report.size)


def _reports(tree: StorageTree, name: StoreName, settings: Settings, rules: PartitionRules) -> Iterator[FileReport]:
    names, references, now = repositories_in(tree, name.repository), DigestSet(), time.time()
    if name.repository is not None or settings.jobs == 1:
        with_blobs = settings.blobs and name.repository is not None
        yield from repository_reports(tree, names, rules, references, with_blobs=with_blobs)
    else:
        failure: LayoutError | None = None
        check = partial(check_repositories, path=name.path, rules=rules)
        for done in map_in_processes(check, _groups(names), jobs=settings.jobs, name=name.path):
            references.update(done.references)
            yield from done.reports
            failure = failure or done.failure
        if failure is not None:  # what refers to blobs is not known completely
            raise failure
    if name.repository is None:
        yield from unreferenced(tree, references, now, rules)
        if settings.blobs:
            check_some = partial(check_blobs, path=name.path)
            for reports in map_in_processes(check_some, range(ALL_BLOBS), jobs=settings.jobs, name=name.path):
                yield from reports


def _groups(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    waiting = iter(names)
    while group := tuple(islice(waiting, _TOGETHER)):
        yield group
