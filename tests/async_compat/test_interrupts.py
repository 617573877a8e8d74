"""Ctrl-C at any moment while threads are started and waited for: none is left, and only the interrupt comes out."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.commands import start_limited

SECONDS = 3
MINUTE = 60


@pytest.fixture
def busy() -> Iterator[None]:
    """Other processes want the processors: then a thread that was started does not run at once."""
    with ExitStack() as stack:
        for _ in range(4):
            process = stack.enter_context(start_limited([sys.executable, "-c", "while True: pass"]))
            stack.callback(process.kill)
        yield


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("interrupts", [1, 3])
def test_interrupts_leave_no_thread(interrupts: int) -> None:
    command = [sys.executable, "-W", "error", str(Path(__file__).with_name("interrupted.py")), str(SECONDS)]
    with start_limited([*command, str(interrupts)], stdout=subprocess.PIPE, text=True) as process:
        try:
            seen = interrupted(process)
        finally:
            process.kill()

    assert seen.pop("interrupted") > 10
    assert seen.pop("nothing left") > 10
    assert seen.keys() <= {"not interrupted"}


def interrupted(process: "subprocess.Popen[str]") -> dict[str, int]:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    until = time.monotonic() + MINUTE
    while process.poll() is None and time.monotonic() < until:
        time.sleep(random.uniform(0, 0.01))  # noqa: S311 (any moment will do)
        process.send_signal(signal.SIGINT)
    return json.loads(process.stdout.read())
