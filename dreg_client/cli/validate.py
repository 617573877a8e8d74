"""`dreg validate`: validate all sources, report every problem, print one summary."""

import os
from collections.abc import Generator
from contextlib import closing, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from dreg_client.cli.arguments import formats_option
from dreg_client.cli.command import Command
from dreg_client.cli.interruption import reporting_interruption
from dreg_client.cli.parsed_type import whole_number
from dreg_client.cli.partition_options import PARQUET, RESUMED, parquet_output, partition_options
from dreg_client.cli.registry_options import given_options, reads_stdin, registry_options
from dreg_client.cli.signals import DeferredSignals, signal_exit_code
from dreg_client.models.kinds import KIND_NAMES
from dreg_client.values.registry_name import STORAGE
from dreg_client.values.source_url import shown_source

if TYPE_CHECKING:
    from dreg_client.cli.validate_output import Settings, Writer


def _processors() -> int:
    """Return how many processors this process may use; in a container that may be fewer than the machine has."""
    known = getattr(os, "sched_getaffinity", None)
    return min(len(known(0)) if known else os.cpu_count() or 1, 256)


class _Validated(click.Path):
    """A file, a folder or the name of a store, which shells complete."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 (click calls it so)
        """Complete files, folders, kinds of stores, repositories and tags."""
        from dreg_client.cli.completed_names import files, store_names

        return files(incomplete) + store_names(ctx, incomplete)


@click.command("validate", cls=Command)
@click.argument("sources", metavar="SOURCE...", nargs=-1, type=_Validated(allow_dash=True, readable=False))
@click.option(
    "--kind",
    type=click.Choice(KIND_NAMES),
    metavar="KIND",
    help=f"Kind of the documents, for those that do not state it: {', '.join(KIND_NAMES)}.",
)
@click.option(
    "--media-type",
    metavar="TYPE",
    help="Content-Type header with which the documents were served, unless a column or member states it. A document "
    "that states another media type is invalid.",
)
@click.option("--lines", is_flag=True, help="Read one document from each line, as for *.jsonl and *.ndjson files.")
@click.option(
    "--field", metavar="NAME", default="", help="Read a JSON object from each line; this member holds the document."
)
@click.option(
    "--media-type-field",
    metavar="NAME",
    default="",
    help="Member of the object that holds the media type; requires --field.",
)
@click.option("--complete", is_flag=True, help="Report missing blobs and manifests as errors, not as warnings.")
@click.option("--blobs", is_flag=True, help="Read and verify all blobs; requires registry-storage:.")
@click.option("--pedantic", is_flag=True, help="Also report notes, such as members that no specification defines.")
@click.option("--quiet", "-q", is_flag=True, help="Print only errors: no warnings, notes, summary or progress.")
@click.option(
    "--jobs",
    "-j",
    type=whole_number(1, 256, example=4),
    default=_processors,
    metavar="N",
    help="Number of documents or blobs to check in parallel (default: the number of CPUs).",
)
@partition_options
@registry_options
@formats_option(
    *("json", "jsonl", "github", PARQUET),
    help="Output format (default: text). json is one document; jsonl is one object per line; github is annotations for "
    "GitHub Actions; parquet writes the report of each document to DIR and prints a summary.",
)
def validate_command(
    sources: tuple[str, ...],
    output: str,
    *,
    folder: str | None,
    scheduler: str | None,
    keep: tuple[str, ...],
    resume: str | None,
    **options: Any,  # noqa: ANN401 (as click hands them over)
) -> int:
    """Validate manifests, configs, layouts and repositories.

    Documents are checked against the OCI and Docker specifications. Each problem has the id of a rule, which
    `dreg rule ID` explains. Warnings do not make a document invalid.

    \b
    SOURCE is one of these:
      FILE         A document, or many of them: in the lines of *.jsonl and *.ndjson, or in the rows of *.parquet.
      FILE.tar     A tar archive of *.json, *.jsonl and *.ndjson files.
      FILE.gz      Any of these but Parquet, compressed; also *.zst, *.bz2, *.xz and *.tgz.
      DIRECTORY    All of these files, and all layouts, in it and its subdirectories.
      PATTERN      All files whose paths match, such as 'dumps/**/*.parquet'.
      URL          A file, directory or pattern on object storage, such as s3://bucket/dumps. Requires fsspec.
      -            Standard input.
      oci:PATH[:TAG], oci-archive:FILE[:TAG]
                   A layout: its documents, blobs and references.
      REGISTRY/REPOSITORY[:TAG|@DIGEST]
                   One image of a repository, or all its tags.
      REGISTRY/    All repositories in the catalog of a registry.
      registry-storage:PATH[/REPOSITORY[:TAG|@DIGEST]]
                   The storage of a registry, a repository, or an image.

    In a registry, manifests and configs are read, but layers are not. --complete checks that layers exist. In the
    storage of a registry, links, uploads and unreferenced blobs are also checked; --blobs reads all layers.

    --format parquet writes the report of each document, valid or not, to Parquet files in a folder, and prints a
    summary. Large inputs are divided into partitions, which are validated by processes of this machine (--jobs) or by a
    Dask cluster (--scheduler). `dreg report DIR` prints the summary again.

    \b
    Exit codes:
      0  No document has an error.
      1  A document has an error, or some of the sources could not be read.
      5  A source is corrupt or unsafe; this takes precedence over 1.

    If no source could be read, the exit code gives the reason, such as 4 for files that do not exist. An error in one
    source does not prevent the check of the others.

    \b
    Examples:
      dreg validate fixtures/valid oci:fixtures/layouts/multi
      dreg validate --kind image-config fixtures/configs/*.json
      dreg validate --format github fixtures/valid
      dreg validate --field manifest --media-type-field media_type \\
        --jobs 2 --format jsonl fixtures/dumps/registry.jsonl
      dreg manifest oci:fixtures/layouts/multi:1.4 | dreg validate -
      dreg validate localhost:5000/acme/web --resume web.progress
      dreg validate fixtures/dumps/manifests.jsonl --format parquet -o reports
    """
    from dreg_client.cli.validate_output import Settings

    sources, resume = _without_file(sources, resume) if output == PARQUET else (sources, resume)
    if not sources:
        raise click.UsageError("Missing argument 'SOURCE...'.")
    parquet = parquet_output(output, folder=folder, scheduler=scheduler, keep=keep, resume=resume)
    settings = Settings(**options, resume=None if parquet else resume)
    if settings.media_type_field and not settings.field:
        raise click.UsageError("--media-type-field requires --field")
    _check_sources(sources, settings)
    if parquet is not None:
        from dreg_client.cli.validate_partitions import validate_into

        return validate_into(sources, parquet, settings)
    return _validate(sources, output, settings)


def _without_file(sources: tuple[str, ...], resume: str | None) -> tuple[tuple[str, ...], str | None]:
    """Return the sources, and --resume without a FILE: with --format parquet, it has none, so click took a source."""
    return (sources, resume) if resume in {None, RESUMED} else ((str(resume), *sources), RESUMED)


def _validate(sources: tuple[str, ...], output: str, settings: "Settings") -> int:
    """Validate sources, write the findings; return the exit code."""
    from dreg_client.cli.error_messages import Failures, exit_code_of_sources
    from dreg_client.cli.validate_files import findings_in_source, is_of_registry
    from dreg_client.cli.validate_journal import open_journal
    from dreg_client.cli.validate_output import WRITERS, FailedSource

    failures = Failures(as_json=output in {"json", "jsonl"})
    writer, codes = WRITERS[output](quiet=settings.quiet), set[int]()
    # A signal waits until a piece of a JSON document is written; other formats may end anywhere.
    whole_pieces = DeferredSignals if output == "json" else nullcontext
    with (
        open_journal(filter(is_of_registry, sources), settings) as known,
        reporting_interruption(lambda: _outcome(writer.summary.documents, known)),
        _closing_output(writer),
    ):
        for source in sources:
            with closing(findings_in_source(source, known)) as findings:
                for finding in findings:
                    if signal_exit_code():  # a worker process that a signal ended looks like a source that failed
                        raise SystemExit(signal_exit_code())
                    with whole_pieces():
                        writer.write(finding)
                    if isinstance(finding, FailedSource):
                        codes.add(failures.put(finding.failure, finding.source))
        with whole_pieces():
            writer.finish()
    return exit_code_of_sources(codes, has_errors=writer.summary.has_errors, read_any=writer.summary.documents > 0)


def _check_sources(sources: tuple[str, ...], settings: "Settings") -> None:
    """Check what options require of the sources, before any of them is read."""
    from dreg_client.cli.validate_files import is_of_registry

    is_registry = any(map(is_of_registry, sources))
    reads_secret = is_registry and reads_stdin(click.get_current_context())
    if sources.count("-") + reads_secret > 1:
        raise click.UsageError("standard input can be read only once, as one SOURCE or for a secret")
    if settings.resume and not is_registry:
        raise click.UsageError("--resume requires a source in a registry: REGISTRY/REPOSITORY or REGISTRY/")
    others = [source for source in sources if not source.startswith(STORAGE)]
    if settings.blobs and others:
        reason = "it is for registry-storage: only (the blobs of a layout are always verified)"
        raise click.UsageError(f"--blobs cannot be used with {shown_source(others[0])}: {reason}")
    if is_registry:
        given_options()  # if options are not valid, no source is read, and the error is reported once


@contextmanager
def _closing_output(writer: "Writer") -> Generator[None, None, None]:
    """If a signal ends the command, complete the output, so that programs can read it."""
    try:
        yield
    finally:
        if signal_exit_code():
            with suppress(OSError):  # such as a closed pipe
                writer.interrupt()


def _outcome(checked: int, settings: "Settings") -> str:
    """Return what an interrupted validation has done."""
    text = f"{checked} {'document was' if checked == 1 else 'documents were'} checked"
    return f"{text}; the same command continues from {settings.resume}" if settings.resume else text
