"""What dreg-client costs, measured against peers in the same run.

    python tests/bench [parse] [dump] [start] [registry] [all] [--write FILE]

Nothing here is a test: machines differ, ratios of one run are what can be compared.
"""

import argparse
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import dump
import parse
import registry
import start

SUITES = {"parse": parse.tables, "dump": dump.tables, "start": start.tables, "registry": registry.tables}
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
)


def main() -> None:
    """Run what was asked for, print it, and write it where that was asked for, too."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("suites", nargs="*", choices=[*SUITES, "all"], default="all", help="all without one")
    options.add_argument("--write", type=Path, metavar="FILE", help="write the tables to a page of the documentation")
    asked = options.parse_args()
    suites = [*SUITES] if "all" in asked.suites else asked.suites
    found: list[str] = []
    for suite in suites:
        for table in SUITES[suite]():
            print(table, flush=True)
            found.append(table)
    if asked.write:
        asked.write.write_text("\n".join([_heading("all" if suites == [*SUITES] else " ".join(suites)), *found]))


def _heading(suites: str) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"# Benchmarks\n\nMade by `.venv/bin/python tests/bench {suites} --write docs/benchmarks.md` on\n"
        f"{datetime.now(UTC).date()}, {_processor()}, {platform.python_implementation()} {platform.python_version()},\n"
        f"{packages}.\n\n"
        "Each figure is the median of many rounds in one run, a ratio's with the least and the most; contestants take\n"
        "turns. Ratios compare within a run; the times of two machines do not. A target that this run missed says so.\n"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()


if __name__ == "__main__":
    main()
