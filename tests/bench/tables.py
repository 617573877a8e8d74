"""Rounds of contestants in turn, and Markdown tables of the results."""

import sys
import time
import timeit
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Final

QUICK: Final = "--quick" in sys.argv
"""Whether sizes are small, to check that the benchmarks run."""
Rounds = Mapping[str, Sequence[float]]


def in_turn(contestants: Mapping[str, Callable[[], object]], *, rounds: int, turn: float = 0.0) -> Rounds:
    """Return seconds per call, one figure for each round.

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
    """Return the number of calls that fill a turn; the first call, which prepares caches, is not counted."""
    call()
    start = time.perf_counter()
    call()
    return max(1, round(turn / (time.perf_counter() - start)))


def ratios(rounds: Rounds, name: str, against: str) -> list[float]:
    """Return the ratio of `name` to `against` for each round."""
    return [a / b for a, b in zip(rounds[name], rounds[against], strict=True)]


def spread(values: Sequence[float]) -> str:
    """Return the median, with the least and the most."""
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def verdict(ratio: float, *, most: float | None = None, least: float | None = None) -> str:
    """Return the target and whether this run met it; empty if there is none."""
    if most is not None:
        return f"at most {most:g}: {'met' if ratio <= most else 'MISSED'}"
    if least is not None:
        return f"at least {least:g}: {'met' if ratio >= least else 'MISSED'}"
    return ""


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table under its title."""
    lines = [f"## {title}", "", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])
