"""The command `dreg gc`: delete what a layout does not need."""

from typing import TYPE_CHECKING

import click

from dreg_client.cli.arguments import format_option, layout_argument
from dreg_client.cli.command import Command
from dreg_client.cli.output import decodable, put_result, visible

if TYPE_CHECKING:
    from dreg_client.files.layout_gc import GCResult
    from dreg_client.values.store_name import StoreName


@click.command("gc", cls=Command)
@layout_argument
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing.")
@format_option
def gc_command(source: "StoreName", dry_run: bool, output: str) -> None:
    """Delete the blobs of a layout that no image needs.

    When an image is deleted or loses its last tag, or when a copy is killed, its blobs stay in the layout until this
    command deletes them. Run it with --dry-run first. Prints the digest of each deleted blob, then their number and
    size.

    Other programs that use dreg-client wait while this command runs, and it waits up to 30 seconds for those that are
    writing the layout. Other tools do not lock layouts: do not run them at the same time.

    JSON output is an object with blobs, referrers, temporaryFiles, size and dryRun.

    \b
    Exit codes:
      5  A manifest of the layout is damaged, or another process is still writing the layout. Nothing was deleted.

    \b
    Examples:
      dreg gc oci:build/web --dry-run
      dreg gc oci:build/web --format json
    """
    from dreg_client.cli.stores import opened_writable
    from dreg_client.values.store_name import reference_of

    if source.kind != "oci" or reference_of(source):
        raise click.UsageError("expected a layout, without a tag or digest: oci:PATH")
    with opened_writable(source) as store:
        from dreg_client._sync.layout import Layout

        assert isinstance(store, Layout)  # noqa: S101 (checked above)
        found = store.gc(dry_run=dry_run)
    put_result(output, _as_json(found), [*found.blobs, *map(visible, found.temporary_files), _summary(found)])


def _summary(found: "GCResult") -> str:
    from dreg_client.values.sizes import byte_size

    number = len(found.blobs) + len(found.temporary_files)
    verb = "would be deleted" if found.dry_run else "deleted"
    return f"{number} {'file' if number == 1 else 'files'}, {byte_size(found.bytes)} {verb}"


def _as_json(found: "GCResult") -> dict[str, object]:
    return {
        "blobs": list(found.blobs),
        "referrers": [entry.digest for entry in found.referrers],
        "temporaryFiles": list(map(decodable, found.temporary_files)),
        "size": found.bytes,
        "dryRun": found.dry_run,
    }
