"""Commands that take some seconds, so that their processes can be killed, and the reports that they must leave."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.commands import run_limited, start_limited
from tests.partitions.clusters import ENVIRONMENT
from tests.partitions.runs import DREG, left, reported

FILES, DOCUMENTS = 8, 1500


def words(stored: Path, out: Path, *options: str) -> list[str]:
    return [*DREG, "validate", str(stored), "--format", "parquet", "-o", str(out), *options]


def begin(command: Sequence[str]) -> Any:
    return start_limited(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True)


def finished(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return run_limited(command, capture_output=True, env=ENVIRONMENT, text=True, check=False)


def check_complete(out: Path) -> None:
    assert set(reported(out).values()) == {1}
    assert len(reported(out)) == FILES * DOCUMENTS
    assert left(out) == []
