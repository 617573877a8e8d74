"""A signal ends a command even if nothing reads its output: CLI-44."""

import json
import os
import select
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.commands import start_limited
from tests.hostile.measured import COMMAND

LINES = b'{"schemaVersion": 2}\n'
FORMATS = ["text", "json", "jsonl", "github"]


def validating(output: str) -> Sequence[str]:
    return [*COMMAND, "validate", "--lines", "--format", output, "-"]


def feed(process: "subprocess.Popen[bytes]") -> None:
    """Give it more to do than a pipe holds the results of."""
    assert process.stdin
    with process.stdin:
        for _ in range(1000):
            process.stdin.write(LINES * 100)


def start_feeding(process: "subprocess.Popen[bytes]") -> None:
    threading.Thread(target=lambda: _quietly(process), daemon=True).start()


def _quietly(process: "subprocess.Popen[bytes]") -> None:
    try:
        feed(process)
    except BrokenPipeError:
        return


def wait_until_full(pipe: int) -> None:
    """Wait until a pipe takes no more."""
    poll = select.poll()
    while True:
        poll.register(pipe, select.POLLOUT)
        if not poll.poll(0):
            return
        os.sched_yield()


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_cli_44_one_signal_ends_a_validation_whose_reader_stopped(
    output: str, number: signal.Signals, code: int
) -> None:
    ours, its = os.pipe()
    try:
        with start_limited(
            validating(output), stdin=subprocess.PIPE, stdout=its, stderr=subprocess.PIPE, start_new_session=True
        ) as process:
            start_feeding(process)
            wait_until_full(its)
            process.send_signal(number)
            assert process.wait(20) == code
            assert process.stderr
            told = process.stderr.read()
    finally:
        os.close(ours)
        os.close(its)
    assert told.startswith(b"dreg: interrupted; ")
    assert told.count(b"\n") == 1


def test_cli_44_a_reader_that_is_slow_gets_a_whole_document(tmp_path: Path) -> None:
    with start_limited(
        validating("json"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        start_feeding(process)
        assert process.stdout
        found = process.stdout.read(200_000)
        process.send_signal(signal.SIGINT)
        found += process.stdout.read()
        assert process.wait(20) == 130
    assert json.loads(found)["summary"]["interrupted"] is True
