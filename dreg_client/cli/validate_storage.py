"""Validate the storage of a registry, or a repository in it, in several processes."""

from collections.abc import Iterator

from dreg_client.cli.progress import Advance
from dreg_client.cli.validate_output import Checked, FailedSource, Finding, Settings
from dreg_client.errors import LayoutError
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.storage.image import StoredImage
from dreg_client.partitions.storage.reports import StorageRun
from dreg_client.validation.dumps import LineRules
from dreg_client.values.source_url import shown_source
from dreg_client.values.store_name import StoreName, reference_of


def findings_in_storage(name: StoreName, settings: Settings, advance: Advance) -> Iterator[Finding]:
    """Validate a storage, a repository, or an image in it."""
    lines = LineRules(pedantic=settings.pedantic)
    rules = PartitionRules(lines, complete=settings.complete, blobs=settings.blobs)
    if name.is_named and name.repository is not None:
        image = StoredImage(name.path, name.repository, reference_of(name))
        yield from (Checked.of(found.name, found.report) for found in image.reports(rules))
        return
    run = StorageRun(name.path, name.repository, rules, settings.jobs)
    for found in run.reports():
        yield Checked.of(found.name, found.report, is_null=found.is_null)
        advance(found.report.size)
    try:
        run.check_searched()
    except LayoutError as failure:
        yield FailedSource(shown_source(str(name)), failure, is_read=True)
