"""`dreg validate --format parquet -o DIR`: validate partitions, write their reports, print one summary."""

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, cast

import click

from dreg_client.cli.error_messages import BAD_CONTENT, INVALID, error_message, exit_code_of_several, put_failure
from dreg_client.cli.interruption import reporting_interruption
from dreg_client.cli.logging import silence_dask
from dreg_client.cli.output import counted, put, put_error, visible
from dreg_client.cli.partition_options import ParquetOutput
from dreg_client.cli.partition_progress import PartitionProgress
from dreg_client.cli.standard_input import standard_input
from dreg_client.cli.summary_text import summary_lines
from dreg_client.cli.validate_files import check, is_of_registry
from dreg_client.cli.validate_output import Checked, Counted, FailedSource, Settings
from dreg_client.cli.validate_rows import partition_rules
from dreg_client.errors import ColumnError, DregError, FileError, MissingLibraryError, NotFoundError
from dreg_client.partitions.input.lines import rows_of_stream
from dreg_client.partitions.input.read import report_of
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.row import RowReport
from dreg_client.partitions.summary import Summary
from dreg_client.validation.report import Report
from dreg_client.values.registry_name import STORAGE, STORE_KINDS
from dreg_client.values.source_url import is_source_url, shown_source

if TYPE_CHECKING:
    from dreg_client.partitions.run.folder import Run
    from dreg_client.partitions.run.validate import PartitionReport
    from dreg_client.values.digest import Digest

_MOST_NAMED: Final = 20
_MOST_LOOKED_AT: Final = 1000
"""The number of partitions of a source among which a Parquet file is searched for."""


def validate_into(sources: tuple[str, ...], output: ParquetOutput, settings: Settings) -> int:
    """Validate sources, write their reports to a folder, print the summary; return the exit code."""
    from dreg_client.partitions.run.folder import open_run
    from dreg_client.partitions.run.results import results_of

    single = [source for source in sources if _is_single(source)]
    if output.scheduler is not None:
        _check_cluster(single)
        silence_dask()
    outcome, rules = _Outcome(output, settings), partition_rules(settings, output.keep)
    with reporting_interruption(outcome.interrupted):
        _check_columns([source for source in sources if not _is_single(source)], rules)
    with (
        reporting_interruption(outcome.interrupted),
        open_run(output.folder, rules, resume=output.resume) as run,
        PartitionProgress(quiet=settings.quiet) as progress,
    ):
        files = (source for source in sources if not _is_single(source))
        partitions = chain.from_iterable(outcome.found_in(source, run.rules) for source in files)
        with closing(results_of(run, partitions, scheduler=output.scheduler, jobs=settings.jobs)) as results:
            for found in results:
                outcome.add(found)
                progress.advance(found, outcome.summary)
        for source in single:
            outcome.add(_of_single(source, run, settings, outcome))
        if not outcome.has_unread:
            run.finish()
    return outcome.finish()


def _is_single(source: str) -> bool:
    """Return whether a source is read as a whole, not in partitions: a registry, a layout, or standard input."""
    if source.startswith(STORAGE):
        return False
    return source == "-" or source.startswith(STORE_KINDS) or is_of_registry(source)


def _check_cluster(single: list[str]) -> None:
    if single:
        reason = "only files and registry-storage: can be divided between workers; omit --scheduler"
        raise click.UsageError(f"--scheduler cannot be used with {single[0]}: {reason}")


def _check_columns(sources: list[str], rules: PartitionRules) -> None:
    """Check the columns of the first Parquet file, before anything is written.

    Files with other columns that come later are partitions that fail. So are files that cannot be read.
    """
    if (first := _first_parquet(sources, rules)) is None:
        return
    from dreg_client.partitions.input.parquet import check_columns

    try:
        check_columns(first, rules)
    except ColumnError as failure:
        raise click.UsageError(f"{shown_source(first.source)}: {failure}; nothing was written") from None
    except (FileError, NotFoundError):
        pass


def _first_parquet(sources: list[str], rules: PartitionRules) -> Partition | None:
    from dreg_client.partitions.input.discover import find_partitions

    for source in sources:
        with suppress(DregError, OSError):
            some = (
                []
                if source.startswith(STORAGE)
                else islice(find_partitions([_absolute(source)], rules), _MOST_LOOKED_AT)
            )
            if found := next((part for part in some if part.format == "parquet"), None):
                return found
    return None


