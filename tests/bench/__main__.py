"""What dreg-client costs, measured against peers in the same run.

    python tests/bench [parse] [dump] [start] [--write FILE]

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
import start

SUITES = {"parse": parse.tables, "dump": dump.tables, "start": start.tables}


def main() -> None:
    """Run what was asked for, print it, and write it where that was asked for, too."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)}; all without one")
    options.add_argument("--write", type=Path, metavar="FILE", help="write the tables to a page of the documentation")
    asked = options.parse_args()
    text = "\n".join(table for suite in asked.suites or SUITES for table in SUITES[suite]())
    print(text)
    if asked.write:
        asked.write.write_text(f"{_heading()}\n{text}")


def _heading() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("pydantic", "orjson", "click"))
    return (
        "# Benchmarks\n\nMade by `.venv/bin/python tests/bench --write docs/benchmarks.md`"
        f" on {datetime.now(UTC).date()}, {_processor()}, {platform.python_implementation()}"
        f" {platform.python_version()}, {packages}.\n\n"
        "Each figure is the median of several rounds in one run, with the least and the most. Ratios compare within a\n"
        "run; the times of two machines do not.\n"
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
