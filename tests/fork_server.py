"""A process that has imported the command line, and forks for each command: `python fork_server.py DESCRIPTOR`.

Importing takes ten times as long as most commands do. Each command still runs in a process of its own, with its own
arguments, environment, folder, umask, limits and streams, and ends as any interpreter ends.
"""

import atexit
import gc
import json
import os
import pkgutil
import resource
import runpy
import selectors
import signal
import socket
import sys
import threading
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
    running: dict[int, tuple[int, int]] = {}  # the process of a command and where to report its end, by its descriptor
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd in running:
                    selector.unregister(key.fd)
                    _report(key.fd, *running.pop(key.fd))
                    continue
                message, streams, _, _ = socket.recv_fds(channel, LARGEST, 4)
                if not message:
                    return None
                process = os.fork()
                if process == 0:
                    _close(channel.detach(), *running, *(report for _, report in running.values()))
                    return _with_streams(json.loads(message), streams)
                *standard, report = streams
                _close(*standard)
                os.write(report, b"%d\n" % process)
                descriptor = os.pidfd_open(process)
                selector.register(descriptor, selectors.EVENT_READ)
                running[descriptor] = process, report


def _report(descriptor: int, process: int, report: int) -> None:
    """Tell how a command ended."""
    _, status = os.waitpid(process, 0)
    with suppress(BrokenPipeError):
        os.write(report, b"%d\n" % os.waitstatus_to_exitcode(status))
    _close(descriptor, report)


def _with_streams(command: Mapping[str, Any], streams: list[int]) -> Mapping[str, Any]:
    """Make the streams of a command the standard ones of this process."""
    for number, stream in enumerate(streams[:3]):
        os.dup2(stream, number)
    _close(*streams)
    return command


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


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
    try:
        runpy.run_module("dreg_client.cli", run_name="__main__", alter_sys=True)
    except SystemExit as leaving:
        if isinstance(leaving.code, int | None):
            _end(leaving.code or 0)
        raise


def _end(code: int) -> None:
    """End as an interpreter ends, but without taking its objects apart: that would copy all memory that forks share."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with suppress(OSError):  # then the interpreter says so at its own end
        for stream in (sys.stdout, sys.stderr):
            if not stream.closed:
                stream.flush()
        os._exit(code)


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
