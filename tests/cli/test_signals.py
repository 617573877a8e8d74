"""SIGINT, SIGTERM, SIGHUP leave with 130, 143, 129, without a word, and nothing half done behind (CLI-04, CLI-06)."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands import start_limited
from tests.raw_server import speaking

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
COMMAND = [sys.executable, "-m", "dreg_client.cli"]
DIGEST = "sha256:79aa310da7d4b7f13fa37b6bb09d075a05d6618e288a8450772fda3d4643ffc3"
SLOW_BLOB = """
import os, sys, time
from dreg_client._sync.layout import LayoutSource
class Slowly:
    encoding = ""
    def __enter__(self):
        self.chunks = self.read()
        return self
    def __exit__(self, *_):
        self.chunks.close()
    def __iter__(self):
        return self
    def __next__(self):
        return next(self.chunks)
    def read(self):
        yield b"half"
        try:
            print("begun", file=sys.stderr, flush=True)
            time.sleep(60)
        finally:
            if "STUBBORN" in os.environ:
                time.sleep(60)
LayoutSource.open_blob = lambda source, request: Slowly()
from dreg_client.cli import main
main()
"""


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    pipe = subprocess.PIPE
    with start_limited(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(what: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_while_waiting_for_input_leaves_without_a_word(number: signal.Signals, code: int) -> None:
    with running([*COMMAND, "validate", "--lines", "--format", "jsonl", "-"]) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b'{"schemaVersion": 2}\n' * 1000)
        process.stdin.flush()
        process.stdout.read(1)  # it is at work
        process.send_signal(number)
        process.wait(10)
        _, told = process.communicate()

    assert process.returncode == code
    assert told == b""


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_cli_04_a_blob_that_is_interrupted_leaves_the_old_file_and_no_other(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    target = tmp_path / "blob"
    target.write_bytes(b"what was there")
    command = [sys.executable, "-c", SLOW_BLOB, "blob", "oci:fixtures/layouts/multi", DIGEST, "-o", str(target)]
    with running(command) as process:
        assert process.stderr
        assert process.stderr.readline() == b"begun\n"
        assert len(list(tmp_path.iterdir())) == 2
        process.send_signal(number)
        process.wait(10)

    assert process.returncode == code
    assert [path.name for path in tmp_path.iterdir()] == ["blob"]
    assert target.read_bytes() == b"what was there"


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_what_an_interrupted_blob_keeps_is_told(tmp_path: Path, number: signal.Signals, code: int) -> None:
    words = ["blob", "oci:fixtures/layouts/multi", DIGEST, "--resume", "-o", str(tmp_path / "blob")]
    with running([sys.executable, "-c", SLOW_BLOB, *words]) as process:
        assert process.stderr
        assert process.stderr.readline() == b"begun\n"
        process.send_signal(number)
        process.wait(10)
        told = process.stderr.read()

    assert process.returncode == code
    assert told == b"dreg: interrupted; 4 bytes are kept, and the same command goes on with them\n"
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"half"]


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_processes_that_work_on_a_dump_end_with_it(tmp_path: Path, number: signal.Signals, code: int) -> None:
    dump = tmp_path / "dump.jsonl"
    line = Path("fixtures/dumps/manifests.jsonl").read_bytes()
    dump.write_bytes(line * ((40 << 20) // len(line)))
    with running([*COMMAND, "validate", "--jobs", "2", str(dump)]) as process:
        wait_for(lambda: len(children(process.pid)) == 2)
        workers = children(process.pid)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)

    assert process.returncode == code
    assert told == b""
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def test_cli_04_a_second_signal_leaves_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUBBORN", "1")
    command = [sys.executable, "-c", SLOW_BLOB, "blob", "oci:fixtures/layouts/multi", DIGEST, "-o", str(tmp_path / "b")]
    with running(command) as process:
        assert process.stderr
        process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)

        assert process.wait(5) == 130


def children(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except FileNotFoundError:
        return []


@pytest.mark.parametrize("names", [1, 3])
@pytest.mark.parametrize("command", ["resolve", "validate", "blob"])
def test_cli_04_whoever_waits_for_a_registry_can_be_interrupted(tmp_path: Path, command: str, names: int) -> None:
    with speaking(lambda head, connection: bool(connection.recv(1))) as silent:
        digest = f"@{DIGEST}" if command == "blob" else ":1"
        sources = [f"localhost:{silent.port}/acme/web{digest}"] * (1 if command == "blob" else names)
        more = ["-o", str(tmp_path / "blob")] if command == "blob" else []
        with running([*COMMAND, command, *sources, *more]) as process:
            wait_for(lambda: silent.heads)
            process.send_signal(signal.SIGINT)
            process.wait(2)
            _, told = process.communicate()

    assert process.returncode == 130
    assert told == b""
    assert list(tmp_path.iterdir()) == []
