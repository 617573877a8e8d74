"""A dump of 100,000 manifests: one and two processes, and whether memory stays flat."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median

from documents import mixed
from tables import QUICK, ratios, spread, table, verdict

_LINES = 10_000 if QUICK else 100_000
_ROUNDS = 1 if QUICK else 5
_VALIDATE = """
import json, sys, time
from dreg_client import validate_file
start = time.perf_counter()
parts = [(part.documents, part.valid) for part in validate_file(sys.argv[1], jobs=int(sys.argv[2]))]
documents, valid = map(sum, zip(*parts))
assert documents == valid, f"{documents - valid} documents are refused"
print(json.dumps({"seconds": time.perf_counter() - start, "documents": documents}))
"""
_ONLY_LOADS = """
import json, sys, time
import orjson
start = time.perf_counter()
with open(sys.argv[1], "rb") as dump:
    documents = sum(orjson.loads(line)["schemaVersion"] == 2 for line in dump)
print(json.dumps({"seconds": time.perf_counter() - start, "documents": documents}))
"""
# Linux counts for a new process what its parent had held. So a small process stands between, and asks for its children.
_BETWEEN = """
import json, resource, subprocess, sys
done = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.PIPE, check=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({**json.loads(done.stdout), "peak": peak}))
"""


def tables() -> Iterator[str]:
    """Yield the tables of this suite."""
    with tempfile.TemporaryDirectory() as directory:
        small, large = Path(directory, "small.jsonl"), Path(directory, "large.jsonl")
        for path, lines in ((small, _LINES // 10), (large, _LINES)):
            with path.open("wb") as dump:
                dump.writelines(islice(mixed(), lines))
        yield _speed(large)
        yield _memory(small, large)


def _run(*arguments: str, at_once: int = 1) -> dict[str, float]:
    """Run one or more processes with the same job; return their output and the largest peak memory in KiB."""
    command = [sys.executable, "-c", _BETWEEN, "-c", *arguments]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(at_once)]
    found: list[dict[str, float]] = [json.loads(process.communicate()[0]) for process in running]
    return {
        "documents": sum(each["documents"] for each in found),
        "seconds": max(each["seconds"] for each in found),
        "peak": max(each["peak"] for each in found),
    }


def _speed(path: Path) -> str:
    one, two = (f"`validate_file(path, jobs={jobs})`" for jobs in (1, 2))
    contestants = {
        one: partial(_run, _VALIDATE, str(path), "1"),
        two: partial(_run, _VALIDATE, str(path), "2"),
        f"{one}, two at once: the limit of the machine": partial(_run, _VALIDATE, str(path), "1", at_once=2),
        "only `orjson.loads` of each line": partial(_run, _ONLY_LOADS, str(path)),
    }
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(_ROUNDS):
        for name, call in contestants.items():
            run = call()
            rates[name].append(run["documents"] / run["seconds"])
    targets = {two: verdict(median(ratios(rates, two, one)), least=1.6)}
    rows = [
        [name, f"{median(found):,.0f}", spread(ratios(rates, name, one)), targets.get(name, "")]
        for name, found in rates.items()
    ]
    title = f"A dump of {_LINES:,} manifests ({path.stat().st_size / 1e6:.0f} MB)"
    return table(title, ["what", "documents a second", "ratio", "target"], rows)


def _memory(small: Path, large: Path) -> str:
    rows: list[list[str]] = []
    for jobs in ("1", "2"):
        few, many = (_run(_VALIDATE, str(path), jobs)["peak"] / 1024 for path in (small, large))
        rows.append([jobs, f"{few:.1f}", f"{many:.1f}", f"{many / few:.2f}", verdict(many / few, most=1.1)])
    head = ["jobs", f"MiB for {_LINES // 10:,}", f"MiB for {_LINES:,}", "ratio", "target"]
    return table("Peak memory of the largest process", head, rows)
