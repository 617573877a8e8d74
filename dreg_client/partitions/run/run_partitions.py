"""Run partitions: one after another, in several processes, or on a cluster."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import chain, islice
from typing import Final, TypeAlias

from dreg_client.partitions.input.kept import with_types
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.report.file import ReportWriter
from dreg_client.partitions.report.stated import ReportContent
from dreg_client.partitions.report_columns import report_columns
from dreg_client.partitions.run.run import Run, open_run
from dreg_client.partitions.run.validate import PartitionResult, validate_partition
from dreg_client.partitions.summary import Summary
from dreg_client.values.arguments import check_count, check_flag, check_instance, check_iterable

_PLAIN: Final = PartitionRules()
_Task: TypeAlias = Callable[[Partition], PartitionResult]
_Results: TypeAlias = Generator[PartitionResult | tuple[Partition, str], None, None]


def run_partitions(
    partitions: Iterable[Partition],
    folder: str,
    rules: PartitionRules = _PLAIN,
    *,
    scheduler: str | None = None,
    jobs: int | None = None,
    resume: bool = False,
    sources: Iterable[str] = (),
) -> Generator[PartitionResult, None, None]:
    """Validate partitions; write a report file for each of them. Yield the results as they come, in any order.

    Each document is in exactly one report file, also if processes were killed and the run was continued. Memory grows
    by 16 bytes with each partition. If the iterator is closed early, the work that was begun is ended; it is done again
    by the next run with `resume`.

    A partition that cannot be read, such as a damaged file or one without the column, raises no error: its result and
    its report file name the reason (`PartitionResult.failure`).

    Args:
        partitions: The partitions, such as those of `find_partitions`.
        folder: The path or URL of a folder, which is created if it does not exist. With a scheduler, all workers must
            share it.
        rules: How to find and validate the documents.
        scheduler: The address of a Dask scheduler, such as `tcp://HOST:8786`, or `local` to start one on this machine.
        jobs: The number of worker processes on this machine, at least 1; if None, this process does the work, and ends
            if pyarrow ends it on a damaged Parquet file.
        resume: Whether to continue the run of the folder. Report files of partitions that were not changed are kept.
            Those of the repositories and blobs of a storage are kept only if the run was interrupted; then they are
            kept even if they have changed since. All others are replaced, or deleted at the end: also those of
            partitions that are not given again.
        sources: What the partitions were found in, without credentials. A run can only be continued with the same.

    Returns:
        An iterator of results. All errors are raised by it.

    Raises:
        FileError: The folder is in use, is not empty (without `resume`), is that of a run over other sources or with
            other rules, or cannot be written; or, at the end, reports of the run are gone or were replaced.
        ColumnError: Columns are to be kept, and no Parquet file can be read, or the first one has no such columns.
        ClusterError: The cluster cannot be used or was lost, or another run has begun in the folder.
        WorkerKilledError: A worker process ended before it could begin.
        MissingLibraryError: A library is not installed.
        TypeError: An argument, or one of the partitions, has the wrong type.
        ValueError: `jobs` is less than 1.
        DregError: What `partitions` raises, such as the errors of `find_partitions`; also OSError.
    """
    _check(partitions, folder, rules, scheduler, sources)
    check_count("jobs", 1 if jobs is None else jobs)
    check_flag("resume", resume)
    each = map(_checked, partitions)
    first = [*islice(each, 1)]  # if it is wrong, nothing is written
    partitions, rules = with_types(chain(first, each), rules)
    with open_run(folder, rules, resume=resume, sources=sources) as run:
        yield from results_of(run, partitions, scheduler=scheduler, jobs=jobs)
        run.finish()


def _check(partitions: object, folder: object, rules: object, scheduler: object, sources: object) -> None:
    check_iterable("partitions", partitions)
    check_instance("folder", folder, str)
    check_instance("rules", rules, PartitionRules)
    check_instance("scheduler", "" if scheduler is None else scheduler, str)
    check_iterable("sources", sources)


def _checked(partition: Partition) -> Partition:
    check_instance("partitions", partition, Partition)
    return partition


def results_of(
    run: Run, partitions: Iterable[Partition], *, scheduler: str | None = None, jobs: int | None = None
) -> Generator[PartitionResult, None, None]:
    """Validate partitions in an open run; see `run_partitions`."""
    task = partial(validate_partition, folder=run.location, rules=run.rules, token=run.token)
    with closing(_results(map(run.versioned, partitions), task, scheduler, jobs)) as results:
        for found in results:
            result = found if isinstance(found, PartitionResult) else _give_up(run, *found)
            run.add(result)
            yield result


def _results(partitions: Iterator[Partition], task: _Task, scheduler: str | None, jobs: int | None) -> _Results:
    if scheduler is not None:
        from dreg_client.partitions.run.cluster import run_on_cluster  # noqa: PLC0415 (needs an extra)

        yield from run_on_cluster(partitions, task, scheduler=scheduler, jobs=jobs or 1)
    elif jobs is not None:
        from dreg_client.partitions.run.local import run_in_processes  # noqa: PLC0415 (imports multiprocessing)

        yield from run_in_processes(partitions, task, jobs=jobs)
    else:
        yield from map(task, partitions)


def _give_up(run: Run, partition: Partition, reason: str) -> PartitionResult:
    """Write a report without rows, which states why the partition was not read."""
    with run.folder.new_file(partition.report_name) as stream:
        content = ReportContent(partition, run.rules, run.token, Summary(), reason)
        ReportWriter(stream, report_columns(run.rules)).finish(content)
    return PartitionResult(partition, Summary(), reason, run_token=run.token)
