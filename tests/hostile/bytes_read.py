"""A process that validates a dump in parts of 16 KiB, to tell how many bytes that reads: DUMP SMALL JOBS.

It is one of its own, because what other processes read counts for their parent once they have ended.
"""

import json
import sys
from pathlib import Path

from dreg_client import validate_file
from dreg_client.validation import dumps

_PART = 16 * 1024


def main(dump: str, small: str, jobs: str) -> None:
    """Print how many bytes were read of each, by line and in all."""
    dumps.PART = dumps._BUFFER = _PART  # type: ignore[misc]
    before = _read_bytes()
    list(validate_file(small, jobs=int(jobs)))
    between = _read_bytes()
    parts = list(validate_file(dump, jobs=int(jobs)))
    lines = [found.line for part in parts for found in part.reports]
    found = {"start": between - before, "dump": _read_bytes() - between, "lines": lines}
    json.dump(found | {"documents": sum(part.documents for part in parts)}, sys.stdout)


def _read_bytes() -> int:
    [line] = [line for line in Path("/proc/self/io").read_text().splitlines() if line.startswith("rchar")]
    return int(line.split()[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
