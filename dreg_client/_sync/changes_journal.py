# Generated from dreg_client/_async/changes_journal.py by tools/generate_sync.py. Do not edit.
"""The journal of tag changes: each change is on disk before its first request."""

import shlex
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dreg_client import errors
from dreg_client._sync._compat import new_lock, run_in_thread
from dreg_client.files.journal_file import JournalFile
from dreg_client.tagging.journal import (
    HEAD,
    EndLine,
    JournalRecord,
    StartLine,
    StepLine,
    first_line,
    plan_digest,
    text_of,
)

if TYPE_CHECKING:
    import os

    from dreg_client.tagging.plan import TagPlan


@dataclass(slots=True, eq=False)
class _Entry:
    """A line that is to be written."""

    text: bytes
    is_step: bool
    is_written: bool = False
    is_withdrawn: bool = False
    failure: errors.DregError | None = None


class Journal:
    """An open journal. Threads may share it: lines of several are synced to disk together.

    Args:
        file: The file.
        record: What it says.

    Attributes:
        record: What the file said when it was opened.
    """

    def __init__(self, file: JournalFile, record: JournalRecord) -> None:
        self.record = record
        self._file, self._lock = file, new_lock()
        self._numbers = iter(range(record.last + 1, 1 << 62))  # implemented in C, so no two threads get the same number
        self._queue: deque[_Entry] = deque()
        self._taken: list[_Entry] = []

    def next_number(self) -> int:
        """Return the number of a new step."""
        return next(self._numbers)

    def write(self, line: StartLine | StepLine | EndLine) -> None:
        """Append a line. A step is on disk when this returns.

        Raises:
            FileError: It was not written, for example because it is too long.
        """
        entry = _Entry(text_of([line]), isinstance(line, StepLine))
        self._file.check(entry.text)
        self._queue.append(entry)
        try:
            with self._lock:
                if not entry.is_written:
                    run_in_thread(self._write_queue)
        except BaseException:
            entry.is_withdrawn = True  # its change is not made
            raise
        if entry.failure is not None:
            raise entry.failure

    def _write_queue(self) -> None:
        """Append all lines that wait. Only the holder of the lock calls this.

        If this is interrupted, the lines stay in `_taken`, and the next thread writes them.
        """
        while self._queue:
            self._taken.append(self._queue.popleft())
        entries = [each for each in self._taken if not each.is_withdrawn]
        failure = self._append(entries)
        for entry in entries:
            entry.is_written, entry.failure = True, copy(failure)
        self._taken.clear()

    def _append(self, entries: Sequence[_Entry]) -> errors.DregError | None:
        try:
            self._file.append(b"".join(each.text for each in entries), synced=any(each.is_step for each in entries))
        except errors.FileError as failure:
            return failure
        return None


@contextmanager
def journal_of_plan(path: "str | os.PathLike[str]", plan: "TagPlan") -> Generator[Journal]:
    """Open the journal of a plan, or create it.

    Raises:
        ConfigError: It is the journal of another plan, is not a journal, or is in use.
        FileError: It cannot be read or written.
    """
    digest = plan_digest(plan)
    file, record = run_in_thread(_opened, path)
    try:
        if record.start is not None:
            _check_plan(file.name, record, digest)
        journal = Journal(file, record)
        if record.start is None:
            journal.write(first_line(plan))
        yield journal
    finally:
        file.close()


@contextmanager
def journal_to_resume(path: "str | os.PathLike[str]") -> Generator[tuple[Journal, "TagPlan"]]:
    """Open a journal that exists, whose changes were not undone; yield it and its plan.

    Raises:
        ConfigError: It is not a journal, its changes were undone, or it is in use.
        FileError: There is no such file, or it cannot be read.
    """
    with journal_to_undo(path) as journal:
        start = journal.record.start
        if start is None:  # journal_to_undo has checked it
            raise errors.ConfigError(f"the journal {path} is empty: nothing was changed")
        _check_not_undone(str(path), journal.record)
        yield journal, start.contents


@contextmanager
def journal_to_undo(path: "str | os.PathLike[str]") -> Generator[Journal]:
    """Open a journal that exists.

    Raises:
        ConfigError: It is not a journal, or is in use.
        FileError: There is no such file, or it cannot be read.
    """
    if not run_in_thread(Path(path).exists):
        raise errors.FileError(str(path), "does not exist; name the journal of `apply`")
    file, record = run_in_thread(_opened, path)
    try:
        if record.start is None:
            raise errors.ConfigError(f"the journal {file.name} is empty: nothing was changed")
        yield Journal(file, record)
    finally:
        file.close()


def _opened(path: "str | os.PathLike[str]") -> tuple[JournalFile, JournalRecord]:
    file, record = JournalFile(path), JournalRecord()
    try:
        for number, line in enumerate(file.lines(HEAD), 1):
            try:
                record.read(line)
            except ValueError as fault:
                what = f"the journal {file.name} is damaged in line {number}: {fault}"
                raise errors.ConfigError(f"{what}; it was not changed; name a new file") from None
    except BaseException:
        file.close()
        raise
    return file, record


def _check_plan(name: str, record: JournalRecord, digest: str) -> None:
    if record.start is not None and record.start.plan != digest:
        finish = f"to finish that plan, run: dreg apply {shlex.quote(name)} --yes (in Python: resume_plan)"
        what = f"the journal {name} belongs to another plan; it was not changed; name a new file"
        raise errors.ConfigError(f"{what}; {finish}")
    _check_not_undone(name, record)


def _check_not_undone(name: str, record: JournalRecord) -> None:
    if record.is_undone:
        raise errors.ConfigError(
            f"the changes of the journal {name} were undone; to apply the plan again, name a new file"
        )
