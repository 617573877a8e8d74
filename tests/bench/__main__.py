"""What dreg-client costs, measured against peers in the same run.

    python tests/bench [SUITE...] [--quick] [--write FILE]

Suites: parse, dump, start, transfers, tags, lists, commands, growth; all of them without one.

Nothing here is a test: machines differ, ratios of one run are what can be compared.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import commands
import dump
import growth
import lists
import parse
import start
import tags
import transfers

SUITES = {
    "parse": parse.tables,
    "dump": dump.tables,
    "start": start.tables,
    "transfers": transfers.tables,
    "tags": tags.tables,
    "lists": lists.tables,
    "commands": commands.tables,
    "growth": growth.tables,
}
PACKAGES = (
    "pydantic",
    "pydantic-core",
    "orjson",
    "click",
    "httpx",
    "httpx2",
    "fastjsonschema",
    "jsonschema",
    "python-dxf",
    "oras",
    "aioregistry",
)
TOOLS = (
    ("skopeo", "--version"),
    ("docker-registry", "--version"),
    ("curl", "--version"),
    ("openssl", "version"),
    ("crane", "version"),
)


def main() -> None:
    """Run what was asked for, print it, and write it where that was asked for, too."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("suites", nargs="*", choices=[*SUITES, "all"], default="all", help="all without one")
    options.add_argument("--write", type=Path, metavar="FILE", help="write the tables to a page of the documentation")
    options.add_argument("--quick", action="store_true", help="small sizes and few rounds, to see that all of it runs")
    asked = options.parse_args()
    # As where it is installed: what is imported was compiled before.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    suites = [*SUITES] if "all" in asked.suites else asked.suites
    named = "all" if suites == [*SUITES] else " ".join(suites)
    found: list[str] = []
    for suite in suites:
        for table in _tables(suite):
            print(table, flush=True)
            found.append(table)
    if asked.write:
        asked.write.write_text("\n".join([_heading(f"{named} --quick" if asked.quick else named), *found]))


def _tables(suite: str) -> Iterator[str]:
    """The tables of a suite; where it breaks off, the page says so, and the next suite has its turn."""
    try:
        yield from SUITES[suite]()
    except Exception as failure:  # noqa: BLE001 (whatever it is, the others go on)
        traceback.print_exc()
        yield f"## {suite} broke off\n\n{type(failure).__name__}: {str(failure)[:200]}\n"


def _heading(suites: str) -> str:
    packages = ", ".join([*(f"{name} {version(name)}" for name in PACKAGES), *_tools()])
    return (
        "# Benchmarks\n\n"
        f"Made, after `.ci/setup dev`, by `.venv/bin/python tests/bench {suites} --write docs/benchmarks.md` on\n"
        f"{datetime.now(UTC).date()}, {_processor()}, {platform.python_implementation()} {platform.python_version()},\n"
        f"{packages}.\n\n"
        "Each figure is the median of many rounds in one run, a ratio's with the least and the most; contestants take\n"
        "turns. Ratios compare within a run; the times of two machines do not. A target that this run missed says so.\n"
    )


def _tools() -> Iterator[str]:
    """The programs beside which ours are, with their versions."""
    for name, option in TOOLS:
        if shutil.which(name):
            told = subprocess.run([name, option], capture_output=True, text=True, check=False).stdout
            numbers = re.search(r"v?[0-9]+\.[0-9][^ ,]*", told)
            yield f"{name} {numbers[0].strip() if numbers else '?'}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()


if __name__ == "__main__":
    main()
