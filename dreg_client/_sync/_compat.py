"""Waiting, locks, task groups and threads for sync code. `dreg_client/_async/_compat.py` defines the same names.

Within a `TaskGroup`, every wait ends when the group is cancelled (see `_threads`). Outside of one, Ctrl-C ends it (see
`wait_in_steps`).
"""

import _thread
import contextlib
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from contextvars import copy_context
from functools import partial
from inspect import isawaitable
from math import inf
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar, TypeVarTuple

from dreg_client._sync._threads import Cancelled, current
from dreg_client._sync._threads import TaskGroup as TaskGroup  # noqa: PLC0414 (re-exported)
from dreg_client.credentials.cancellation import cancelled_by
from dreg_client.errors import TokenError
from dreg_client.errors.groups import first_error_only
from dreg_client.protocol.deadlines import CallDeadline, current_call
from dreg_client.values.waiting import wait_in_steps

if TYPE_CHECKING:
    from concurrent.futures import Future  # imports `logging`

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")
Address = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
"""Address family, socket type, protocol, canonical name and address, as returned by `socket.getaddrinfo`."""


def checkpoint() -> None:
    """Raise if the group of this thread was cancelled. Threads need no call to let other threads run."""
    if (scope := current.get()) is not None:
        scope.check()


def sleep(seconds: float) -> None:
    """Wait for a number of seconds."""
    if (scope := current.get()) is None:
        wait_in_steps(time.sleep, seconds)
    else:
        scope.wait(threading.Event().wait, seconds)  # never set


class NotebookView:
    """An HTML view in notebooks."""

    def _html(self) -> str | None:
        raise NotImplementedError

    def _repr_html_(self) -> str | None:
        return self._html()


class Awaited:
    """An object that is open once it is created."""


def opening(open_it: Callable[[], T]) -> T:
    """Open an object."""
    return open_it()


