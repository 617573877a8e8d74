"""Spark, Ray, Dask, DuckDB and Polars compared with `dreg validate --jobs 2`: Parquet files in, Parquet files out.

`.ci/engines bench` installs Spark and Ray and runs this suite.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from contest import FailedError
from partitions import write_parquet
from pyarrow import dataset
from simulate import measured
from tables import QUICK, spread, table

ROOT: Final = Path(__file__).parents[2]
_FILES: Final = 8
"""A number that two workers share evenly."""
_ROWS: Final = 5_000 if QUICK else 50_000
"""The number of documents in a file."""
_FEW: Final = 100
_ROUNDS: Final = 1 if QUICK else 3
_DREG: Final = "`dreg validate --jobs 2`"
_TIMEOUT: Final = 900
"""Seconds after which a run has failed."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine.

    Attributes:
        job: Its name in `engine_job.py`.
        library: The package that must be installed.
        workers: How many CPUs validate.
    """

    job: str
    library: str
    workers: int


@dataclass(frozen=True, slots=True)
class Run:
    """The seconds until an engine was ready and had validated a few documents, and those for the many."""

    start: float
    seconds: float


ENGINES: Final = {
    "Apache Spark, `local[2]`": Engine("spark", "pyspark", 2),
    "Ray, 2 CPUs": Engine("ray", "ray", 2),
    "Dask, 2 workers": Engine("dask", "distributed", 2),
    "DuckDB": Engine("duckdb", "duckdb", 1),
    "Polars": Engine("polars", "polars", 1),
}
Found = Mapping[str, Sequence[Run] | str]
"""The runs of each contestant, or the reason why it has none."""


def tables() -> Iterator[str]:
    """Yield the table of this suite; print the constants for the simulation."""
    with tempfile.TemporaryDirectory() as directory:
        few, many = (_written(Path(directory, name), rows) for name, rows in (("few", _FEW), ("many", _ROWS)))
        python = _python()
        contestants = {_DREG: partial(_dreg, python, few, many)}
        for name, engine in ENGINES.items():
            contestants[name] = partial(_engine, python, engine, few, many)
        found = _rounds(contestants)
    yield f"{_rates(found)}\n{_versions(python)}\n"
    print(constants(found, measured()), file=sys.stderr)


def _written(folder: Path, rows: int) -> Path:
    """Write files of so many documents each: the many in eight files, the few in two, one for each worker."""
    folder.mkdir()
    first = write_parquet(folder / "0.parquet", rows)
    for number in range(1, _FILES if rows == _ROWS else 2):
        shutil.copyfile(first, folder / f"{number}.parquet")
    return folder


def _python() -> str:
    """Return the Python with Spark and Ray, which `.ci/engines` installs; without it, this one."""
    found = ROOT / ".venv/others/engines/bin/python"
    return str(found) if found.exists() else sys.executable


def _rounds(contestants: Mapping[str, Callable[[Path], Run]]) -> Found:
    found: dict[str, list[Run] | str] = {name: [] for name in contestants}
    for _ in range(_ROUNDS):
        for name, run in contestants.items():
            runs = found[name]
            if isinstance(runs, str):
                continue
            with tempfile.TemporaryDirectory() as folder:
                try:
                    runs.append(run(Path(folder)))
                    _check(Path(folder, "many"))
                except FailedError as failure:
                    found[name] = str(failure)
    return found


def _check(reports: Path) -> None:
    count = dataset.dataset(reports).count_rows()
    if count != _FILES * _ROWS:
        raise FailedError(f"failed: {count:,} reports of {_FILES * _ROWS:,} documents")


def _dreg(python: str, few: Path, many: Path, folder: Path) -> Run:
    """Run the command for a few documents, and for many, which includes the start."""
    start = _dreg_seconds(python, few, folder / "few")
    return Run(start, _dreg_seconds(python, many, folder / "many") - start)


def _dreg_seconds(python: str, source: Path, target: Path) -> float:
    before = time.perf_counter()
    command = [python, "-m", "dreg_client.cli", "validate", source, "--format", "parquet", "-o", target, "--jobs", "2"]
    _run([str(part) for part in command])
    return time.perf_counter() - before


def _engine(python: str, engine: Engine, few: Path, many: Path, folder: Path) -> Run:
    if not _version(python, engine.library):
        raise FailedError("not installed; `.ci/engines bench` installs it")
    script = Path(__file__).with_name("engine_job.py")
    printed = _run([python, str(script), engine.job, *map(str, (few, many, folder)), str(time.time())])
    return Run(**json.loads(printed.splitlines()[-1]))


def _version(python: str, package: str) -> str:
    """Return the version of a package; empty if it is not installed."""
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    return subprocess.run([python, "-c", code, package], capture_output=True, text=True, check=False).stdout.strip()


def _versions(python: str) -> str:
    found = {engine.library: _version(python, engine.library) for engine in ENGINES.values()}
    return f"With {', '.join(f'{package} {number}' for package, number in found.items() if number)}."


def _run(command: Sequence[str]) -> str:
    """Return what a command prints; raise FailedError if it fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise FailedError(f"failed: it took more than {_TIMEOUT} seconds") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["it failed"]
        raise FailedError(f"failed: {said[-1].strip()[:200].replace('|', '/')}")
    return done.stdout


def _rates(found: Found) -> str:
    documents = _FILES * _ROWS
    rows: list[list[str]] = []
    for name, runs in found.items():
        if isinstance(runs, str):
            rows.append([name, runs, *[""] * 4])
            continue
        rate = median(documents / run.seconds for run in runs)
        warm = _times_as_fast(found, name, lambda run: run.seconds)
        whole = _times_as_fast(found, name, lambda run: run.start + run.seconds)
        start = f"{median(run.start for run in runs):.1f}"
        rows.append([name, f"{rate:,.0f}", f"{rate / _workers(name):,.0f}", warm, start, whole])
    head = ["on", "documents a second", "a second and worker", f"ratio to {_DREG}", "seconds to start up"]
    title = f"Engines: {documents:,} manifests, Parquet in and out"
    return table(title, [*head, "ratio with the start-up"], rows)


def _workers(name: str) -> int:
    return ENGINES[name].workers if name in ENGINES else 2


def _times_as_fast(found: Found, name: str, seconds: Callable[[Run], float]) -> str:
    """Return how many times as fast as `dreg validate` a contestant is: the median of the rounds, and the range."""
    its, other = found[name], found[_DREG]
    if isinstance(its, str) or isinstance(other, str):
        return ""
    return spread([seconds(b) / seconds(a) for a, b in zip(its, other, strict=True)])


def constants(found: Found, one_process: float) -> str:
    """Return the constants of `simulate.py` that this run suggests; contestants that did not run are left out."""
    lines = ["Constants of tests/bench/simulate.py, by this run:"]
    for name, runs in found.items():
        if isinstance(runs, str) or _workers(name) == 1:
            continue
        rate = round(_FILES * _ROWS / median(run.seconds for run in runs) / _workers(name), -3)
        start = round(median(run.start for run in runs))
        value = f"{rate:_.0f} for each number of cores" if name == _DREG else f"({rate:_.0f}, {start:.1f})"
        lines.append(f"    {'ONE_MACHINE' if name == _DREG else 'ENGINES'}: {name.partition(',')[0]}: {value}")
    return "\n".join([*lines, f"    ONE_PROCESS: {round(one_process, -2):_.0f}"])
