"""`dreg validate --format parquet -o DIR`: validate partitions, write their reports, print one summary."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import chain
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
from dreg_client.cli.validate_columns import checked_rules
from dreg_client.cli.validate_files import check, is_of_registry
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
from dreg_client.validation.report import NO_BYTES, Report
from dreg_client.values.digest import Digest
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

    spelled = {_spelled(source): source for source in reversed(sources)}  # each once, in any spelling
    single = [source for source in sources if _is_single(source) and spelled.pop(_spelled(source), None) is not None]
    if output.scheduler is not None:
        _check_cluster(single)
        silence_dask()
    outcome, rules = _Outcome(output, settings), partition_rules(settings, output.keep)
    files = [source for source in sources if not _is_single(source)]
    named = [without_password(_spelled(source)) for source in sources]
    with reporting_interruption(outcome.interrupted):
        rules = checked_rules(files, rules)
    with (
        reporting_interruption(outcome.interrupted),
        open_run(output.folder, rules, resume=output.resume, sources=named) as run,
        PartitionProgress(quiet=settings.quiet) as progress,
    ):
        partitions = chain.from_iterable(outcome.found_in(source, run.rules, single) for source in files)
        with closing(results_of(run, partitions, scheduler=output.scheduler, jobs=settings.jobs)) as results:
            for found in results:
                outcome.add(found)
                progress.advance(found, outcome.summary)
        for source in single:
            outcome.add(_of_single(source, run, settings, outcome))
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


def _of_single(source: str, run: "Run", settings: Settings, outcome: "_Outcome") -> "PartitionResult":
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
    with closing(check(source, settings)) as findings:
        for finding in findings:
            match finding:
                case Checked():
                    yield _row(finding)
                case FailedSource():
                    first = first or finding.failure
                    outcome.fail(finding.source, finding.failure)
                case Counted():  # only of dumps
                    pass
    if first is not None:  # the report file states it
        raise FileError(shown_source(source), f"was not read completely: {error_message(first)}")


def _row(found: Checked) -> RowReport:
    digest = NO_BYTES if found.digest is None else cast("Digest", found.digest)
    report = Report(found.kind, digest, found.size or 0, found.problems)
    return RowReport(found.source, found.line, report, is_null=found.digest is None)


class _Outcome:
    """What was validated, and what could not be read. Keeps only sums, and the first failures."""

    def __init__(self, output: ParquetOutput, settings: Settings) -> None:
        self.summary: Summary = Summary()
        self.has_unread: bool = False
        self._output, self._settings = output, settings
        self._done = self._kept = self._failed = 0
        self._named: list[tuple[str, str]] = []
        self._codes: set[int] = set()
        self._taken = TakenSources()

    def found_in(self, source: str, rules: PartitionRules, single: list[str]) -> Iterator[Partition]:
        """Yield the partitions of a source, and add layouts to `single`; note why it has no partitions, or no more."""
        source, on_left_out = absolute(source), partial(self._leave_out, single)
        try:
            yield from partitions_of([source], rules, self._taken, on_left_out=on_left_out)
        except MissingLibraryError:
            raise
        except (DregError, OSError) as failure:
            self.fail(source, as_usage(failure))

    def _leave_out(self, single: list[str], found: LeftOut) -> None:
        path = found.source
        if isinstance(found, UnreadEntry):
            self.fail(path, found.failure)
        elif is_source_url(path) or self._output.scheduler is not None:
            self.fail(path, UnsupportedError(layouts_reason(path)))
        elif (source := f"{OCI.name}:{path}") not in map(_spelled, single):
            single.append(source)

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
        if BAD_CONTENT in self._codes:
            return BAD_CONTENT
        if self.summary.has_errors:
            return INVALID
        return exit_code_of_several(self._codes | {0} if self.summary.documents else self._codes)


def _spelled(source: str) -> str:
    """Return a source as a later run with another working directory would spell it."""
    if source == "-" or is_of_registry(source):
        return source
    if source.startswith(STORE_KINDS):
        kind, colon, path = source.partition(":")
        return f"{kind}{colon}{absolute(path)}"
    return absolute(source)
