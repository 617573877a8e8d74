"""Processes of `multiprocessing` that a signal cannot leave half started, and that never outlive their parent."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext, SpawnProcess
from typing import ParamSpec, TypeVar

Given = TypeVar("Given")
Params = ParamSpec("Params")
Result = TypeVar("Result")


class WorkerPool(ProcessPoolExecutor):
    """A pool whose processes start with the first task.

    Args:
        jobs: The number of processes.
    """

    def __init__(self, jobs: int) -> None:
        # A fork copies one thread only. Libraries such as fsspec start others when an input is opened.
        self._context = multiprocessing.get_context("spawn" if threading.active_count() > 1 else None)
        super().__init__(jobs, mp_context=self._context, initializer=_begin)

    def submit(self, work: Callable[Params, Result], /, *args: Params.args, **named: Params.kwargs) -> Future[Result]:
        """Start a process if one is needed; return the result to come."""
        with _uninterrupted(self._context):
            return super().submit(work, *args, **named)


def start_process(serve: Callable[[Connection, Given], object], given: Given) -> tuple[SpawnProcess, Connection]:
    """Start a process that calls `serve` with its end of a connection; return the process and the other end."""
    # Libraries such as pyarrow and fsspec have threads, which a forked process would lack.
    context = multiprocessing.get_context("spawn")
    connection, its_end = context.Pipe()
    process = context.Process(target=_run, args=(serve, its_end, given), daemon=True)
    with _uninterrupted(context):
        process.start()
    its_end.close()  # so that its death ends the connection
    return process, connection


def _run(serve: Callable[[Connection, Given], object], connection: Connection, given: Given) -> None:
    _begin()
    serve(connection, given)


@contextmanager
def _uninterrupted(context: BaseContext) -> Generator[None]:
    """Deliver the signals of a block in which a process starts at its end.

    If a signal raised an exception after a process has started and before it is registered, nothing would end it.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    if context.get_start_method() != "fork":
        resource_tracker.ensure_running()  # Python 3.11 unblocks signals when it starts this
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Let this process end with its parent, however that ends, and leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _signals())  # blocked when this process started
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _signals() -> set[signal.Signals]:
    return {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
