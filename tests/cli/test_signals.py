"""SIGINT, SIGTERM, SIGHUP exit with 130, 143, 129, say what was done, and leave nothing half done (CLI-04, CLI-06)."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from dreg_client.values.sizes import byte_size
from tests.commands import run_limited, start_limited
from tests.raw_server import answer, speaking

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
                print("stubborn", file=sys.stderr, flush=True)
                time.sleep(60)
LayoutSource.open_blob = lambda source, request: Slowly()
from dreg_client.cli import main
main()
"""
SIGNAL_AT_START = """
import multiprocessing.util, os, sys
from dreg_client.cli import main
def signals(start, left, number):
    def starts(*arguments):
        nonlocal left
        if process := start(*arguments):
            left -= 1
            if not left:
                os.kill(os.getpid(), number)
        return process
    return starts
if __name__ == "__main__":
    left, number = int(sys.argv.pop(1)), int(sys.argv.pop(1))
    os.fork = signals(os.fork, left, number)
    multiprocessing.util.spawnv_passfds = signals(multiprocessing.util.spawnv_passfds, left, number)
    main()
"""


@contextmanager
def running(command: list[str], stdout: int | IO[bytes] = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
    pipe = subprocess.PIPE
    with start_limited(command, stdin=pipe, stdout=stdout, stderr=pipe, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(what: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end, "it did not happen within 20 seconds"
        time.sleep(0.02)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_an_interrupted_validation_says_how_many_documents_were_checked(number: signal.Signals, code: int) -> None:
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
    assert re.fullmatch(rb"dreg: interrupted; [1-9]\d* documents? w(as|ere) checked\n", told), told


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_the_json_of_an_interrupted_validation_is_a_whole_document(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with (tmp_path / "out").open("w+b") as out:
        command = [*COMMAND, "validate", "--lines", "--format", "json", "-"]
        with running(command, out) as process:
            assert process.stdin
            process.stdin.write(b'{"schemaVersion": 2}\n' * 20_000)
            process.stdin.flush()
            wait_for(lambda: (tmp_path / "out").stat().st_size)
            process.send_signal(number)
            process.wait(10)
        told = json.loads((tmp_path / "out").read_bytes())

    assert process.returncode == code
    assert told["summary"]["interrupted"] is True
    assert len(told["documents"]) == told["summary"]["checked"] == told["summary"]["invalid"]


@pytest.mark.parametrize("module", ["dreg_client.cli.signals", "dreg_client.cli.app", "click"])
@pytest.mark.parametrize(
    "way",
    [
        "from dreg_client.cli import main; main()",
        "import runpy; runpy.run_module('dreg_client.cli', run_name='__main__')",
    ],
)
def test_ctrl_c_while_the_command_line_is_imported_exits_without_a_traceback(way: str, module: str) -> None:
    interrupting = (
        "import os, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
    )
    done = run_limited([sys.executable, "-c", interrupting + way], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


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
        told = process.stderr.read()

    assert process.returncode == code
    assert told == b"dreg: interrupted; nothing was written to %s\n" % os.fsencode(target)
    assert [path.name for path in tmp_path.iterdir()] == ["blob"]
    assert target.read_bytes() == b"what was there"


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_an_interrupted_blob_says_what_it_keeps(tmp_path: Path, number: signal.Signals, code: int) -> None:
    words = ["blob", "oci:fixtures/layouts/multi", DIGEST, "--resume", "-o", str(tmp_path / "blob")]
    with running([sys.executable, "-c", SLOW_BLOB, *words]) as process:
        assert process.stderr
        assert process.stderr.readline() == b"begun\n"
        process.send_signal(number)
        process.wait(10)
        told = process.stderr.read()

    assert process.returncode == code
    [part] = tmp_path.iterdir()
    assert told == b"dreg: interrupted; 4 B kept in %s; the same command continues the download\n" % os.fsencode(part)
    assert part.read_bytes() == b"half"


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
    assert re.fullmatch(rb"dreg: interrupted; \d+ documents were checked\n", told), told
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


@pytest.mark.parametrize("output", ["text", "parquet"])
@pytest.mark.parametrize("number", [*(number for number, _ in SIGNALS), signal.SIGKILL])
@pytest.mark.parametrize("started", [1, 2])
def test_cli_04_a_process_that_just_started_ends_with_it(
    tmp_path: Path, started: int, number: signal.Signals, output: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(SIGNAL_AT_START)
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_bytes(Path("fixtures/dumps/manifests.jsonl").read_bytes() * 400)
    words = ["validate", "--jobs", "2", str(tmp_path / "a.jsonl")]
    if output == "parquet":  # its processes are spawned, after the one of `resource_tracker`
        started, words = (
            started + 1,
            [*words, str(tmp_path / "b.jsonl"), "--format", "parquet", "-o", f"{tmp_path}/out"],
        )
    with running([sys.executable, str(program), str(started), str(number.value), *words]) as process:
        _, told = process.communicate(timeout=60)  # until no process has stderr open

    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert number == signal.SIGKILL or re.fullmatch(rb"dreg: interrupted; .*\n", told), told


def test_cli_04_a_second_signal_exits_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUBBORN", "1")
    command = [sys.executable, "-c", SLOW_BLOB, "blob", "oci:fixtures/layouts/multi", DIGEST, "-o", str(tmp_path / "b")]
    with running(command) as process:
        assert process.stderr
        process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        while process.stderr.readline() != b"stubborn\n":
            pass
        process.send_signal(signal.SIGINT)

        assert process.wait(5) == 130


def children(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except FileNotFoundError:
        return []


@pytest.mark.parametrize("names", [1, 3])
@pytest.mark.parametrize("command", ["resolve", "validate", "blob"])
def test_cli_04_a_command_that_waits_for_a_registry_can_be_interrupted(
    tmp_path: Path, command: str, names: int
) -> None:
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
    assert told == {
        "resolve": b"",
        "validate": b"dreg: interrupted; 0 documents were checked\n",
        "blob": b"dreg: interrupted; nothing was written to %s\n" % os.fsencode(tmp_path / "blob"),
    }.get(command)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_an_interrupted_blob_on_standard_output_says_that_it_is_incomplete(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """The registry sends 1 MiB of 2 MiB, then nothing more."""

    def registry(_: bytes, connection: socket.socket) -> bool:
        connection.sendall(answer(bytes(1 << 20), length=2 << 20))
        return bool(connection.recv(1))

    with speaking(registry) as server:
        source = f"localhost:{server.port}/acme/web@{DIGEST}"
        with running([*COMMAND, "blob", source, "--anonymous"]) as process:
            assert process.stdout
            process.stdout.read(1)
            process.send_signal(number)
            _, told = process.communicate()
        assert (process.returncode, told) == (code, b"dreg: interrupted; the output is incomplete\n")

        target = tmp_path / "blob"
        with target.open("wb") as file, running([*COMMAND, "blob", source, "--anonymous"], stdout=file) as process:
            wait_for(lambda: target.stat().st_size)
            process.send_signal(number)
            _, told = process.communicate()

    assert process.returncode == code
    size = target.stat().st_size
    assert told == b"dreg: interrupted; the output is incomplete: %s of 2.0 MiB\n" % byte_size(size).encode()


MANIFEST = Path("fixtures/valid/oci-manifest.json").read_bytes()
MANIFEST_DIGEST = hashlib.sha256(MANIFEST).hexdigest()


def hesitant_registry(head: bytes, connection: socket.socket) -> bool:
    """A registry that does not answer a request for the tags latest and 1.3, nor a deletion."""
    method, target = head.split()[:2]
    image = "Content-Type: application/vnd.oci.image.manifest.v1+json"
    headers = f"Docker-Content-Digest: sha256:{MANIFEST_DIGEST}", image
    if method == b"PUT":
        connection.recv(len(MANIFEST), socket.MSG_WAITALL)
    if target.endswith((b"/latest", b"/1.3")) or method == b"DELETE":
        return bool(connection.recv(1))
    if method == b"PUT":
        connection.sendall(answer(b"", "201 Created", *headers))
    else:
        connection.sendall(answer(b"" if method == b"HEAD" else MANIFEST, "200 OK", *headers, length=len(MANIFEST)))
    return True


@pytest.mark.parametrize(("number", "code"), SIGNALS)
@pytest.mark.parametrize(
    ("arguments", "unanswered", "outcome"),
    [
        (["tag", "{}:1.4", "1", "latest", "2"], b"PUT", "tagged: 1; not confirmed: latest; not tagged: 2"),
        (["untag", "{}:1.3"], b"DELETE", "the deletion of {}:1.3 is not confirmed"),
        (
            ["delete", f"{{}}@sha256:{MANIFEST_DIGEST}"],
            b"DELETE",
            f"the deletion of {{}}@sha256:{MANIFEST_DIGEST} is not confirmed",
        ),
    ],
    ids=["tag", "untag", "delete"],
)
def test_interrupted_changes_say_which_are_confirmed(
    number: signal.Signals, code: int, arguments: list[str], unanswered: bytes, outcome: str
) -> None:
    def is_unanswered(head: bytes) -> bool:
        method, target = head.split()[:2]
        return method == unanswered and target.endswith((b"/latest", b"/1.3", MANIFEST_DIGEST.encode()))

    with speaking(hesitant_registry) as server:
        web = f"localhost:{server.port}/acme/web"
        with running([*COMMAND, *(argument.format(web) for argument in arguments), "--anonymous"]) as process:
            wait_for(lambda: any(is_unanswered(head) for head in server.heads))
            process.send_signal(number)
            _, told = process.communicate()

    assert process.returncode == code
    assert told.decode() == f"dreg: interrupted; {outcome.format(web)}\n"
