"""`dreg validate`: validate all sources, report every problem, print one summary."""

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from dreg_client.cli.arguments import formats_option
from dreg_client.cli.interruption import reporting_interruption
from dreg_client.cli.registry_options import registry_options
from dreg_client.cli.signals import signal_exit_code
from dreg_client.models.kinds import KIND_NAMES

if TYPE_CHECKING:
    from dreg_client.cli.validate_output import Settings


def _processors() -> int:
    """Return how many processors this process may use; in a container that may be fewer than the machine has."""
    known = getattr(os, "sched_getaffinity", None)
    return min(len(known(0)) if known else os.cpu_count() or 1, 256)


@click.command("validate")
@click.argument(
    "sources", metavar="SOURCE...", nargs=-1, required=True, type=click.Path(allow_dash=True, readable=False)
)
@click.option(
    "--kind",
    type=click.Choice(KIND_NAMES),
    metavar="KIND",
    help=f"What each file must be, where it does not say so itself: {', '.join(KIND_NAMES)}.",
)
@click.option("--media-type", metavar="TYPE", help="What each file was served as.")
@click.option("--lines", is_flag=True, help="Files are dumps, a document a line (*.jsonl and *.ndjson always are).")
@click.option(
    "--field", metavar="NAME", default="", help="Files are dumps; this member of each line holds the document."
)
@click.option("--media-type-field", metavar="NAME", default="", help="The member that says what it was served as.")
@click.option("--complete", is_flag=True, help="What is named and not there is an error, not a warning.")
@click.option("--pedantic", is_flag=True, help="Report notes, too: members that are not specified and the like.")
@click.option("--quiet", "-q", is_flag=True, help="Print errors only: no warnings, notes, summary or progress.")
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 256),
    default=_processors,
    metavar="N",
    help="Processes for dumps, threads for blobs; without it one for each processor.",
)
@click.option(
    "--resume",
    metavar="FILE",
    help="Of a registry: remember in this file what is done, and go on with it; it is gone when all is done.",
)
@registry_options
@formats_option(
    *("json", "jsonl", "github"),
    help="text for people; json: one document; jsonl: a document a line; github: annotations.",
)
def validate_command(sources: tuple[str, ...], output: str, **options: Any) -> int:  # noqa: ANN401 (as click hands them over)
    """Check documents against the specification: stored ones without any server, and those in a registry.

    \b
    SOURCE is one of
      a file with a document, or a dump with a document a line
      a folder: its files *.json, *.jsonl and *.ndjson, the layouts in it,
        and all folders below, but hidden ones
      - for standard input
      oci:PATH[:TAG] or oci-archive:FILE[:TAG]: every document and blob of a
        layout, by digest and size, and documents against one another
      REGISTRY/REPOSITORY[:TAG|@DIGEST]: every tag of a repository, or one;
        REGISTRY/ alone, or its URL: all repositories that its catalog has;
        manifests and configs are read, layers are looked for by --complete

    Exits with 5 if any source, or a part of one, is unreadable; else with 1 if any document has an error, or if some
    sources could not be read for other reasons; if that is so of all, with the code of the reason, such as 4 if none
    of them exists. The others are checked all the same.

    \b
    Examples:
      dreg validate fixtures/valid oci:fixtures/layouts/multi
      dreg validate --kind image-config fixtures/configs/*.json
      dreg validate --field manifest --media-type-field media_type \\
        --jobs 2 --format jsonl fixtures/dumps/registry.jsonl
      dreg manifest oci:fixtures/layouts/multi:1.4 | dreg validate -
      dreg validate localhost:5000/acme/web --resume web.progress
    """
    from dreg_client.cli.error_messages import BAD_CONTENT, INVALID, exit_code_of_several, put_failure
    from dreg_client.cli.validate_files import check
    from dreg_client.cli.validate_output import WRITERS, FailedSource, Settings

    settings = Settings(**options)
    if settings.media_type_field and not settings.field:
        raise click.UsageError("--media-type-field requires --field")
    writer, codes = WRITERS[output](quiet=settings.quiet), set[int]()
    with reporting_interruption(lambda: _outcome(writer.checked, settings)):
        for source in sources:
            with closing(check(source, settings)) as findings:
                for finding in findings:
                    if signal_exit_code():  # a worker process that a signal ended looks like a source that failed
                        raise SystemExit(signal_exit_code())
                    writer.write(finding)
                    if isinstance(finding, FailedSource):
                        codes.add(put_failure(finding.failure, as_json=output in {"json", "jsonl"}))
    writer.finish()
    if BAD_CONTENT in codes:
        return BAD_CONTENT
    if writer.has_errors:
        return INVALID
    return exit_code_of_several(codes | {0} if writer.checked else codes)


def _outcome(checked: int, settings: "Settings") -> str:
    """Return what an interrupted validation has done."""
    text = f"{checked} {'document was' if checked == 1 else 'documents were'} checked"
    return f"{text}; the same command continues from {settings.resume}" if settings.resume else text
