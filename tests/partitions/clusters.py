"""A Dask scheduler and workers, as processes that listen on this machine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.commands import start_limited
from tests.partitions.runs import ROOT, wait_for

DASK = str(Path(sys.executable).with_name("dask"))
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class Cluster:
    """A scheduler; workers are started by tests."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._file, self._stack = folder / "scheduler.json", stack
        self._processes: list[subprocess.Popen[Any]] = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", ":0")
        wait_for(lambda: self._file.exists() and self._file.read_text().endswith("}"))
        self.address: str = json.loads(self._file.read_text())["address"]

    def _start(self, *words: str, environment: Mapping[str, str] = ENVIRONMENT) -> "subprocess.Popen[Any]":
        command = [DASK, *words, "--scheduler-file", str(self._file)]
        options = {**QUIET, "env": {**environment}, "cwd": self._file.parent, "start_new_session": True}
        self._processes.append(self._stack.enter_context(start_limited(command, **options)))
        return self._processes[-1]

    def start_worker(self, *, threads: int = 1, **environment: str) -> "subprocess.Popen[Any]":
        """Start a worker with one thread, and the process that restarts it if it is killed."""
        words = ("worker", "--nthreads", str(threads), "--host", "127.0.0.1", "--dashboard-address", ":0")
        return self._start(*words, environment={**ENVIRONMENT, **environment})

    def end(self) -> None:
        """Kill all processes, and those that they have started."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def cluster(folder: Path) -> Generator[Cluster, None, None]:
    """Start a scheduler; end it and its workers afterwards."""
    with ExitStack() as stack:
        running = Cluster(folder, stack)
        try:
            yield running
        finally:
            running.end()
