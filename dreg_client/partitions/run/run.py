"""A run: the validation of partitions into one folder, which can be continued after an interruption."""

import platform
import secrets
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final, cast

from dreg_client import __version__
from dreg_client._logging import log
from dreg_client.errors import ClusterError, ColumnError, DregError, FileError
from dreg_client.files.at_once import map_at_once
from dreg_client.partitions.part import UnreferencedBlobs
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.report.file import read_stated
from dreg_client.partitions.report.folder import IN_USE, ReportFolder, folder_at, is_local
from dreg_client.partitions.report.marks import RunReports
from dreg_client.partitions.report.stated import plain_rules
from dreg_client.partitions.report_columns import report_columns
from dreg_client.partitions.report_names import RUN_FILE, is_report_name
from dreg_client.partitions.run.state import (
    create_state,
    other_rules,
    read_state,
    shown_sources,
    stated_sources,
    write_state,
)
from dreg_client.partitions.run.validate import PartitionResult
from dreg_client.values.source_url import local_path

_SHARE: Final = "use a folder that all workers share, such as one on NFS at the same path, or an s3:// URL"


class _Kind(Enum):
    """What a file in the folder of a run is."""

    OWN = auto()
    """A report of this run."""
    EARLIER = auto()
    """A report of an earlier run, of a partition that this run does not have."""
    OTHER = auto()
    """Another file, a report that another run has replaced, or one that is gone."""


class Run:
    """A run over partitions.

    Attributes:
        location: The absolute path or the URL of the folder.
        folder: The folder of the report files.
        rules: How the documents are validated.
        token: A random text in the folder's run file, by which workers recognise it.
        begun: The token of the first run that this one continues; its own if the one before has ended.
    """

    def __init__(
        self,
        location: str,
        folder: ReportFolder,
        rules: PartitionRules,
        sources: Iterable[str] = (),
        *,
        begun: str = "",
    ) -> None:
        self.location: str = location
        self.folder = folder
        self.rules: PartitionRules = rules
        self.token: str = secrets.token_hex(16)
        self.begun: str = begun or self.token
        self._stated = {
            "dreg": __version__,
            "rules": plain_rules(rules),
            "token": self.token,
            **stated_sources(sources),
        }
        self._reports = RunReports()
        self._is_continued = False

    def begin(self, *, is_new: bool) -> None:
        """State in the folder that the run has begun. Workers of an earlier run notice that.

        Args:
            is_new: Whether the folder was empty. If another run has begun since, FileError is raised.
        """
        self._is_continued = not is_new
        if not is_new:
            write_state(self.folder, self._begun())
        elif not create_state(self.folder, self._begun()):
            raise FileError(self.folder.name, IN_USE)

    def _begun(self) -> dict[str, Any]:
        return {**self._stated, "begun": self.begun, "complete": False}

    def versioned(self, partition: Partition) -> Partition:
        """Return a partition of a registry's storage with a version, so that an interrupted run does not do it again.

        Finding out whether a storage was changed takes as long as reading it. What depends on all of it is done again.
        """
        if partition.format != "registry-storage":
            return partition
        depends_on_all = isinstance(partition.part, UnreferencedBlobs)
        return partition if depends_on_all else replace(partition, version=self.begun)

    def add(self, result: PartitionResult) -> None:
        """Note the result for a partition, whose report file is in the folder."""
        self._reports.add(result.partition.report_name, result.run_token)

    def leave_if_empty(self) -> None:
        """Delete the run file if there are no reports, so that another run can begin in the folder."""
        self.folder.remove_parts()
        with suppress(DregError):
            if set(self.folder.names()) == {RUN_FILE}:
                check_token(self.folder, self.token)
                self.folder.remove(RUN_FILE)

    def stop(self) -> None:
        """State that what could be found is done, but that the run is not complete: not all sources could be read.

        The next run reads storages again, as after `finish`.

        Raises:
            ClusterError: Another run has begun in the folder; nothing is changed.
            FileError: The folder cannot be read or written.
        """
        check_token(self.folder, self.token)
        write_state(self.folder, {**self._stated, "complete": False})

    def finish(self) -> None:
        """Delete the reports of earlier runs that are not of this one, and state that the run is complete.

        Their documents are in other reports, or are gone. Call it once all partitions are done.

        Raises:
            ClusterError: Another run has begun in the folder; nothing is changed.
            FileError: A report is gone, or a worker of an earlier run has replaced it; or the folder cannot be read or
                written.
        """
        check_token(self.folder, self.token)
        wanted = len(self._reports)
        if (left := self._left()) < wanted:
            # NFS may list a directory as it was before another machine added files, until this one changes it.
            write_state(self.folder, self._begun())
            left = self._left()
        if left < wanted:
            what = f"{wanted - left:,} of the {wanted:,} reports of this run are gone, or another run has replaced them"
            raise FileError(self.folder.name, f"{what}; continue it with --resume (in Python, resume=True)")
        write_state(self.folder, {**self._stated, "complete": True, **self._reports.digest().plain()})

    def _left(self) -> int:
        """Delete the reports that are not of this run; return how many of its own there are."""
        names = filter(is_report_name, self.folder.names())
        reports = 0
        for name, kind in map_at_once(self._kind_of, names, self.folder.at_once):
            reports += kind is _Kind.OWN
            if kind is _Kind.EARLIER:
                self.folder.remove(name)
                log.info("%s/%s: deleted, because its documents have moved or are gone", self.folder.name, name)
        return reports

    def _kind_of(self, name: str) -> tuple[str, "_Kind"]:
        """Return the name of a file, and what it is. In a new folder, names suffice."""
        has_name = self._reports.has_name(name)
        if has_name and not self._is_continued:
            return name, _Kind.OWN
        if (stream := self.folder.open(name)) is None:
            return name, _Kind.OTHER
        with stream:
            stated = read_stated(stream)
        if has_name:
            return name, _Kind.OWN if stated and self._reports.has(name, stated.run_token) else _Kind.OTHER
        return name, _Kind.EARLIER if stated and stated.name == name else _Kind.OTHER


