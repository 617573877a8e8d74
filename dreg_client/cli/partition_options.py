"""The options of `dreg validate` for Parquet files, and for reports that are written to a folder."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click

from dreg_client.values.source_url import is_source_url, shown_source

F = TypeVar("F", bound=Callable[..., Any])

PARQUET: Final = "parquet"
_MEMORY: Final = "memory:"
RESUMED: Final = "-"
"""The value of --resume without a file."""
_OPTIONS: Final = (
    click.option(
        "--column",
        metavar="NAME",
        default="manifest",
        help="Column of Parquet files that contains the documents (default: manifest).",
    ),
    click.option("--media-type-column", metavar="NAME", default="", help="Column with the media types of documents."),
    click.option("--kind-column", metavar="NAME", default="", help="Column with the kinds of documents."),
    click.option(
        "--keep",
        metavar="NAME",
        multiple=True,
        help="Column of Parquet files to copy to the reports; can be repeated. In reports of other files, it is null. "
        "Requires --format parquet, and a Parquet file.",
    ),
    click.option(
        "-o",
        "--output",
        "folder",
        metavar="DIR",
        type=click.Path(readable=False),
        help="Folder or URL for the reports of --format parquet. It must be new or empty, unless --resume is given.",
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Validate on a Dask cluster: tcp://HOST:PORT or tls://HOST:PORT of its scheduler, or local to start one "
        "with --jobs workers. Requires --format parquet. All workers must share DIR and see the files.",
    ),
    click.option(
        "--resume",
        metavar="[FILE]",
        is_flag=False,
        flag_value=RESUMED,
        type=click.Path(readable=False),
        help="Continue after an interruption. With --format parquet, reports in DIR that are complete are kept. For a "
        "registry, the tags that were read are recorded in FILE. It must be new, or from an earlier run of the same "
        "command, and is deleted when all tags have been read.",
    ),
)


def partition_options(command: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class ParquetOutput:
    """Where and how to write reports.

    Attributes:
        folder: The path or URL of the folder.
        scheduler: The address of a Dask scheduler, or `local`; None for processes of this machine.
        keep: The columns to copy.
        resume: Whether to continue the run of the folder.
    """

    folder: str
    scheduler: str | None
    keep: tuple[str, ...]
    resume: bool


def parquet_output(
    output: str, *, folder: str | None, scheduler: str | None, keep: tuple[str, ...], resume: str | None
) -> ParquetOutput | None:
    """Return where to write reports; None for other formats. Check that the options fit one another."""
    if output == PARQUET:
        if folder is None:
            raise click.UsageError("--format parquet requires -o DIR")
        _check_folder(folder)
        return ParquetOutput(folder, scheduler, keep, resume is not None)
    given = {"-o": folder, "--scheduler": scheduler, "--keep": keep or None}
    if names := [name for name, value in given.items() if value is not None]:
        raise click.UsageError(f"{names[0]} requires --format parquet")
    if resume == RESUMED:
        raise click.UsageError("--resume requires a FILE, or --format parquet")
    return None


def _check_folder(folder: str) -> None:
    """Check that all processes of the run, and whoever reads the reports, can see the folder."""
    from dreg_client.partitions.report.folder import READ_ONLY, WRITABLE, is_local

    if is_local(folder):
        return
    shown, reason = shown_source(folder), READ_ONLY
    if is_source_url(folder):
        if not folder.startswith(_MEMORY):
            return
        reason = "is the memory of one process, which is lost at its end and which no other process sees"
    raise click.UsageError(f"-o {shown} {reason}; {WRITABLE}")
