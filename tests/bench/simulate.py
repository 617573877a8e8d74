"""Simulate the validation of 100 million documents on 64 workers: total time, work lost by deaths, costs.

    python tests/bench/simulate.py [--documents N] [--workers N] [--rate N] [--deaths N] [--measure] ...

The rates are those that the suite `engines` measured on two cores, see `constants` there; `--measure` measures that of
one process on this machine, and scales the others.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))

from documents import mixed
from simulation import Cluster, Run, divided, file_sizes, ideal, simulate
from tables import table

ENGINES: Final = {"Apache Spark": (20_000, 20.0), "Ray": (20_000, 15.0), "Dask": (22_000, 5.0)}
"""The documents that a core validates in a second, measured with two workers, and the seconds to start a worker."""
ONE_MACHINE: Final = {2: 25_000, 8: 25_000, 64: 25_000}
"""The documents that a core of one machine validates in a second with `dreg validate --jobs CORES`, measured with two.

More cores are assumed to scale as two do, because processes share nothing but the disk.
"""
ONE_PROCESS: Final = 26_800
SIZES: Final = (8, 32, 64, 256, 1024)
DEATHS: Final = (0.0, 1.0, 10.0)
MEBIBYTE: Final = 1024 * 1024
_SEEDS: Final = range(1, 6)


@dataclass(frozen=True)
class Options:
    """The arguments."""

    documents: int = 100_000_000
    document_bytes: int = 1200
    files: int = 2000
    sigma: float = 1.3
    size: int = 64
    price: float = 0.04
    scale: float = 1.0
    cluster: Cluster = field(default_factory=Cluster)


def tables(options: Options | None = None) -> Iterator[str]:
    """Yield the tables of this suite."""
    options = options or Options()
    yield _sizes(options)
    yield _losses(options)
    yield _costs(options)


def _partitions(options: Options, mebibytes: int) -> list[int]:
    sizes = file_sizes(options.documents, options.files, options.sigma, seed=1)
    return divided(sizes, max(1, mebibytes * MEBIBYTE // options.document_bytes))


def _runs(partitions: list[int], cluster: Cluster) -> list[Run]:
    return [simulate(partitions, cluster, seed) for seed in _SEEDS]


def _seconds(runs: list[Run]) -> float:
    return mean(run.seconds for run in runs)


def _sizes(options: Options) -> str:
    """Which size of partitions is best."""
    rows: list[list[str]] = []
    whole = file_sizes(options.documents, options.files, options.sigma, seed=1)
    cases = {f"{size:,} MiB": _partitions(options, size) for size in SIZES}
    for name, partitions in {**cases, "files that cannot be divided": whole}.items():
        times = [_seconds(_runs(partitions, replace(options.cluster, deaths=deaths))) for deaths in DEATHS]
        rows.append([name, f"{len(partitions):,}", f"{max(partitions):,}", *(f"{seconds:,.0f}" for seconds in times)])
    rate, workers = options.cluster.rate, options.cluster.workers
    title = (
        f"A simulation: {options.documents:,} documents, {workers} workers, {rate:,.0f} documents a second each"
        f" (ideal: {ideal(options.documents, options.cluster):,.0f} seconds)"
    )
    head = ["size of partitions", "partitions", "documents in the largest"]
    return table(title, [*head, *(f"seconds, {_deaths(deaths)}" for deaths in DEATHS)], rows)


def _deaths(rate: float) -> str:
    return f"{rate:g} {'death' if rate == 1 else 'deaths'} of each worker an hour" if rate else "no deaths"


def _losses(options: Options) -> str:
    """What deaths cost: at most a partition each."""
    partitions = _partitions(options, options.size)
    longest = options.cluster.overhead + max(partitions) / options.cluster.rate
    rows: list[list[str]] = []
    for deaths in (*DEATHS, 60.0):
        cluster = replace(options.cluster, deaths=deaths)
        runs = _runs(partitions, cluster)
        lost = [seconds for run in runs for seconds in run.lost]
        worked = sum(attempt.stop - attempt.start for run in runs for attempt in run.attempts)
        rows.append(
            [
                f"{deaths:g}",
                f"{len(lost) / len(runs):.1f}",
                f"{_seconds(runs):,.0f}",
                f"{100 * sum(lost) / worked:.2f} %",
                f"{max(lost, default=0):.1f} of {longest:.1f}",
                f"{mean(len(run.failed) for run in runs):g}",
            ]
        )
    title = f"The same with partitions of {options.size} MiB: what deaths of workers cost"
    head = [
        "deaths of each worker an hour",
        "deaths in the run",
        "seconds",
        "work lost",
        "most seconds lost by a death",
    ]
    return table(title, [*head, "partitions given up"], rows)


def _costs(options: Options) -> str:
    rows: list[list[str]] = []
    for cores, each in ONE_MACHINE.items():
        rate = each * options.scale
        seconds = options.documents / (rate * cores) + 1
        rows.append(_cost(options, f"`dreg validate --jobs {cores}`, one machine", cores, rate, seconds))
    for name, (each, start) in ENGINES.items():
        cluster = replace(options.cluster, rate=each * options.scale, start=start, deaths=0)
        seconds = _seconds(_runs(_partitions(options, options.size), cluster))
        rows.append(_cost(options, f"{name}, {cluster.workers} workers", cluster.workers, cluster.rate, seconds))
    head = ["on", "documents a second and core", "minutes", "core hours", "cost", "MB/s to read"]
    title = f"The costs of {options.documents:,} documents of {options.document_bytes:,} bytes"
    return table(f"{title} (at {options.price:g} USD a core hour)", head, rows)


def _cost(options: Options, name: str, cores: int, rate: float, seconds: float) -> list[str]:
    hours = seconds * cores / 3600
    read = options.documents * options.document_bytes / seconds / 1e6
    costs = [f"{seconds / 60:,.1f}", f"{hours:,.2f}", f"{hours * options.price:.2f} USD", f"{read:,.0f}"]
    return [name, f"{rate:,.0f}", *costs]


def measured(documents: int = 20_000) -> float:
    """Return the documents that one process on this machine validates in a second."""
    from dreg_client import validate

    raw = [*islice(mixed(), documents)]
    start = time.perf_counter()
    for document in raw:
        validate(document)
    return documents / (time.perf_counter() - start)


def main() -> None:
    """Print the tables."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    plain, cluster = Options(), Cluster()
    for name in ("documents", "document_bytes", "files", "sigma", "size", "price"):
        value = getattr(plain, name)
        given.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    for name in ("workers", "rate", "start", "overhead", "notice"):
        value = getattr(cluster, name)
        given.add_argument(f"--{name}", type=type(value), default=value)
    given.add_argument("--measure", action="store_true", help="measure the rate of one process on this machine")
    asked = vars(given.parse_args())
    scale = measured() / ONE_PROCESS if asked.pop("measure") else 1.0
    chosen = {name: asked.pop(name) for name in ("workers", "rate", "start", "overhead", "notice")}
    chosen["rate"] *= scale
    for found in tables(Options(**asked, scale=scale, cluster=Cluster(**chosen))):
        print(found)


if __name__ == "__main__":
    main()
