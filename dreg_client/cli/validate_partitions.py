"""`dreg validate --format parquet -o DIR`: validate partitions, write their reports, print one summary."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Final

import click

from dreg_client.cli.error_messages import BAD_CONTENT, error_message, exit_code_of_sources, put_failure
from dreg_client.cli.interruption import reporting_interruption
from dreg_client.cli.logging import silence_dask
from dreg_client.cli.output import counted, put, put_error, visible
from dreg_client.cli.partition_options import ParquetOutput
from dreg_client.cli.partition_progress import PartitionProgress
from dreg_client.cli.standard_input import standard_input
from dreg_client.cli.summary_text import summary_lines
from dreg_client.cli.validate_columns import checked_rules
from dreg_client.cli.validate_files import findings_in_source, is_of_registry
from dreg_client.cli.validate_output import Checked, Counted, FailedSource, Settings
from dreg_client.cli.validate_rows import as_usage, partition_rules
from dreg_client.errors import DregError, FileError, MissingLibraryError, UnsupportedError
from dreg_client.files.places import LeftOut, UnreadEntry
from dreg_client.files.store_kinds import OCI
from dreg_client.partitions.input.discover import layouts_reason, partitions_of
from dreg_client.partitions.input.lines import rows_of_stream
from dreg_client.partitions.input.read import report_of
from dreg_client.partitions.input.sources import TakenSources, absolute
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.row import RowReport
from dreg_client.partitions.summary import Summary
from dreg_client.values.registry_name import STORAGE, STORE_KINDS
from dreg_client.values.source_url import is_source_url, shown_source, without_password, without_passwords

if TYPE_CHECKING:
    from dreg_client.partitions.run.run import Run
    from dreg_client.partitions.run.validate import PartitionResult

_MOST_NAMED: Final = 20


def validate_into(sources: tuple[str, ...], output: ParquetOutput, settings: Settings) -> int:
    """Validate sources, write their reports to a folder, print the summary; return the exit code."""
    from dreg_client.partitions.run.run import open_run
    from dreg_client.partitions.run.run_partitions import results_of

    outcome, rules = _Outcome(output, settings), partition_rules(settings, output.keep)
    found = _Sources(sources, outcome.fail, has_cluster=output.scheduler is not None)
    if output.scheduler is not None:
        _check_cluster(found.single)
        silence_dask()
    with reporting_interruption(outcome.interrupted):
        rules = checked_rules(found.divided, rules)
    with (
        reporting_interruption(outcome.interrupted),
        open_run(output.folder, rules, resume=output.resume, sources=found.named()) as run,
        PartitionProgress(quiet=settings.quiet) as progress,
    ):
        partitions = found.partitions(run.rules)
        with closing(results_of(run, partitions, scheduler=output.scheduler, jobs=settings.jobs)) as results:
            for result in results:
                outcome.add(result)
                progress.advance(result, outcome.summary)
        for source in found.single:
            outcome.add(_validate_single(source, run, settings, outcome))
        outcome.end(run)
    return outcome.finish()


def _is_single(source: str) -> bool:
    """Return whether a source is read as a whole, not in partitions: a registry, a layout, or standard input."""
    if source.startswith(STORAGE):
        return False
    return source == "-" or source.startswith(STORE_KINDS) or is_of_registry(source)


def _check_cluster(single: list[str]) -> None:
    if single:
        reason = "only files and registry-storage: can be divided between workers; omit --scheduler"
        raise click.UsageError(f"--scheduler cannot be used with {shown_source(single[0])}: {reason}")


def _validate_single(source: str, run: "Run", settings: Settings, outcome: "_Outcome") -> "PartitionResult":
    """Validate a source as a whole, and write one report file."""
    from dreg_client.partitions.report.writing import write_reports

    partition = Partition(source, "json")  # without a version: it is always validated again
    return write_reports(run, partition, _rows(source, run.rules, settings, outcome))


def _rows(source: str, rules: PartitionRules, settings: Settings, outcome: "_Outcome") -> Iterator[RowReport]:
    if source == "-" and (settings.lines or settings.field):
        for row in rows_of_stream(standard_input(), source):
            yield RowReport.of(row, report_of(row, rules))
        return
    first: Exception | None = None
    with closing(findings_in_source(source, settings)) as findings:
        for finding in findings:
            match finding:
                case Checked():
                    yield finding.row_report()
                case FailedSource():
                    first = first or finding.failure
                    outcome.fail(finding.source, finding.failure)
                case Counted():  # only of dumps
                    pass
    if first is not None:  # the report file states it
        raise FileError(shown_source(source), f"was not read completely: {error_message(first)}")


class _Sources:
    """The sources of a run, each once, however it is spelled.

    Attributes:
        divided: The sources that are divided into partitions.
        single: The sources that are read as a whole. Layouts that are found in directories are added.
    """

    def __init__(self, sources: tuple[str, ...], fail: Callable[[str, Exception], None], *, has_cluster: bool) -> None:
        self.divided: list[str] = [source for source in sources if not _is_single(source)]
        single = dict[str, str]()
        for source in filter(_is_single, sources):
            single.setdefault(_spelled(source), source)
        self.single: list[str] = [*single.values()]
        self._sources, self._fail, self._has_cluster = sources, fail, has_cluster
        self._taken = TakenSources()

    def named(self) -> list[str]:
        """Return all sources as the folder of the run states them."""
        return [without_password(_spelled(source)) for source in self._sources]

    def partitions(self, rules: PartitionRules) -> Iterator[Partition]:
        """Yield the partitions of all sources; note why one has no partitions, or no more."""
        for source in map(absolute, self.divided):
            try:
                yield from partitions_of([source], rules, self._taken, on_left_out=self._leave_out)
            except MissingLibraryError:
                raise
            except (DregError, OSError) as failure:
                self._fail(source, as_usage(failure))

    def _leave_out(self, found: LeftOut) -> None:
        path = found.source
        if isinstance(found, UnreadEntry):
            self._fail(path, found.failure)
        elif is_source_url(path) or self._has_cluster:
            self._fail(path, UnsupportedError(layouts_reason(path)))
        elif (source := f"{OCI.name}:{path}") not in map(_spelled, self.single):
            self.single.append(source)


class _Outcome:
    """What was validated, and what could not be read. Keeps only sums, and the first failures."""

    def __init__(self, output: ParquetOutput, settings: Settings) -> None:
        self.summary: Summary = Summary()
        self.has_unread: bool = False
        self._output, self._settings = output, settings
        self._done = self._kept = self._failed = 0
        self._named: list[tuple[str, str]] = []
        self._codes: set[int] = set()

    def end(self, run: "Run") -> None:
        """End a run: as finished if all sources were read; as if it had not begun if there are no reports."""
        if not self.has_unread:
            run.finish()
        elif self._done:
            run.stop()
        else:
            run.leave_if_empty()

    def fail(self, source: str, failure: Exception) -> None:
        """Note a source that could not be read."""
        self.has_unread = True
        self._codes.add(put_failure(failure, as_json=False, source=source))

    def add(self, found: "PartitionResult") -> None:
        """Add the result of a partition; write why it was not read completely."""
        self._done += 1
        self._kept += found.was_done
        self.summary.merge(found.summary, found.partition.position)
        if found.failure is None:
            return
        name, source = found.partition.name, shown_source(found.partition.source)
        reason = without_passwords(found.failure)
        rest = reason.removeprefix(source)
        message = f"{name}{rest}" if rest != reason and rest[:1] in {":", " "} else f"{name}: {reason}"
        self._failed += 1
        if len(self._named) < _MOST_NAMED:
            self._named.append((name, message))
        if not _is_single(found.partition.source):  # of those, each failure was written when it was found
            self._codes.add(BAD_CONTENT)
            put_error(f"dreg: {visible(message)}")

    def interrupted(self) -> str:
        """Return what an interrupted run has done."""
        return f"{counted(self._done, 'partition')} done; the same command with --resume continues the run"

    def finish(self) -> int:
        """Write the summary; return the exit code."""
        if not self._settings.quiet:
            put(*summary_lines(self.summary, self._named, self._failed - len(self._named)))
            kept = f" ({self._kept:,} of an earlier run)" if self._kept else ""
            put(f"{counted(self._done, 'report file')}{kept} in {visible(shown_source(self._output.folder))}")
        read_any = self.summary.documents > 0
        return exit_code_of_sources(self._codes, has_errors=self.summary.has_errors, read_any=read_any)


def _spelled(source: str) -> str:
    """Return a source as a later run with another working directory would spell it."""
    if source == "-" or is_of_registry(source):
        return source
    if source.startswith(STORE_KINDS):
        kind, colon, path = source.partition(":")
        return f"{kind}{colon}{absolute(path)}"
    return absolute(source)
