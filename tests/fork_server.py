"""A process that has imported the command line, and forks for each command: `python fork_server.py DESCRIPTOR`.

Importing takes ten times as long as most commands do. Each command still runs in a process of its own, with its own
arguments, environment, folder, umask, limits and streams, and ends as any interpreter ends.
"""

import gc
import json
import os
import pkgutil
import resource
import runpy
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

import dreg_client

CHILD = Path(__file__).parent / "faultserver/child/sitecustomize.py"
LARGEST = 1 << 20


def serve(channel: socket.socket) -> Mapping[str, Any] | None:
    """Fork for each command that the channel brings; return the command in its process, None when there are no more."""
    while True:
        message, streams, _, _ = socket.recv_fds(channel, LARGEST, 4)
        if not message:
            return None
        if os.fork() == 0:
            channel.close()
            return _forked_again(json.loads(message), streams)
        for stream in streams:
            os.close(stream)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _forked_again(command: Mapping[str, Any], streams: list[int]) -> Mapping[str, Any]:
    """Fork once more: one process runs the command, the other waits for it and tells how it ended."""
    *standard, report = streams
    command_process = os.fork()
    if command_process:
        os.write(report, b"%d\n" % command_process)
        _, status = os.waitpid(command_process, 0)
        os.write(report, b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    for number, stream in enumerate(standard):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    return command


def run(command: Mapping[str, Any]) -> None:
    """Run the command as a new interpreter would."""
    os.environ.clear()
    os.environ.update(command["environment"])
    os.chdir(command["folder"])
    os.umask(command["umask"])
    for kind, limit in command["limits"].items():
        resource.setrlimit(getattr(resource, kind), tuple(limit))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = sys.__stdin__ = _opened(sys.stdin, 0, "r")
    sys.stdout = sys.__stdout__ = _opened(sys.stdout, 1, "w")
    sys.stderr = sys.__stderr__ = _opened(sys.stderr, 2, "w")
    if "TESTS_NETWORK" in os.environ:
        runpy.run_path(str(CHILD))
    sys.argv[1:] = command["arguments"]
    runpy.run_module("dreg_client.cli", run_name="__main__", alter_sys=True)


def _opened(before: TextIO, descriptor: int, mode: str) -> TextIO:
    """Open a standard stream anew: the one from before the fork remembers what kind of file stood there."""
    opened = open(descriptor, mode, encoding=before.encoding, errors=before.errors, closefd=False)  # noqa: SIM115
    opened.reconfigure(line_buffering=mode == "w" and (descriptor == 2 or opened.isatty()))
    return opened


if __name__ == "__main__":
    for module in pkgutil.walk_packages(dreg_client.__path__, "dreg_client."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    gc.freeze()  # what is there before a fork is not looked at, and so not copied, behind it
    taken = serve(socket.socket(fileno=int(sys.argv[1])))
    if taken is not None:
        run(taken)
