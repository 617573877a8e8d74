"""Rounds of contestants in turn, and Markdown tables of what came out."""

import sys
import time
import timeit
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Final

QUICK: Final = "--quick" in sys.argv
"""Whether all is to be small, for a look at whether the benchmarks run."""
Rounds = Mapping[str, Sequence[float]]


def in_turn(contestants: Mapping[str, Callable[[], object]], *, rounds: int, turn: float = 0.0) -> Rounds:
    """Seconds a call, a figure a round.

    Each round gives every contestant a turn of about `turn` seconds (0: one call), so that a slow moment of the
    machine meets all of them. The garbage collector rests, as ever with `timeit`.
    """
    calls = {name: _calls_in(turn, call) for name, call in contestants.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(1 if QUICK else rounds):
        for name, call in contestants.items():
            seconds[name].append(timeit.timeit(call, number=calls[name]) / calls[name])
    return seconds


def _calls_in(turn: float, call: Callable[[], object]) -> int:
    """How many calls fill a turn; what a first call prepares is prepared here."""
    call()
    start = time.perf_counter()
    call()
    return max(1, round(turn / (time.perf_counter() - start)))


def ratios(rounds: Rounds, name: str, against: str) -> list[float]:
    """How often longer `name` takes than `against`, round by round."""
    return [a / b for a, b in zip(rounds[name], rounds[against], strict=True)]


def spread(values: Sequence[float]) -> str:
    """The median, with the least and the most."""
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def verdict(ratio: float, *, most: float | None = None, least: float | None = None) -> str:
    """The target, and whether this run met it; empty where there is none."""
    if most is not None:
        return f"at most {most:g}: {'met' if ratio <= most else 'MISSED'}"
    if least is not None:
        return f"at least {least:g}: {'met' if ratio >= least else 'MISSED'}"
    return ""


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table under its title."""
    lines = [f"## {title}", "", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])
