"""The real command line in an interpreter of its own: what it printed, how long it took, how much memory it had."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO, Any

from tests.commands import start_limited
from tests.faultserver import Network
from tests.hostile.downloads import MIB

COMMAND = [sys.executable, "-m", "dreg_client.cli"]
MEASURING = """
import os, sys
process = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(process, 0)
os.write(int(sys.argv[1]), b"%d %d" % (usage.ru_maxrss, os.waitstatus_to_exitcode(status)))
"""
"""A small process between a test and the command: a process starts with the peak of the one that started it."""
KEPT = MIB
UNIT = 1 if sys.platform == "darwin" else 1024
"""The unit of `ru_maxrss`, in bytes."""


@dataclass(frozen=True)
class Measured:
    """How a command ended.

    Attributes:
        code: Its exit code; negative for the signal that killed it.
        peak: Its largest resident size, in bytes.
        seconds: How long it took.
        out: The first mebibyte of its output.
        err: The same of its errors.
        printed: The size of all of its output.
    """

    code: int
    peak: int
    seconds: float
    out: bytes
    err: str
    printed: int


def run_measured(net: Network, *words: str | Path, limit: float = 60.0, until: int | None = None) -> Measured:
    """Run a command against a network.

    Args:
        net: The network.
        words: What follows `dreg`.
        limit: Seconds after which it is killed.
        until: The reader of its output leaves after so many bytes; None: it reads all.
    """
    began, (ours, its) = monotonic(), os.pipe()
    command = [*COMMAND, words[0], *_trust(net, str(words[0])), *words[1:]]
    with start_limited(
        [sys.executable, "-IS", "-c", MEASURING, str(its), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=net.environment(),
        pass_fds=[its],
        start_new_session=True,
    ) as process:
        os.close(its)
        timer = threading.Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        out, err = _Reader(process.stdout, until), _Reader(process.stderr, None)
        process.wait()
        timer.cancel()
        out.join()
        err.join()
    with os.fdopen(ours, "rb") as report:
        peak, code = map(int, report.read().split() or (b"0", b"-9"))
    text = err.kept.decode(errors="replace")
    return Measured(code, peak * UNIT, monotonic() - began, bytes(out.kept), text, out.size)


def _trust(net: Network, command: str) -> Sequence[str]:
    return [] if command in {"logout", "report"} else ["--ca-file", str(net.ca_file)]


class _Reader(threading.Thread):
    """Reads a pipe to its end, or to the place at which the reader leaves."""

    def __init__(self, pipe: IO[Any] | None, until: int | None) -> None:
        super().__init__(daemon=True)
        assert pipe is not None
        self.kept = bytearray()
        self.size = 0
        self._pipe, self._until = pipe, until
        self.start()

    def run(self) -> None:
        with self._pipe:
            while piece := os.read(self._pipe.fileno(), 65536):
                self.kept += piece[: KEPT - len(self.kept)] if len(self.kept) < KEPT else b""
                self.size += len(piece)
                if self._until is not None and self.size >= self._until:
                    return
