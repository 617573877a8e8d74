"""Rounds of contestants in turn, and Markdown tables of what came out."""

import timeit
from collections.abc import Callable, Mapping, Sequence
from statistics import median

Rounds = Mapping[str, Sequence[float]]


def in_turn(contestants: Mapping[str, Callable[[], object]], *, number: int, rounds: int) -> Rounds:
    """Seconds a call, a figure a round; each round runs every contestant once, so that drift meets all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, call in contestants.items():
            seconds[name].append(timeit.timeit(call, number=number) / number)
    return seconds


def ratios(rounds: Rounds, name: str, against: str) -> list[float]:
    """How often longer `name` takes than `against`, round by round."""
    return [a / b for a, b in zip(rounds[name], rounds[against], strict=True)]


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """The median, with the least and the most."""
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table under its title."""
    lines = [f"## {title}", "", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])
