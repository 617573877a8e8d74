"""Commands of `dreg`, each in a process that is forked from one which has imported the command line."""

import atexit
import fcntl
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from tests.forked_dreg import as_message

ROOT = Path(__file__).parents[1]
PATIENCE = 240.0
"""Seconds after which a command is killed, so that a command that hangs fails one test and not the run."""
PIPE = 65536
MEBIBYTE = 1 << 20
run_limited = partial(subprocess.run, timeout=PATIENCE)
"""`subprocess.run` with a limit of time."""


@contextmanager
def start_limited(command: Sequence[str | Path], **options: Any) -> Generator["subprocess.Popen[Any]"]:
    """Start a process that is killed after `PATIENCE`, and when the block fails; then its pipes and terminals end."""
    process = subprocess.Popen(command, **options)
    limit = threading.Timer(PATIENCE, process.kill)
    limit.start()
    try:
        with process:
            try:
                yield process
            except BaseException:
                process.kill()
                raise
    finally:
        limit.cancel()


def run_dreg(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    stdin: bytes = b"",
    folder: Path | None = None,
    umask: int | None = None,
) -> "subprocess.CompletedProcess[bytes]":
    """Run a command as `python -m dreg_client.cli` does; it inherits this process's limits, too.

    Args:
        arguments: What follows `dreg`.
        environment: All of its environment variables.
        stdin: Its standard input, 1 MiB at most.
        folder: Its working directory; this process's unless told.
        umask: Its umask; this process's unless told.
    """
    assert len(stdin) <= MEBIBYTE
    message = as_message(arguments, environment=environment, folder=str(folder or Path.cwd()), umask=umask)
    with ExitStack() as stack:
        (its_in, our_in), (our_out, its_out), (our_err, its_err) = os.pipe(), os.pipe(), os.pipe()
        our_report, its_report = os.pipe()
        its = [its_in, its_out, its_err, its_report]
        outputs = [stack.enter_context(os.fdopen(ours, "rb", buffering=0)) for ours in (our_out, our_err, our_report)]
        try:
            fcntl.fcntl(our_in, fcntl.F_SETPIPE_SZ, max(len(stdin), PIPE))  # written before anything reads it
            os.write(our_in, stdin)
            socket.send_fds(_server(), [message], its)
        finally:
            for descriptor in (our_in, *its):
                os.close(descriptor)
        out, err, report = _read_all([output.fileno() for output in outputs])
    code = int(report.split()[1])
    return subprocess.CompletedProcess(list(arguments), code, out, err)


def _read_all(descriptors: list[int]) -> list[bytes]:
    """Read to the end of each; the last one begins with the number of the process to end where that takes too long."""
    found = {descriptor: bytearray() for descriptor in descriptors}
    with selectors.DefaultSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(PATIENCE)
            if not ready:
                os.kill(int(found[descriptors[-1]].split()[0]), signal.SIGKILL)
                raise TimeoutError(f"the command says nothing for {PATIENCE} seconds")
            for key, _ in ready:
                piece = os.read(key.fd, PIPE)
                found[key.fd] += piece
                if not piece:
                    selector.unregister(key.fd)
    return [bytes(octets) for octets in found.values()]


def put_dreg(folder: Path) -> int:
    """Write a command `dreg` for shells into a folder; return the descriptor that they must inherit (`pass_fds`)."""
    channel = _server().fileno()
    file = folder / "dreg"
    file.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{ROOT}/tests/forked_dreg.py" {channel} "$@"\n')
    file.chmod(0o755)
    return channel


@cache
def _server() -> socket.socket:
    """Start the process that forks; it ends with this one."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("fork_server.py")), str(its.fileno())],
        stdin=subprocess.DEVNULL,
        pass_fds=[its.fileno()],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )
    its.close()

    def end() -> None:
        ours.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:  # a process that a test forked has the socket open, too
            process.kill()

    atexit.register(end)
    return ours
