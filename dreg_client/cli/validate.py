"""`dreg validate`: every source, every problem, one summary."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from dreg_client.cli.checking import Checked, Settings, check
from dreg_client.cli.exits import INVALID
from dreg_client.cli.reports import WRITERS

if TYPE_CHECKING:
    from dreg_client.cli.reports import Writer

KINDS: Final = (
    "descriptor",
    "oci-manifest",
    "docker-manifest",
    "oci-index",
    "docker-manifest-list",
    "image-config",
    "image-layout",
    "legacy-manifest",
)


@click.command("validate")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option("--kind", type=click.Choice(KINDS), help="What each document must be; else each says what it is.")
@click.option("--media-type", metavar="TYPE", help="What each document was served as.")
@click.option("--lines", is_flag=True, help="Sources are dumps, a document a line (*.jsonl and *.ndjson always are).")
@click.option("--field", metavar="NAME", default="", help="The member of each line that holds the document.")
@click.option("--media-type-field", metavar="NAME", default="", help="The member that says what it was served as.")
@click.option("--complete", is_flag=True, help="A blob that a layout lacks is an error, not a warning.")
@click.option("--pedantic", is_flag=True, help="Report notes, too: members that are not specified and the like.")
@click.option("--quiet", "-q", is_flag=True, help="Print errors only: no warnings, no notes, no summary.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), metavar="N", help="Processes for dumps, threads for blobs.")
@click.option(
    "--format",
    "output",
    type=click.Choice(list(WRITERS)),
    default="text",
    show_default=True,
    help="text for people; json: one document; jsonl: a document a line; github: annotations.",
)
def validate_command(sources: tuple[str, ...], output: str, quiet: bool, **options: object) -> int:  # noqa: FBT001
    """Check stored documents against the specification, without any server.

    SOURCE is a file with a document, a dump with a document a line, a folder (its *.json, *.jsonl and *.ndjson
    files, and layouts in it), - for standard input, or oci:PATH[:TAG], oci-archive:FILE for a whole layout: then each
    blob is checked against its digest and size, and documents against one another.

    Leaves with 0 when no document has an error, with 1 when one has.

    \b
    Examples:
      dreg validate manifest.json
      dreg validate --kind image-config config.json
      dreg validate fixtures/valid oci:fixtures/layouts/multi
      dreg validate --field manifest --jobs 4 dump.jsonl
    """
    settings = Settings(**{**options, "jobs": options["jobs"] or os.cpu_count() or 1})  # type: ignore[arg-type]
    writer = WRITERS[output](quiet)
    for found in _each(sources, settings):
        writer.write(found)
    writer.finish()
    return INVALID if writer.invalid else 0


def _each(sources: tuple[str, ...], settings: Settings) -> Iterator[Checked]:
    for source in sources:
        yield from check(source, settings)
