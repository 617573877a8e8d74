"""Validate the storage of a registry, or a repository in it, in several processes."""

from collections.abc import Iterator

from dreg_client.cli.progress import Advance
from dreg_client.cli.validate_output import Checked, Finding, Settings
from dreg_client.cli.validate_registries import check_in_storage
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.storage.reports import StorageRun
from dreg_client.validation.dumps import LineRules
from dreg_client.values.store_name import StoreName


def check_storage(name: StoreName, settings: Settings, advance: Advance) -> Iterator[Finding]:
    """Validate a storage, a repository, or an image in it."""
    if name.is_named:
        yield from check_in_storage(name, settings)
        return
    lines = LineRules(pedantic=settings.pedantic)
    rules = PartitionRules(lines, complete=settings.complete, blobs=settings.blobs)
    for found in StorageRun(name.path, name.repository, rules, settings.jobs).reports():
        yield Checked.of(found.name, found.report)
        advance(found.report.size)