def _of_single(source: str, run: "Run", settings: Settings, outcome: "_Outcome") -> "PartitionReport":
    """Validate a source as a whole, and write one report file."""
    from dreg_client.partitions.report.writing import write_reports

    partition = Partition(source, "json")  # without a version: it is always validated again
    run.note(partition)
    return write_reports(run, partition, _rows(source, run.rules, settings, outcome))


def _rows(source: str, rules: PartitionRules, settings: Settings, outcome: "_Outcome") -> Iterator[RowReport]:
    if source == "-" and (settings.lines or settings.field):
        for row in rows_of_stream(standard_input(), source):
            yield RowReport(source, row.number, report_of(row, rules))
        return
    first: Exception | None = None
    with closing(check(source, settings)) as findings:
        for finding in findings:
            match finding:
                case Checked():
                    digest, size = cast("Digest", finding.digest), cast("int", finding.size)  # None if not known
                    yield RowReport(finding.source, finding.line, Report(finding.kind, digest, size, finding.problems))
                case FailedSource():
                    first = first or finding.failure
                    outcome.fail(finding.source, finding.failure)
                case Counted():  # only of dumps
                    pass
    if first is not None:
        raise FileError(source, f"was not read completely: {error_message(first)}")  # the report file states it


class _Outcome:
    """What was validated, and what could not be read. Keeps only sums, and the first failures."""

    def __init__(self, output: ParquetOutput, settings: Settings) -> None:
        self.summary: Summary = Summary()
        self.has_unread: bool = False
        self._output, self._settings = output, settings
        self._done = self._kept = self._failed = self._partitions = 0
        self._named: list[tuple[str, str]] = []
        self._codes: set[int] = set()

    def found_in(self, source: str, rules: PartitionRules) -> Iterator[Partition]:
        """Yield the partitions of a source; note why it has none, or no more."""
        from dreg_client.partitions.input.discover import find_partitions

        source = _absolute(source)
        try:
            for partition in find_partitions([source], rules):
                self._partitions += 1
                yield partition
        except MissingLibraryError:
            raise
        except (DregError, OSError) as failure:
            self.fail(source, failure)

    def fail(self, source: str, failure: Exception) -> None:
        """Note a source that could not be read."""
        self.has_unread = True
        self._codes.add(put_failure(failure, as_json=False, source=source))

    def add(self, found: "PartitionReport") -> None:
        """Add the result of a partition; write why it was not read completely."""
        self._done += 1
        self._kept += found.was_done
        self.summary.merge(found.summary, found.partition.position)
        if found.failure is None:
            return
        name = found.partition.name
        reason = found.failure.removeprefix(f"{shown_source(found.partition.source)}: ")
        self._failed += 1
        if len(self._named) < _MOST_NAMED:
            self._named.append((name, reason))
        if not _is_single(found.partition.source):  # of those, each failure was written when it was found
            self._codes.add(BAD_CONTENT)
            put_error(f"dreg: {visible(name)}: {visible(reason)}")

    def interrupted(self) -> str:
        """Return what an interrupted run has done."""
        return f"{counted(self._done, 'partition')} done; the same command with --resume continues the run"

    def finish(self) -> int:
        """Write the summary; return the exit code."""
        if not self._settings.quiet:
            put(*summary_lines(self.summary, self._named, self._failed - len(self._named)))
            kept = f" ({self._kept:,} of an earlier run)" if self._kept else ""
            put(f"{counted(self._done, 'report file')}{kept} in {visible(shown_source(self._output.folder))}")
        if BAD_CONTENT in self._codes:
            return BAD_CONTENT
        if self.summary.invalid:
            return INVALID
        return exit_code_of_several(self._codes | {0} if self.summary.documents else self._codes)


def _absolute(source: str) -> str:
    """Return a path as an absolute one, as workers and later runs may have another working directory."""
    return source if is_source_url(source) or source.startswith(STORAGE) else os.path.abspath(source)  # noqa: PTH100 (keeps `**`)
