"""Which report files a run has: each is told apart by its name, and by the token of the run that wrote it."""

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from typing import Any


def report_mark(name: str, run_token: str) -> int:
    """Return a number of 64 bits that tells a report file apart from all others.

    Args:
        name: The name of the file.
        run_token: The token of the run that wrote it; empty if it was written without a run.
    """
    return int.from_bytes(blake2b(f"{name}\n{run_token}".encode(errors="surrogatepass"), digest_size=8).digest(), "big")


@dataclass(slots=True)
class ReportsDigest:
    """The number of report files, and a digest of their marks, in whatever order they are added."""

    reports: int = 0
    _sum: int = 0

    def add(self, mark: int) -> None:
        """Add a report file."""
        self.reports += 1
        self._sum = (self._sum + mark) % (1 << 64)

    def plain(self) -> dict[str, Any]:
        """Return the members by which the file of a run states its reports."""
        return {"reports": self.reports, "reportsDigest": f"{self._sum:016x}"}


class RunReports:
    """The reports of a run, with 16 bytes each, since there may be millions. Look them up once all are added."""

    def __init__(self) -> None:
        self._names, self._marks = _Numbers(), _Numbers()

    def add(self, name: str, run_token: str) -> None:
        """Add a report; the arguments are those of `report_mark`. It may be added again."""
        self._names.add(report_mark(name, ""))
        self._marks.add(report_mark(name, run_token))

    def __len__(self) -> int:
        return len(self._marks.sorted())

    def has_name(self, name: str) -> bool:
        """Return whether the run has a report of this name."""
        return report_mark(name, "") in self._names

    def has(self, name: str, run_token: str) -> bool:
        """Return whether the run has this report, written by this run."""
        return report_mark(name, run_token) in self._marks

    def digest(self) -> ReportsDigest:
        """Return the digest of all reports."""
        found = ReportsDigest()
        for mark in self._marks.sorted():
            found.add(mark)
        return found


class _Numbers:
    """A set of numbers of 64 bits."""

    def __init__(self) -> None:
        self._numbers, self._is_sorted = array("Q"), True

    def add(self, number: int) -> None:
        self._numbers.append(number)
        self._is_sorted = False

    def sorted(self) -> "array[int]":
        if not self._is_sorted:
            self._numbers, self._is_sorted = array("Q", (each for each, _ in groupby(sorted(self._numbers)))), True
        return self._numbers

    def __contains__(self, number: int) -> bool:
        place = bisect_left(found := self.sorted(), number)
        return place < len(found) and found[place] == number
