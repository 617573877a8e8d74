"""`dreg validate --resume FILE`: a journal of the images that are validated already."""

import json
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any, Final, cast

import click

from dreg_client import __version__
from dreg_client.cli.validate_output import Checked, Settings
from dreg_client.errors import ConfigError, FileError
from dreg_client.errors.problems import Problem, Severity
from dreg_client.files.journal_file import JournalFile
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
        self._options = {"complete": complete, "pedantic": pedantic, "dreg": __version__}
        self._done: dict[tuple[str, str], list[Checked]] = {}
        self._repositories = set[str]()
        self._lock = Lock()
        self._file = _opened(path)
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def _read(self) -> None:
        """Read all results; remove a last line that an interruption has cut."""
        number = 0
        for number, line in enumerate(self._file.lines(_HEADER), 1):
            if number > 1:
                self._take(line, number)
        self._file.append(b"" if number else _HEADER, synced=False)

    def _take(self, line: bytes, number: int) -> None:
        try:
            repository, options, findings = _parsed(line)
        except (ValueError, KeyError, TypeError, RecursionError):
            advice = "delete it to validate everything again, or name another file"
            raise ConfigError(f"the journal {self._file.name} is damaged in line {number}; {advice}") from None
        if options == self._options:
            self._note(repository, str(findings[0].digest), findings)

    def _note(self, repository: str, digest: str, findings: list[Checked]) -> None:
        self._done[repository, digest] = findings
        self._repositories.add(repository)

    def has_any(self, repository: str) -> bool:
        """Return whether any image of a repository is done."""
        return repository in self._repositories

    def findings(self, repository: str, digest: str) -> list[Checked] | None:
        """Return the findings of an image and everything below it; None if it is not done."""
        return self._done.get((repository, digest))

    def add(self, repository: str, findings: list[Checked]) -> None:
        """Record the findings of an image and everything below it; the first one is of the image itself.

        Raises:
            FileError: The line cannot be written, or is too long. What was written of it is removed.
        """
        digest = findings[0].digest
        if digest is None:
            return
        plain = [
            {**{name: getattr(found, name) for name in _NAMES}, "problems": [it.plain() for it in found.problems]}
            for found in findings
        ]
        entry = {"repository": repository, "options": self._options, "findings": plain}
        line = json.dumps(entry).encode() + b"\n"
        self._file.check(line)
        with self._lock:
            self._file.append(line, synced=False)
            self._note(repository, str(digest), findings)

    def close(self) -> None:
        """Close the file; delete it if all sources are done."""
        if not self.unfinished:
            self._file.delete()
        with self._lock:  # a thread may still be validating; its result must not go to another file of this number
            self._file.close()


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


def _opened(path: str) -> JournalFile:
    try:
        return JournalFile(path, subject="dreg validate")
    except FileError as failure:
        raise click.UsageError(f"--resume {failure}; name another file") from None


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
