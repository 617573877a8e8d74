"""Processes of `multiprocessing` that a signal cannot leave half started, and that never outlive their parent."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import TypeVar

from dreg_client.errors import ConfigError, WorkerKilledError

Given = TypeVar("Given")
_DAEMON = "a daemonic process, such as a worker of multiprocessing.Pool or Dask, can start no processes; use jobs=1"


@dataclass(frozen=True, eq=False, slots=True)
class ChildProcess:
    """A process that was started by this one.

    Attributes:
        process: The process.
        connection: A connection to it. It ends with the process.
    """

    process: BaseProcess
    connection: Connection

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def start_process(
    serve: Callable[[Connection, Given], object],
    given: Given,
    started: Callable[[ChildProcess], object],
    *,
    forks: bool = False,
) -> None:
    """Start a process that calls `serve` with its end of a connection.

    Args:
        serve: The function. It and its second argument can be pickled.
        given: Its second argument.
        started: Called with the process, before any signal can raise an exception.
        forks: Whether to start the process in the default way, which is fast on Linux before Python 3.14: a fork.
            Libraries such as pyarrow and fsspec have threads, which a forked process would lack; so this is ignored
            if this process has several.

    Raises:
        ConfigError: This process cannot start others, because it is daemonic.
        WorkerKilledError: The system cannot start a process now.
    """
    if multiprocessing.current_process().daemon:
        raise ConfigError(_DAEMON)
    may_fork = forks and threading.active_count() == 1
    context = multiprocessing.get_context() if may_fork else multiprocessing.get_context("spawn")
    with _uninterrupted(context) as blocked_before:
        try:
            connection, its_end = context.Pipe()
            with its_end:  # it is closed, so that the death of the process ends the connection
                process = context.Process(target=_run, args=(its_end, serve, given, blocked_before), daemon=True)
                process.start()
        except OSError as failure:
            reason = f"cannot start a worker process ({failure.strerror or failure}); use jobs=1"
            raise WorkerKilledError(program_path(), reason) from None
        started(ChildProcess(process, connection))


def program_path() -> str:
    """Return the path of the program, for messages."""
    return str(getattr(sys.modules.get("__main__"), "__file__", None) or "the program")


def _run(
    connection: Connection,
    serve: Callable[[Connection, Given], object],
    given: Given,
    blocked_before: set[signal.Signals],
) -> None:
    _begin(blocked_before)
    serve(connection, given)


@contextmanager
def _uninterrupted(context: BaseContext) -> Generator[set[signal.Signals]]:
    """Deliver the signals of a block in which a process starts at its end; yield those that were blocked before.

    If a signal raised an exception after a process has started and before it is registered, nothing would end it.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield set()
        return
    _start_servers(context.get_start_method())
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield {signal.Signals(number) for number in before}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_servers(method: str) -> None:
    """Start the processes of `multiprocessing` that start others, or watch them, while no signals are blocked.

    The first would pass blocked signals on to all processes of the program; Python 3.11 unblocks signals for the other.
    """
    if method == "forkserver":
        from multiprocessing import forkserver  # noqa: PLC0415 (not on Windows)

        forkserver.ensure_running()
    if method != "fork":
        resource_tracker.ensure_running()


def _begin(blocked_before: set[signal.Signals]) -> None:
    """Let this process end with its parent, however that ends, and leave Ctrl-C to it.

    A forked process has the parent's handlers of signals, which concern the parent alone.
    """
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(-1)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked_before)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
