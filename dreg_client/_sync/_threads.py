"""Groups of threads that can be cancelled, for `dreg_client/_sync/_compat.py`.

A thread cannot be cancelled from outside. So every wait within a `TaskGroup` is divided into short slices, and checks
between them whether the group was cancelled. With slices instead of wake-ups (pipes, conditions), cancelling only sets
a flag, which is possible at any moment, in any thread and during an interrupt. No wake-up can be lost, and there is
nothing to close.

`KeyboardInterrupt` may be raised between any two instructions of the main thread. So state that must be correct after
an interrupt is not stored by Python code, which could be interrupted halfway, but in a lock that is implemented in C
and knows its owner (`RLock`).
"""

import _thread
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeVarTuple

from dreg_client.values.waiting import wait_in_steps

Arguments = TypeVarTuple("Arguments")
_SLICE: Final = 0.05
"""The seconds after which a waiting thread checks whether its group was cancelled."""
_LATEST_START: Final = 1.0
"""The seconds within which a started thread begins to run."""


class Cancelled(BaseException):
    """The task group of this thread was cancelled. Only the group itself may catch this exception."""


class Scope:
    """The state that the threads of a group share."""

    def __init__(self) -> None:
        self.parent = current.get()
        self.errors: list[BaseException] = []  # the errors that threads raised, in order
        self.is_cancelled = False  # whether the threads must end
        self.is_abandoned = False  # whether the group was deleted without `__exit__` (see `TaskGroup.__del__`)
        self.host = threading.get_ident()  # the thread that entered the group

    def must_end(self) -> bool:
        """Return whether this group or an enclosing one was cancelled."""
        return self.is_cancelled or (self.parent is not None and self.parent.must_end())

    def check(self) -> None:
        """Raise `Cancelled` if this thread must end."""
        if self.is_abandoned and self.host == threading.get_ident():
            current.set(self.parent)
        elif self.must_end():
            raise Cancelled

    def wait(self, step: Callable[[float], object], timeout: float) -> bool:
        """Wait by calling `step`, which waits for some seconds, and returns whether its condition is met."""
        deadline = time.monotonic() + timeout
        while True:
            self.check()
            left = deadline - time.monotonic()
            if step(max(min(left, _SLICE), 0)):
                return True
            if left <= _SLICE:
                return False


current: Final[ContextVar[Scope | None]] = ContextVar("current", default=None)


class _Work:
    """A function that is called in its own thread."""

    def __init__(self, scope: Scope, call: Callable[[], object]) -> None:
        self._scope, self._call = scope, call
        # Held by the thread while it runs. `join` acquires it to wait for the thread's end; or, if the start was
        # interrupted before the thread ran, to prevent it from running later.
        self._right_to_run = threading.RLock()
        self._begun = threading.Lock()
        self._begun.acquire()
        self._has_begun = False
        self._failure: RuntimeError | None = None
        # A daemon thread ends with its group, or, if `__exit__` was not called (see `TaskGroup.__del__`), with the
        # process.
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,), name="dreg-group", daemon=True)

    def start(self) -> None:
        """Start the thread, and wait until it runs; raise RuntimeError if the system cannot start a thread."""
        # `Thread.start` must not be interrupted halfway, and only the main thread is interrupted.
        try:
            _thread.start_new_thread(self._start, ())
        except RuntimeError as failure:
            self._failure = failure
            raise
        self._begun.acquire()
        if self._failure is not None:
            raise self._failure

    def _start(self) -> None:
        try:
            self._thread.start()
        except RuntimeError as failure:
            self._failure = failure
            self._begun.release()

    def _run(self) -> None:
        self._has_begun = True
        if not self._right_to_run.acquire(blocking=False):
            return
        try:
            self._begun.release()
            self._call()
        except Cancelled:
            pass
        except BaseException as error:  # noqa: BLE001 (raised by the group)
            self._scope.errors.append(error)
            self._scope.is_cancelled = True
        finally:
            del self._call
            self._right_to_run.release()

    def join(self) -> None:
        """Wait for the thread's end. May be called again after an interrupt, by the same thread."""
        wait_in_steps(lambda seconds: self._right_to_run.acquire(timeout=seconds))
        # After an interrupt, it is unknown whether the thread was started and will still run, or was not started.
        deadline = time.monotonic() + _LATEST_START
        while not self._has_begun and self._failure is None and time.monotonic() < deadline:
            time.sleep(0.001)
        if self._has_begun:
            wait_in_steps(self._ends)

    def _ends(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()


class TaskGroup:
    """Threads that end together: if one fails, or the block raises, the others are cancelled and joined.

    A context manager. The thread that enters it is cancelled like the others. All errors are raised together, as an
    `ExceptionGroup` (see `first_error_only`); an interrupt is raised as it is.
    """

    def __init__(self) -> None:
        self._scope: Scope | None = None
        self._works: list[_Work] = []

    def __enter__(self) -> Self:
        self._scope = Scope()
        current.set(self._scope)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        scope = self._entered
        try:
            if error is not None:
                scope.is_cancelled = True
            if isinstance(error, Exception):
                scope.errors.append(error)
            self._join(scope)
        except BaseException:
            self._join(scope)
            raise
        finally:
            if current.get() is scope:
                current.set(scope.parent)
        if scope.errors and (error is None or isinstance(error, Exception | Cancelled)):
            raise BaseExceptionGroup("unhandled errors in a TaskGroup", scope.errors) from None
        # A cancellation ends here, unless an enclosing group was cancelled.
        return isinstance(error, Cancelled) and not (scope.parent is not None and scope.parent.must_end())

    def __del__(self) -> None:
        """End the threads of a group if an interrupt came just before the first instruction of `__exit__`."""
        if self._scope is not None:
            self._scope.is_abandoned = True
            self._scope.is_cancelled = True

    def _join(self, scope: Scope) -> None:
        """Wait until all threads end, even if interrupted repeatedly; then raise the interrupt."""
        try:
            for work in self._works:
                work.join()
        except BaseException:
            scope.is_cancelled = True
            self._join(scope)
            raise

    @property
    def _entered(self) -> Scope:
        if self._scope is None:
            raise RuntimeError("enter the task group before using it")
        return self._scope

    def start_soon(self, function: Callable[[*Arguments], object], *arguments: *Arguments) -> None:
        """Start a thread."""
        work = _Work(self._entered, partial(function, *arguments))
        self._works.append(work)
        work.start()

    def cancel(self) -> None:
        """Cancel all threads of the group, and the rest of the block."""
        self._entered.is_cancelled = True