@contextmanager
def open_run(
    location: str, rules: PartitionRules, *, resume: bool, sources: Iterable[str] = ()
) -> Generator[Run, None, None]:
    """Begin a run in a folder, or continue one.

    Args:
        location: The path or URL of the folder. It is created if it does not exist.
        rules: How the documents are validated.
        resume: Whether the folder may have the reports of an earlier run.
        sources: The sources, without credentials, spelled as `absolute` does; empty if they are unknown.

    Raises:
        FileError: The folder cannot be used: it is not empty, is in use, cannot be written, or is that of a run over
            other sources or with other rules.
        ColumnError: Columns are to be kept, but their types are not known.
    """
    if is_local(location):
        location = str(Path(local_path(location)).absolute())  # a worker may have another working directory
    folder = folder_at(location)
    if rules.keep:
        rules = _with_kept_schema(folder, rules)
    folder.create()
    named = tuple(sources)
    if read_state(folder) is None:  # no lock file is created in the folder of something else
        _check(folder, rules, named, resume=resume)
    with folder.lock():
        stated = _check(folder, rules, named, resume=resume)
        begun = stated.get("begun")
        folder.remove_parts()
        run = Run(location, folder, rules, named, begun=begun if isinstance(begun, str) else "")
        run.begin(is_new=not stated)
        try:
            yield run
        except BaseException:
            run.leave_if_empty()
            raise
        finally:
            folder.remove_parts()


def _with_kept_schema(folder: ReportFolder, rules: PartitionRules) -> PartitionRules:
    """Return rules with the types that the kept columns have in the reports of the run that is continued, if any.

    The file that had them may have changed.
    """
    stated = (read_state(folder) or {}).get("rules")
    found = cast("dict[str, Any]", stated).get("kept_schema") if isinstance(stated, dict) else None
    if isinstance(found, str) and found:
        earlier = replace(rules, kept_schema=found)
        with suppress(ValueError):  # of a run that kept other columns
            report_columns(earlier)
            return earlier
    if not rules.kept_schema:
        reason = "cannot be kept: no source is a Parquet file that can be read; validate the sources without --keep"
        raise ColumnError(rules.keep[0], reason)
    return rules


def _check(folder: ReportFolder, rules: PartitionRules, sources: tuple[str, ...], *, resume: bool) -> dict[str, Any]:
    """Return what an earlier run that is continued has stated; raise an error unless there is one, or no file."""
    if next(folder.names(), None) is None:
        return {}
    if not resume:
        raise FileError(folder.name, "is not empty; name a new folder, or continue its run with resume=True")
    if (stated := read_state(folder)) is None:
        raise FileError(folder.name, f"is not the folder of an earlier run: it has no valid {RUN_FILE}")
    digest = stated_sources(sources).get("sourcesDigest")
    if digest is not None and stated.get("sourcesDigest", digest) != digest:
        advice = "name the same sources (quote patterns, so that new files match, too), or a new folder"
        raise FileError(folder.name, f"is the folder of a run over other sources: {shown_sources(stated)}; {advice}")
    # The rules of another version may have other members; its partitions are done again.
    if stated.get("dreg") == __version__ and (others := other_rules(stated, plain_rules(rules))):
        advice = "use the same options, or a new folder"
        raise FileError(folder.name, f"is the folder of a run with other options: {others}; {advice}")
    return stated


def check_token(folder: ReportFolder, token: str) -> None:
    """Check that this process sees the folder of its run.

    Raises:
        ClusterError: It does not, or another run has begun in the folder.
    """
    try:
        stated: dict[str, Any] | None = read_state(folder)
    except FileError as failure:
        raise _not_shared(str(failure)) from None
    if stated is None:
        raise _not_shared(f"{folder.name} has no {RUN_FILE} there")
    if stated["token"] != token:
        reason = f"{folder.name} is the folder of another run there"
        why = f"either it has continued this run, or the worker does not see the folder of this run; {_SHARE}"
        raise ClusterError(platform.node(), f"{reason}: {why}")


def _not_shared(reason: str) -> ClusterError:
    return ClusterError(platform.node(), f"the worker does not see the folder of the run: {reason}; {_SHARE}")
