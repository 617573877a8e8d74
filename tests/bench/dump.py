"""A dump of 100,000 manifests: how more processors help, and that memory stays flat."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from tables import ratios, spread, table

_LINES = 100_000
_ROUNDS = 3
_MEASURED = """
import json, resource, sys, time
from dreg_client import validate_file
start = time.perf_counter()
parts = list(validate_file(sys.argv[1], jobs=int(sys.argv[2])))
seconds = time.perf_counter() - start
peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
assert all(part.valid == part.documents for part in parts)
print(json.dumps({"seconds": seconds, "documents": sum(part.documents for part in parts), "peak": peak}))
"""


def tables() -> Iterator[str]:
    """All tables of this suite."""
    with tempfile.TemporaryDirectory() as directory:
        small, large = Path(directory, "small.jsonl"), Path(directory, "large.jsonl")
        _write(small, _LINES // 10)
        _write(large, _LINES)
        yield _scaling(large)
        yield _memory(small, large)


def _write(path: Path, lines: int) -> None:
    known = (
        (Path(__file__).parents[2] / "fixtures" / "dumps" / "manifests.jsonl").read_bytes().splitlines(keepends=True)
    )
    with path.open("wb") as dump:
        dump.writelines(islice(cycle(known), lines))


def _run(path: Path, jobs: int) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", _MEASURED, path, str(jobs)], capture_output=True, check=True)
    return json.loads(done.stdout)


def _scaling(path: Path) -> str:
    rates: dict[str, list[float]] = {"1": [], "2": []}
    for _ in range(_ROUNDS):
        for jobs, found in rates.items():
            run = _run(path, int(jobs))
            found.append(run["documents"] / run["seconds"])
    rows = [
        ["1", f"{median(rates['1']):,.0f}", "1", ""],
        ["2", f"{median(rates['2']):,.0f}", spread(ratios(rates, "2", "1")), "1.6"],
    ]
    size = path.stat().st_size / 1e6
    title = f"A dump of {_LINES:,} manifests ({size:.0f} MB)"
    return table(title, ["jobs", "documents a second", "ratio", "at least"], rows)


def _memory(small: Path, large: Path) -> str:
    rows: list[list[str]] = []
    for jobs in (1, 2):
        peaks = [_run(path, jobs)["peak"] / 1024 for path in (small, large)]
        rows.append([str(jobs), f"{peaks[0]:.1f}", f"{peaks[1]:.1f}", f"{peaks[1] / peaks[0]:.2f}", "1.1"])
    head = ["jobs", f"MiB for {_LINES // 10:,}", f"MiB for {_LINES:,}", "ratio", "at most"]
    return table("Peak memory of the largest process", head, rows)
