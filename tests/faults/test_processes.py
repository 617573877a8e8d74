"""`dreg blob -o` as a process, killed in the midst of a body (kill -9), or with no room left."""

import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands import run_limited, start_limited
from tests.faults.blobs import BLOB, DIGEST, OLD, PART, Giving
from tests.raw_server import RawServer, speaking

ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, "-m", "dreg_client.cli", "blob"]
SMALL = (
    "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
    "from dreg_client.cli import main\nmain()"
)


@contextmanager
def running(command: list[str]) -> Generator[subprocess.Popen[bytes]]:
    with start_limited(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(what: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def arguments(server: RawServer, target: Path, *more: str) -> list[str]:
    return [f"localhost:{server.port}/a/b@{DIGEST}", "-o", str(target), *more]


def kill_in_the_midst(giving: Giving, server: RawServer, target: Path, *more: str) -> None:
    """Kill it once a part of the body is in a file; the rest is never sent."""
    before = set(target.parent.iterdir())
    with running([*COMMAND, *arguments(server, target, *more)]) as process:
        wait_for(lambda: any(path.stat().st_size for path in set(target.parent.iterdir()) - before))
        process.kill()
        assert process.wait(60) == -9
    giving.gone.wait(60)
    giving.stops_after = None


def dreg_blob(server: RawServer, target: Path, *more: str) -> int:
    done = run_limited([*COMMAND, *arguments(server, target, *more)], capture_output=True, cwd=ROOT, check=False)
    assert done.stderr == b""
    return done.returncode


@pytest.mark.parametrize("more", [[], ["--resume"]], ids=str)
def test_lay_11_a_download_that_is_killed_leaves_the_old_file_and_can_be_made_again(
    tmp_path: Path, more: list[str]
) -> None:
    target = tmp_path / "blob"
    target.write_bytes(OLD)
    giving = Giving(stops_after=len(BLOB) - 1)
    with speaking(giving) as server:
        kill_in_the_midst(giving, server, target, *more)
        assert target.read_bytes() == OLD
        assert len(list(tmp_path.iterdir())) == 2

        assert dreg_blob(server, target, *more) == 0
    assert target.read_bytes() == BLOB
    assert not (tmp_path / PART).exists()
    first, again = giving.starts
    assert first == 0
    assert (again > 0) == bool(more)


def test_4_8_nothing_is_trusted_of_what_a_killed_download_left(tmp_path: Path) -> None:
    giving = Giving(stops_after=len(BLOB) - 1)
    with speaking(giving) as server:
        kill_in_the_midst(giving, server, tmp_path / "blob", "--resume")
        part = tmp_path / PART
        part.write_bytes(bytes(part.stat().st_size))

        assert dreg_blob(server, tmp_path / "blob", "--resume") == 0
    assert (tmp_path / "blob").read_bytes() == BLOB
    assert [path.name for path in tmp_path.iterdir()] == ["blob"]


@pytest.mark.parametrize("more", [[], ["--resume"]], ids=str)
def test_lay_12_a_full_disk_leaves_the_old_file_and_says_so(tmp_path: Path, more: list[str]) -> None:
    target = tmp_path / "blob"
    target.write_bytes(OLD)
    with speaking(Giving()) as server:
        command = [sys.executable, "-c", SMALL, "blob", *arguments(server, target, *more)]
        done = run_limited(command, capture_output=True, text=True, cwd=ROOT, check=False)

        assert done.returncode == 5
        assert done.stderr.startswith("dreg: ")
        assert "cannot be written: File too large" in done.stderr
        assert "Traceback" not in done.stderr
        assert target.read_bytes() == OLD
        assert {path.name for path in tmp_path.iterdir()} <= {"blob", *([PART] if more else [])}

        assert dreg_blob(server, target, *more) == 0
    assert target.read_bytes() == BLOB
