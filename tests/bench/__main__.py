"""Measure dreg-client against other tools in the same run.

    python tests/bench [SUITE...] [--quick] [--write FILE]

Suites: parse, dump, partitions, start, transfers, copies, tags, lists, planning, commands, growth, simulate,
storages, engines (default: all).

These are not tests: machines differ, so compare only ratios of one run.
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
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from summary import summary

SUITES = (
    "parse",
    "dump",
    "partitions",
    "start",
    "transfers",
    "copies",
    "tags",
    "lists",
    "planning",
    "commands",
    "growth",
    "simulate",
    "storages",
    "engines",
)
"""The modules of the suites. Each is imported when it runs, because it needs libraries that `--help` does not."""
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
    "pyarrow",
    "distributed",
)
TOOLS = (
    ("skopeo", "--version"),
    ("docker-registry", "--version"),
    ("curl", "--version"),
    ("openssl", "version"),
    ("crane", "version"),
    ("regctl", "version"),
)


def main() -> None:
    """Run the suites and print their tables; with `--write`, also write them to a page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("suites", nargs="*", choices=[*SUITES, "all"], default="all", help="default: all")
    options.add_argument("--write", type=Path, metavar="FILE", help="replace a page by the tables of this run")
    options.add_argument(
        "--quick", action="store_true", help="small sizes and few rounds, to check that everything runs"
    )
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
        asked.write.write_text(
            "\n".join([_heading(f"{named} --quick" if asked.quick else named), summary(found), *found])
        )


def _tables(suite: str) -> Iterator[str]:
    """Yield the tables of a suite; if it fails, the page says so, and the next suite runs."""
    try:
        yield from import_module(suite).tables()
    except Exception as failure:  # noqa: BLE001 (the other suites still run)
        traceback.print_exc()
        yield f"## {suite} failed\n\n{type(failure).__name__}: {str(failure)[:200]}\n"


def _heading(suites: str) -> str:
    packages = ", ".join([*(f"{name} {version(name)}" for name in PACKAGES), *_tools()])
    return (
        "# Benchmarks\n\n"
        f"Measured on {datetime.now(UTC).date()} with {_processor()}, {platform.python_implementation()}\n"
        f"{platform.python_version()}, {packages}. To repeat the benchmarks, run `.ci/setup dev` and then:\n\n"
        f"```sh\n.venv/bin/python tests/bench {suites} --write docs/benchmarks.md\n```\n\n"
        "Each figure is the median of the rounds of one run. Ratios also show the minimum and the maximum in "
        "parentheses.\n"
        "The programs run alternately. Compare only ratios, because times differ between machines.\n"
    )


def _tools() -> Iterator[str]:
    """Yield the programs that are compared, with their versions."""
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
