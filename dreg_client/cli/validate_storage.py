"""Validate the storage of a registry, or a repository in it, in several processes."""

from collections.abc import Iterator

from dreg_client.cli.progress import Advance
from dreg_client.cli.validate_output import Checked, FailedSource, Finding, Settings
from dreg_client.cli.validate_registries import findings_in_stored_image
from dreg_client.errors import LayoutError
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.storage.reports import StorageRun
from dreg_client.validation.dumps import LineRules
from dreg_client.values.source_url import shown_source
from dreg_client.values.store_name import StoreName


def findings_in_storage(name: StoreName, settings: Settings, advance: Advance) -> Iterator[Finding]:
    """Validate a storage, a repository, or an image in it."""
    if name.is_named:
        yield from findings_in_stored_image(name, settings)
        return
    lines = LineRules(pedantic=settings.pedantic)
    rules = PartitionRules(lines, complete=settings.complete, blobs=settings.blobs)
    run = StorageRun(name.path, name.repository, rules, settings.jobs)
    for found in run.reports():
        yield Checked.of(found.name, found.report, is_null=found.is_null)
        advance(found.report.size)
    try:
        run.check_searched()
    except LayoutError as failure:
        yield FailedSource(shown_source(str(name)), failure, is_read=True)
