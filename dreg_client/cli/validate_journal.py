"""`dreg validate --resume FILE`: a journal of the images that are validated already."""

import json
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, Final, cast

import click

from dreg_client import __version__
from dreg_client.cli.validate_output import Checked, Settings
from dreg_client.errors import FileError
from dreg_client.errors.problems import Problem, Severity
from dreg_client.files.own_file import ForeignFileError, is_at, open_own
from dreg_client.values.digest import Digest

_HEADER: Final = b'{"journal": "dreg validate --resume", "version": 1}\n'
_NAMES: Final = ("source", "kind", "digest", "size")
_TEXTS: Final = ("rule", "path", "found", "expected", "clause")


class Journal:
    """A file with a line of JSON for each image that is done, after a first line that says what the file is.

    A result counts only for the same repository, digest, options and version of dreg: a tag may have been moved.
    The file is locked while it is open. Threads may share a journal.

    Attributes:
        unfinished: The number of sources that are not yet validated, or were not read completely.
    """

    def __init__(self, path: str, *, complete: bool, pedantic: bool) -> None:
        self.unfinished: int = 0
        self._path = Path(path)
        self._options = {"complete": complete, "pedantic": pedantic, "dreg": __version__}
        self._done: dict[tuple[str, str], list[Checked]] = {}
        self._lock = Lock()
        self._file = self._opened()
        try:
            self._read()
        except BaseException:
            os.close(self._file)
            raise

    def _opened(self) -> int:
        try:
            return open_own(self._path)
        except ForeignFileError as fault:
            raise self._rejected(f"{fault}; it was not changed; name a new file") from None
        except BlockingIOError:
            raise self._rejected("is in use by another dreg validate; wait for it, or name another file") from None
        except (OSError, ValueError) as failure:
            reason = getattr(failure, "strerror", None) or str(failure)
            raise self._rejected(f"cannot be opened for reading and writing: {reason}; name another file") from None

    def _rejected(self, reason: str) -> click.UsageError:
        return click.UsageError(f"--resume {self._path}: the file {reason}")

    def _read(self) -> None:
        """Read all results. A line without an end was left by an interruption, and is removed."""
        size = 0
        with open(self._file, "rb", closefd=False) as lines:
            header = lines.readline(len(_HEADER))
            if header not in {b"", _HEADER}:
                raise self._rejected("is not a journal of dreg validate; it was not changed; name a new file")
            for number, line in enumerate(lines, 2):
                if not line.endswith(b"\n"):
                    break
                self._take(line, number)
                size += len(line)
        if not header:
            self._append(_HEADER)
        else:
            os.ftruncate(self._file, len(_HEADER) + size)

    def _take(self, line: bytes, number: int) -> None:
        try:
            repository, options, findings = _parsed(line)
        except (ValueError, KeyError, TypeError, RecursionError):
            reason = f"is damaged in line {number}; delete it to validate everything again, or name another file"
            raise self._rejected(reason) from None
        if options == self._options:
            self._done[repository, str(findings[0].digest)] = findings

    def has_any(self, repository: str) -> bool:
        """Return whether any image of a repository is done."""
        with self._lock:
            return any(done == repository for done, _ in self._done)

    def findings(self, repository: str, digest: str) -> list[Checked] | None:
        """Return the findings of an image and everything below it; None if it is not done."""
        return self._done.get((repository, digest))

    def add(self, repository: str, findings: list[Checked]) -> None:
        """Record the findings of an image and everything below it; the first one is of the image itself.

        Raises:
            FileError: The file cannot be written. What was written of the line is removed.
        """
        digest = findings[0].digest
        if digest is None:
            return
        plain = [
            {**{name: getattr(found, name) for name in _NAMES}, "problems": [it.plain() for it in found.problems]}
            for found in findings
        ]
        entry = {"repository": repository, "options": self._options, "findings": plain}
        with self._lock:
            self._append(json.dumps(entry).encode() + b"\n")
            self._done[repository, str(digest)] = findings

    def _append(self, line: bytes) -> None:
        end = os.lseek(self._file, 0, os.SEEK_END)
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as failure:
            with suppress(OSError):
                os.ftruncate(self._file, end)
            raise FileError(str(self._path), f"cannot be written: {failure.strerror}") from failure

    def close(self) -> None:
        """Close the file; delete it if all sources are done."""
        with suppress(OSError):
            if not self.unfinished and is_at(self._path, self._file):
                self._path.unlink()
        with self._lock:  # a thread may still be validating; its result must not go to another file of this number
            file, self._file = self._file, -1
        os.close(file)


@contextmanager
def open_journal(sources: Iterable[str], settings: Settings) -> Generator[Settings, None, None]:
    """Yield the settings with the journal, if a file is named and there are sources for it; close it afterwards."""
    count = sum(1 for _ in sources)
    if settings.resume is None or not count:
        yield settings
        return
    journal = Journal(settings.resume, complete=settings.complete, pedantic=settings.pedantic)
    journal.unfinished = count
    try:
        yield replace(settings, journal=journal)
    finally:
        journal.close()


def _parsed(line: bytes) -> tuple[str, dict[str, Any], list[Checked]]:
    """Return the repository, the options and the findings of a line."""
    entry = _object(json.loads(line))
    findings = [_finding(found) for found in cast("list[Any]", entry["findings"])]
    if not findings:
        raise ValueError
    Digest(_text(findings[0].digest))
    return _text(entry["repository"]), _object(entry["options"]), findings


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return cast("dict[str, Any]", value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _finding(value: object) -> Checked:
    entry = _object(value)
    kind, digest, size = entry["kind"], entry["digest"], entry["size"]
    if not (isinstance(kind, str | None) and isinstance(digest, str | None) and isinstance(size, int | None)):
        raise TypeError
    problems = tuple(_problem(_object(it)) for it in cast("list[Any]", entry["problems"]))
    return Checked(_text(entry["source"]), kind, digest, size, problems)


def _problem(entry: dict[str, Any]) -> Problem:
    rule, *texts = (_text(entry[name]) for name in _TEXTS)
    return Problem(rule, Severity(entry["severity"]), *texts)
