"""Contests: rounds in which contestants take turns, with wall and CPU seconds, and peak memory of whole processes."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, Literal

from tables import QUICK, spread, table

# Linux counts for a new process what its parent had held. So a small process stands between, and waits for it.
_BETWEEN = """
import json, os, sys, time
out, *command = sys.argv[1:]
actions = [(os.POSIX_SPAWN_OPEN, 1, out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)]
start = time.perf_counter()
process = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
_, status, usage = os.wait4(process, 0)
seconds = time.perf_counter() - start
cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, cpu, peak]))
"""


class FailedError(Exception):
    """A contestant failed."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The cost of one turn: wall-clock seconds, CPU seconds, and peak memory in MiB (0: not known)."""

    wall: float
    cpu: float
    peak: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a contestant.

    Attributes:
        of: What is looked at; `mebibytes` is the peak itself, the others are ratios.
        most: The most of it.
        against: To whom; the table's own other one where nobody is named.
        speed: Whether it is said the other way round: so many times as fast.
    """

    of: Literal["wall", "cpu", "peak", "mebibytes"]
    most: float
    against: str = ""
    speed: bool = False

    def verdict(self, found: "Found", name: str, against: str) -> str:
        """Return the target and whether this run met it; empty if the other contestant is missing."""
        values = self._values(found, name, against)
        if not values:
            return ""
        value = median(values)
        whom = f" x {self.against}" if self.against else ""
        met = "met" if value <= self.most else f"MISSED ({1 / value if self.speed else value:.2f})"
        if self.speed:
            return f"at least {1 / self.most:.3g} x as fast{whom}: {met}"
        return f"{_WORDS[self.of]}at most {self.most:g}{' MiB' if self.of == 'mebibytes' else ''}{whom}: {met}"

    def _values(self, found: "Found", name: str, against: str) -> Sequence[float]:
        if self.of != "mebibytes":
            return rate(found, name, self.against or against, self.of)
        turns = found[name]
        return [] if isinstance(turns, str) else [max(turn.peak for turn in turns)]


_WORDS: Final = {"wall": "", "cpu": "CPU ", "peak": "peak ", "mebibytes": "peak "}
Contestant = Callable[[], Turn]
Found = Mapping[str, Sequence[Turn] | str]
"""The turns of each contestant, or the reason why it has none."""


def within(call: Callable[[], object]) -> Contestant:
    """A call in this process."""

    def turn() -> Turn:
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        return Turn(time.perf_counter() - wall, time.process_time() - cpu)

    return turn


def process(*command: str | Path, out: Path = Path("/dev/null"), before: Callable[[], object] = int) -> Contestant:
    """A whole process, from start to end; `before` is called before each turn, and not measured."""

    def turn() -> Turn:
        before()
        between = [sys.executable, "-c", _BETWEEN, str(out), *map(str, command)]
        done = subprocess.run(between, capture_output=True, text=True, check=False)
        if done.returncode:
            raise FailedError(_last_line(done.stderr))
        code, wall, cpu, peak = json.loads(done.stdout)
        if code:
            raise FailedError(_last_line(done.stderr))
        return Turn(wall, cpu, peak)

    return turn


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it failed"])[-1][:100].replace("|", "/")


def contest(contestants: Mapping[str, Contestant], *, rounds: int, warm: bool = True) -> Found:
    """Run the rounds. A contestant that fails is left out, and its row shows the reason."""
    found: dict[str, list[Turn] | str] = {name: [] for name in contestants}
    for number in range(-1 if warm else 0, 1 if QUICK else rounds):
        for name, turn in contestants.items():
            turns = found[name]
            if isinstance(turns, str):
                continue
            try:
                took = turn()
            except Exception as failure:  # noqa: BLE001 (whatever it is, the others go on)
                found[name] = f"failed: {_last_line(str(failure))}"
                continue
            if number >= 0:
                turns.append(took)
    return found


def result(
    title: str, found: Found, *, against: str, targets: Mapping[str, Sequence[Target]] | None = None, remark: str = ""
) -> str:
    """Return the table of a contest, with ratios to one of the contestants, and targets."""
    has_peak = any(turn.peak for turns in found.values() if not isinstance(turns, str) for turn in turns)
    head = ["what", "ms", "CPU ms", *(["peak MiB"] if has_peak else []), f"ratio to {against}", "CPU", "target"]
    rows: list[list[str]] = []
    for name, turns in found.items():
        if isinstance(turns, str):
            rows.append([name, turns, *[""] * (len(head) - 2)])
            continue
        figures = [
            f"{median(turn.wall for turn in turns) * 1e3:,.0f}",
            f"{median(turn.cpu for turn in turns) * 1e3:,.0f}",
        ]
        peak = [f"{max(turn.peak for turn in turns):.0f}"] if has_peak else []
        rates = [_shown(rate(found, name, against, of)) for of in ("wall", "cpu")]
        verdicts = [target.verdict(found, name, against) for target in (targets or {}).get(name, ())]
        rows.append([name, *figures, *peak, *rates, "; ".join(filter(None, verdicts))])
    text = table(title, head, rows)
    return f"{text}\n{remark}\n" if remark else text


def rate(found: Found, name: str, against: str, of: str) -> list[float]:
    """Return the ratio of two contestants for each round; empty if either failed."""
    ours, theirs = found.get(name, ""), found.get(against, "")
    if isinstance(ours, str) or isinstance(theirs, str):
        return []
    pairs = zip(ours, theirs, strict=True)
    return [getattr(a, of) / getattr(b, of) for a, b in pairs if getattr(b, of)]


def _shown(values: Sequence[float]) -> str:
    return spread(values) if values else ""
