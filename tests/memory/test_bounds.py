"""Nothing that a registry sends makes a process large (3.7; the limits of 4.6)."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_limited
from tests.memory.bombs import LARGE, script
from tests.raw_server import RawServer, speaking

ROOT = Path(__file__).parent.parent.parent
REFUSED = 20 << 20
STREAMED = 64 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with speaking(script) as running:
        yield running


def measured(server: RawServer, folder: Path, way: str, act: str, name: str) -> Any:
    command = [sys.executable, "-m", "tests.memory.growth", server.url, way, act, name]
    done = run_limited(command, capture_output=True, text=True, cwd=folder, env={"PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


BOMBS = [
    ("manifest", "endless-length", "ResponseTooLargeError"),
    ("manifest", "endless-chunked", "ResponseTooLargeError"),
    ("manifest", "endless-close", "ResponseTooLargeError"),
    ("manifest", "refused-chunked", "DeniedError"),
    ("manifest", "packed", "ContentEncodingError"),
    ("manifest", "deep", "InvalidDocumentError"),
    ("manifest", "wide", "TooManyEntriesError"),
    ("config", "huge", "ResponseTooLargeError"),
    ("tags", "endless-chunked", "ResponseTooLargeError"),
    ("tags", "tags", "ResponseTooLargeError"),
    ("tags", "token-server", "TokenTooLargeError"),
    ("little", "endless-length", "ResponseTooLargeError"),
    ("little", "packed", "ContentEncodingError"),
    ("described", "deep", "SizeMismatchError"),
]


@pytest.mark.parametrize("way", ["thread", "task"])
@pytest.mark.parametrize(("act", "name", "error"), BOMBS, ids=str)
def test_dld_20_what_is_refused_takes_no_memory(
    server: RawServer, tmp_path: Path, way: str, act: str, name: str, error: str
) -> None:
    found = measured(server, tmp_path, way, act, name)

    assert found["ended"] == error
    assert found["growth"] < REFUSED


@pytest.mark.parametrize("way", ["thread", "task"])
def test_3_7_a_large_blob_goes_by_in_little_memory(server: RawServer, tmp_path: Path, way: str) -> None:
    found = measured(server, tmp_path, way, "download", "sized")

    assert found["ended"] == "well"
    assert (tmp_path / "blob").stat().st_size == LARGE
    assert found["growth"] < STREAMED
