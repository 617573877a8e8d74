"""Validate the rows of compressed and remote files, Parquet files, tar archives and pipes."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO, Final

import click

from dreg_client.cli.progress import Advance
from dreg_client.cli.validate_output import Checked, Counted, FailedSource, Finding, Settings
from dreg_client.errors import FileError, UnsupportedError
from dreg_client.files.compressed import MAGIC, compression_of
from dreg_client.files.lines import PARQUET_MAGIC
from dreg_client.files.places import Found, LeftOut, StoredFile, directory_of, is_pattern
from dreg_client.files.regular import open_regular
from dreg_client.partitions.input.discover import failures_of, is_mistaken, matching, partitions_in, partitions_of
from dreg_client.partitions.input.failures import naming_file
from dreg_client.partitions.input.formats import format_of
from dreg_client.partitions.input.lines import rows_of_stream
from dreg_client.partitions.input.read import report_of
from dreg_client.partitions.input.sources import TakenSources
from dreg_client.partitions.input.tars import rows_of_archive
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.row import RowReport
from dreg_client.partitions.run.chunks import chunk_reports
from dreg_client.validation.dumps import LineRules
from dreg_client.values.sizes import MEBIBYTE
from dreg_client.values.source_url import is_source_url, shown_source

_WHOLE: Final = sys.maxsize
"""The size at which files are divided: never, so that the lines of each are counted from its start."""
_SMALL: Final = MEBIBYTE // 4
"""The stored size of a file for each process: it is often ten times as large when it is decompressed."""


def is_read_as_partition(name: str) -> bool:
    """Return whether a file is not an uncompressed document or dump, by the ending of its name."""
    return format_of(name) not in {None, ("json", ""), ("json-lines", "")}


def shows_rows(start: bytes) -> bool:
    """Return whether a file is a Parquet file or compressed, by its first bytes."""
    return start.startswith(PARQUET_MAGIC) or compression_of(start) is not None


def check_plain(start: bytes) -> None:
    """Raise a usage error if standard input, with these first bytes, is a Parquet file, or is compressed."""
    if start.startswith(PARQUET_MAGIC):
        raise click.UsageError("standard input is a Parquet file, which is read from its end; name the file")
    if (compression := compression_of(start)) is not None:
        raise click.UsageError(f"standard input is compressed ({compression.name}); read its lines with --lines")


def partition_rules(settings: Settings, keep: tuple[str, ...] = ()) -> PartitionRules:
    """Return how the documents in files are found and validated."""
    lines = LineRules(
        field=settings.field,
        media_type_field=settings.media_type_field,
        kind=settings.kind,
        pedantic=settings.pedantic,
        media_type=settings.media_type or "",
    )
    return PartitionRules(
        lines=lines,
        column=settings.column,
        media_type_column=settings.media_type_column,
        kind_column=settings.kind_column,
        keep=keep,
        complete=settings.complete,
        blobs=settings.blobs,
        is_lines=settings.lines,
    )


def expanded(source: str) -> list[Found] | None:
    """Return what matches a pattern that the shell has not expanded; None for any other source."""
    if is_source_url(source) or not is_pattern(source) or os.path.lexists(source):
        return None
    with suppress(ValueError):  # such as a null byte
        return [*matching(source)] or None
    return None


def findings_in_path_or_url(source: str, settings: Settings, advance: Advance) -> Iterator[Finding]:
    """Validate the files at a path or URL: a file, a folder, or those that match a pattern."""
    left: list[LeftOut] = []
    rules, taken = partition_rules(settings), TakenSources()
    partitions = partitions_of([source], rules, taken, size=_WHOLE, on_left_out=left.append)
    yield from _findings_in_partitions(partitions, shown_source(source), settings, advance, jobs=settings.jobs)
    yield from (FailedSource(shown_source(name), failure) for name, failure in failures_of(left))


def as_usage(failure: Exception) -> Exception:
    """Return the error of a folder without documents, or of a storage, as one of usage, as it is for all formats."""
    return click.UsageError(str(failure)) if is_mistaken(failure) else failure


def findings_in_files(files: list[StoredFile], name: str, settings: Settings, advance: Advance) -> Iterator[Finding]:
    """Validate files that were found in a folder and that are not uncompressed documents or dumps."""
    if files:
        left: list[LeftOut] = []
        jobs = min(settings.jobs, sum(file.size for file in files) // _SMALL + 1)
        found = ((file, directory_of(file.source)) for file in files)
        partitions = partitions_in(found, partition_rules(settings), left.append, size=_WHOLE)
        yield from _findings_in_partitions(partitions, name, settings, advance, jobs=jobs)
        yield from (FailedSource(source, failure) for source, failure in failures_of(left))


def findings_in_file(path: str, size: int, settings: Settings, advance: Advance) -> Iterator[Finding]:
    """Validate a regular file; with `--lines` or `--field`, it is one of JSON Lines unless its name says otherwise."""
    form, compression = format_of(path) or ("json", "")
    if form == "json" and (settings.lines or settings.field):
        form = "json-lines"
    partition = Partition(path, form, compression, size=size)
    jobs = min(settings.jobs, size // _SMALL + 1)
    yield from _findings_in_partitions([partition], path, settings, advance, jobs=jobs)


def is_compressed(path: str) -> bool:
    """Return whether a file is compressed, by its first bytes."""
    with open_regular(path) as file:
        return compression_of(file.read(MAGIC)) is not None


def findings_in_stream(source: str, file: BinaryIO, settings: Settings) -> Iterator[Finding]:
    """Validate the lines of a stream, or the members of a tar archive if it is named like one, as they arrive."""
    rules = partition_rules(settings)
    form, compression = format_of(source) or ("json-lines", "")
    if form == "parquet":
        raise FileError(source, "is not a regular file; Parquet is read from its end, so save the stream to a file")
    rows_of = rows_of_archive if form == "tar" else rows_of_stream
    with naming_file(source):
        for row in rows_of(file, source, compression):
            found = RowReport.of(row, report_of(row, rules))
            report = found.report
            yield _finding(found) if report.problems else Counted(1, report.size, {report.kind or "": 1})


def _findings_in_partitions(
    partitions: Iterable[Partition], name: str, settings: Settings, advance: Advance, *, jobs: int
) -> Iterator[Finding]:
    shown = 0  # the bytes of the partition that the progress bar shows already
    for chunk, result in chunk_reports(partitions, partition_rules(settings), jobs=jobs, name=name):
        yield from map(_finding, result.reports)
        yield Counted.of_others(result.size, result.kinds, result.reports)
        read = max(chunk.read if chunk.end is None else chunk.end.partition.size, shown)
        advance(read - shown)
        shown = read if chunk.end is None else 0
        if chunk.end is not None and chunk.end.failure is not None:
            failure: Exception = chunk.end.failure
            if isinstance(failure, UnsupportedError):  # another way to name the source is needed
                failure = click.UsageError(str(failure))
            yield FailedSource(chunk.end.partition.name, failure)


def _finding(found: RowReport) -> Checked:
    return Checked.of(found.source, found.report, found.line, is_null=found.is_null)