# In the stubs of type checkers, RLock is final; in CPython, it is not.
class Lock(_thread.RLock):  # type: ignore[misc]
    """A lock, to be held by `with`, but not twice by the same thread.

    An interrupt never leaves it locked. Releasing an RLock that this thread does not hold raises an error, so a failed
    `__enter__` can always release it. `__exit__` is implemented in C, so an interrupt cannot prevent it.
    """

    def __enter__(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002 (as of RLock)
        try:
            return self.acquire(blocking=False) or self._wait()
        except BaseException:
            with contextlib.suppress(RuntimeError):
                self.release()
            raise

    def _wait(self) -> bool:
        if (scope := current.get()) is None:
            return wait_in_steps(lambda seconds: self.acquire(timeout=seconds))
        acquired = scope.wait(lambda seconds: self.acquire(timeout=seconds), inf)
        scope.check()  # the lock may have been released because the group was cancelled
        return acquired


new_lock = Lock


class Event(threading.Event):
    """A one-time event: after `set`, all calls of `wait` return."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set."""
        wait = wait_in_steps if (scope := current.get()) is None else scope.wait
        return self.is_set() or wait(super().wait, inf if timeout is None else timeout)


class Semaphore:
    """A number of permits, kept in a queue, which is implemented in C and faster than the semaphores of `threading`.

    An interrupt comes before or after a call of a C function, never during it. So a single such call moves a permit
    from the queue to `held`, and a single one moves it back.

    Nobody waits for the queue itself: before Python 3.13, `get` with a timeout may wait forever if another thread was
    faster, or after a signal. A lock wakes one waiter at a time instead, which wakes the next one. If an interrupt
    loses a wake-up, the others look again after their present step.
    """

    def __init__(self, permits: int) -> None:
        self._permits: SimpleQueue[None] = SimpleQueue()
        for _ in range(permits):
            self._permits.put(None)
        self._is_empty = _thread.allocate_lock()

    @property
    def free(self) -> int:
        """The number of permits that can be acquired now."""
        return self._permits.qsize()

    def acquire(self, timeout: float = inf, held: list[None] | None = None) -> bool:
        """Wait for a permit; return False if none was free within `timeout` seconds.

        `held` is an empty list that gets an item at the moment when the permit is acquired.
        """
        held = [] if held is None else held
        scope = current.get()
        if scope is None and self._take(held):
            return True  # no wait in most cases
        wait = wait_in_steps if scope is None else scope.wait
        return wait(partial(self._acquire, held), timeout)

    def _acquire(self, held: list[None], timeout: float) -> bool:
        until = time.monotonic() + timeout
        while not self._take(held):
            left = until - time.monotonic()
            if left <= 0 or not self._is_empty.acquire(timeout=left):
                return False
        if self._permits.qsize():
            self._wake()
        return True

    def _take(self, held: list[None]) -> bool:
        try:
            held.extend(map(self._permits.get, (False,)))
        except Empty:
            return False
        return True

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # another thread was faster
            if self._is_empty.locked():
                self._is_empty.release()

    def release(self, held: list[None] | None = None) -> None:
        """Release a permit; with `held` (see `acquire`), only if it is held, and only once."""
        with contextlib.suppress(IndexError):
            deque(map(self._permits.put, map([None].pop if held is None else held.pop, (0,))), 0)
            self._wake()


def getaddrinfo(host: str, port: int, timeout: float = inf) -> list[Address]:
    """Look up the TCP addresses of a host; raise OSError if the lookup fails, or TimeoutError.

    It runs in another thread, because the system's resolver has its own timeouts, and cannot be interrupted.
    """
    with contextlib.suppress(socket.gaierror):  # an IP address needs no lookup, and so no thread
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    outcomes: list[list[Address] | Exception] = []
    is_running = threading.Lock()  # in C: an interrupt in `Event.wait` may fail
    is_running.acquire()

    def look_up() -> None:
        try:
            outcomes.append(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except Exception as failure:  # noqa: BLE001 (raised below)
            outcomes.append(failure)
        finally:
            is_running.release()

    _thread.start_new_thread(look_up, ())
    wait = wait_in_steps if (scope := current.get()) is None else scope.wait
    if not wait(lambda seconds: is_running.acquire(timeout=seconds), timeout):
        raise TimeoutError
    if isinstance(outcomes[0], Exception):
        raise outcomes[0]
    return outcomes[0]


def run_until(end: float, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
    """Call a function; raise TimeoutError if it fails after `end`. Before that, only `is_cancelled` can end it."""
    try:
        with cancelled_by(lambda: time.monotonic() >= end):
            return function(*arguments)
    except Exception:
        if time.monotonic() >= end:
            raise TimeoutError from None
        raise


def in_call(deadline: CallDeadline, function: Callable[[], T]) -> T:
    """Call a function, all requests of which share a deadline."""
    context = copy_context()  # so that an interrupt cannot leave the deadline behind
    context.run(current_call.set, deadline)
    return context.run(function)


def run_in_thread(function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
    """Call a function in this thread."""
    return function(*arguments)


def run_cancellable(function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
    """Call a function in this thread. If its group is cancelled, signal this to it (see `credentials.cancellation`)."""
    if (scope := current.get()) is None:
        return function(*arguments)
    scope.check()
    try:
        with cancelled_by(scope.must_end):
            return function(*arguments)
    except Exception:
        scope.check()  # if the group was cancelled, raise that instead of an error that it caused
        raise


def run_shielded(
    function: Callable[[*Arguments], T], *arguments: *Arguments, deadline: CallDeadline | None = None
) -> T:
    """Call a function that must run to its end even if its group is cancelled; then continue the cancellation.

    Interrupts arrive in the main thread, so the function is called in another thread. If that does not start, it is
    called again. So it must be safe to call the function twice. `deadline` limits it instead of that of the call.
    """
    outcomes: list[T] = []
    failures: list[BaseException] = []
    interrupt: BaseException | None = None

    def work() -> None:
        current.set(None)  # outside of any group, so not cancelled
        current_call.set(deadline)
        try:
            outcomes.append(function(*arguments))
        except BaseException as failure:
            failures.append(failure)
            raise

    try:
        while not (outcomes or failures):
            try:
                with first_error_only(), TaskGroup() as shielded:
                    shielded.start_soon(work)
            except (Cancelled, KeyboardInterrupt, SystemExit) as failure:
                interrupt = failure
    finally:  # also if the function fails
        if interrupt is not None:
            raise interrupt
    return outcomes[0]


def run_closing(function: Callable[[], object]) -> None:
    """Call a function that closes something."""
    function()


def wait_future(future: "Future[T]", timeout: float = inf) -> T:
    """Wait for a future of a thread, or raise TimeoutError. Cancellation ends the wait, but not the future."""
    if not future.done():
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        wait = wait_in_steps if (scope := current.get()) is None else scope.wait
        # `or`: an interrupt in `set_result` may have prevented the callback
        if not wait(lambda seconds: done.wait(seconds) or future.done(), timeout):
            raise TimeoutError
    return future.result()


def wait_readable(sock: socket.socket, timeout: float) -> bool:
    """Wait until a socket can be read; return False if it cannot within `timeout` seconds."""
    wait = wait_in_steps if (scope := current.get()) is None else scope.wait
    return wait(partial(_ready, (sock,), "read"), timeout)


def wait_writable(sock: socket.socket, timeout: float) -> bool:
    """Wait until a socket can be written to; return False if it cannot within `timeout` seconds."""
    return bool(wait_any_writable((sock,), timeout))


def wait_any_writable(socks: Collection[socket.socket], timeout: float) -> list[socket.socket]:
    """Wait until any of some sockets can be written to, within `timeout` seconds; return those that can, in order."""
    ready: list[socket.socket] = []

    def step(seconds: float) -> bool:
        ready[:] = _ready(socks, "write", seconds)
        return bool(ready)

    wait = wait_in_steps if (scope := current.get()) is None else scope.wait
    wait(step, timeout)
    return ready


def _poll(socks: Collection[socket.socket], what: Literal["read", "write"], timeout: float) -> list[socket.socket]:
    poll = select.poll()
    for sock in socks:
        poll.register(sock, select.POLLIN if what == "read" else select.POLLOUT)
    ready = {descriptor for descriptor, _ in poll.poll(timeout * 1000)}
    return [sock for sock in socks if sock.fileno() in ready]


def _select(socks: Collection[socket.socket], what: Literal["read", "write"], timeout: float) -> list[socket.socket]:
    # On Windows, a failed connection is reported as exceptional, not as writable.
    reading, writing = (socks, ()) if what == "read" else ((), socks)
    ready = {sock for found in select.select(reading, writing, writing, timeout) for sock in found}
    return [sock for sock in socks if sock in ready]


# Windows has no `poll`. On other systems, `select` fails for file descriptors from 1,024 on.
_ready: Final = _poll if hasattr(select, "poll") else _select


def maybe_await(value: Awaitable[T] | T) -> T:
    """Return the result of a caller's function; TokenError: the function is async."""
    if isawaitable(value):
        close = getattr(value, "close", None)
        if callable(close):
            close()  # otherwise, Python warns that the coroutine was never awaited
        raise TokenError("the function is async, which the sync client cannot await; use the async client")
    return value


Pieces: TypeAlias = Iterable[bytes]
"""Pieces of bytes from a caller."""


def iterate(pieces: Pieces) -> Iterator[bytes]:
    """Return an iterator over pieces."""
    if isinstance(pieces, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        return iter(pieces)
    expected = "bytes, a path, an open binary file, or an iterable of bytes"
    raise TypeError(f"the content of a blob must be {expected}, not {type(pieces).__name__}")
