"""Waiting, locks, task groups and threads for async code, based on anyio, so asyncio and trio both work.

`dreg_client/_sync/_compat.py`, with `_sync/_threads.py`, defines the same names for threads. Both are written by hand,
and other modules must not wait by other means.

asyncio can cancel a task at any `await`, even inside anyio's shields, because `Task.cancel()` does not know about them.
So anything that must run to its end is awaited in a loop.
"""

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from concurrent.futures import Future, InvalidStateError
from inspect import isawaitable
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar, TypeVarTuple, cast

import anyio
import anyio.abc
import anyio.lowlevel
import anyio.to_thread

from dreg_client._async._awaitable import C, Opening
from dreg_client.credentials.cancellation import cancelled_by
from dreg_client.protocol.deadlines import CallDeadline, limited_by

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")
Address = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
"""Address family, socket type, protocol, canonical name and address, as returned by `socket.getaddrinfo`."""

checkpoint = anyio.lowlevel.checkpoint
"""Let other tasks run, and raise if this task was cancelled."""
sleep = anyio.sleep
"""Wait for a number of seconds."""
Event = anyio.Event
"""A one-time event: after `set`, all calls of `wait` return."""
Lock = anyio.Lock
"""The return type of `new_lock`."""

_GRACE: Final = 1.0
"""The seconds that `run_cancellable` waits for a cancelled function to end."""
_CLOSING: Final = 5.0
"""The seconds that `run_closing` waits for a caller's object to close, because it may never do so."""
_STEP: Final = 0.005
"""The seconds between checks of a thread that a cancelled task waits for."""


class NotebookView:
    """No HTML view, because it needs I/O, and notebooks do not await `_repr_html_`."""


class Awaited:
    """An object that is open once it is created. `await` returns it, so that any way to open a store can be awaited."""

    def __await__(self) -> Generator[None, None, Self]:
        yield from ()
        return self


def opening(open_it: Callable[[], Awaitable[C]]) -> Opening[C]:
    """Return an object that calls `open_it` once it is awaited or entered."""
    return Opening(open_it)


def new_lock() -> Lock:
    """Return a lock, to be held by `async with`."""
    # anyio.Lock cannot be subclassed, because its __new__ returns another class, depending on the event loop.
    return anyio.Lock(fast_acquire=True)


class _Turn(Future[None]):
    """A place of a task in the queue of a semaphore, which ends when the task is woken."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = anyio.lowlevel.current_token().native_token

    def can_run(self) -> bool:
        """Return whether the event loop of the task runs. One of asyncio may have been stopped or closed meanwhile."""
        is_running: Callable[[], bool] | None = getattr(self._loop, "is_running", None)
        return is_running is None or is_running()


class Semaphore:
    """A number of permits. Tasks of any event loop, in any thread, may share it.

    An interrupt may come between any two calls of C functions. So a single such call moves a permit to `held`, and a
    single one moves it back, as in sync code.
    """

    def __init__(self, permits: int) -> None:
        self._permits: list[None] = [None] * permits
        self._waiting: deque[_Turn] = deque()

    @property
    def free(self) -> int:
        """The number of permits that can be acquired now."""
        return len(self._permits)

    async def acquire(
        self,
        timeout: float = float("inf"),  # noqa: ASYNC109 (reaching the timeout is not an error)
        held: list[None] | None = None,
    ) -> bool:
        """Wait for a permit; return False if none was free within `timeout` seconds.

        `held` is an empty list that gets an item at the moment when the permit is acquired.
        """
        held = [] if held is None else held
        if not self._waiting and self._take(held):
            return True
        with anyio.move_on_after(timeout):
            await self._wait(held)
        return bool(held)

    async def _wait(self, held: list[None]) -> None:
        """Wait for a turn, in order, and take a permit."""
        join = self._waiting.append
        while not held:
            turn = _Turn()
            join(turn)
            try:
                self._call_next()
                await wait_future(turn)
                self._take(held)
            finally:
                with contextlib.suppress(ValueError):
                    self._waiting.remove(turn)
                self._call_next()  # if this task took no permit, or there are more
            join = self._waiting.appendleft  # another task was faster; this one keeps its place

    def _take(self, held: list[None]) -> bool:
        try:
            held.extend(map(self._permits.pop, (-1,)))
        except IndexError:
            return False
        return True

    def _call_next(self) -> None:
        """Wake as many of the first tasks as there are permits, and those before them whose event loops do not run."""
        if not (self._waiting and self._permits):
            return
        left = len(self._permits)
        for turn in list(self._waiting):  # a copy, because other threads may change it
            with contextlib.suppress(InvalidStateError):  # it was woken before, but its task has not run yet
                turn.set_result(None)
            left -= turn.can_run()
            if left <= 0:
                break

    def release(self, held: list[None] | None = None) -> None:
        """Release a permit; with `held` (see `acquire`), only if it is held, and only once."""
        with contextlib.suppress(IndexError):
            deque(map(self._permits.append, map([None].pop if held is None else held.pop, (0,))), 0)
        self._call_next()


class TaskGroup:
    """Tasks that end together: if one fails, or the block raises, the others are cancelled and awaited.

    An async context manager. The task that enters it is cancelled like the others. All errors are raised together, as
    an `ExceptionGroup` (see `first_error_only`).
    """

    _group: anyio.abc.TaskGroup

    async def __aenter__(self) -> Self:
        self._group = await anyio.create_task_group().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return bool(await self._group.__aexit__(kind, error, traceback))

    def start_soon(self, function: Callable[[*Arguments], Coroutine[Any, Any, object]], *arguments: *Arguments) -> None:
        """Start a task."""
        self._group.start_soon(function, *arguments)

    def cancel(self) -> None:
        """Cancel all tasks of the group, and the rest of the block."""
        self._group.cancel_scope.cancel()


async def getaddrinfo(host: str, port: int, timeout: float = float("inf")) -> list[Address]:  # noqa: ASYNC109 (as above)
    """Look up the TCP addresses of a host; raise OSError if the lookup fails, or TimeoutError."""
    with contextlib.suppress(socket.gaierror):  # an IP address needs no lookup, and so no thread
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    with anyio.fail_after(timeout):
        return list(await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM))


async def run_until(end: float, function: Callable[[*Arguments], Awaitable[T]], *arguments: *Arguments) -> T:
    """Call an async function; cancel it, and raise TimeoutError, if it has not ended at `end` (`time.monotonic()`)."""
    with anyio.fail_after(end - time.monotonic()):
        return await function(*arguments)


async def in_call(deadline: CallDeadline, function: Callable[[], Awaitable[T]]) -> T:
    """Call a function, all requests of which share a deadline."""
    with limited_by(deadline):
        return await function()


async def run_in_thread(function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
    """Call a function in a thread, and wait for its end even if cancelled; then continue the cancellation.

    Otherwise, the caller would close files that the thread still writes to, and the file descriptor could already
    belong to another file.
    """
    return await _run(None, float("inf"), function, *arguments)


async def run_cancellable(function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
    """Call a function in a thread. If cancelled, signal this to it (see `credentials.cancellation`), and wait a second.

    The wait is limited because the function may be a caller's own, which ignores the signal.
    """
    cancelled = threading.Event()
    with cancelled_by(cancelled.is_set):
        return await _run(cancelled, _GRACE, function, *arguments)


async def run_shielded(
    function: Callable[[*Arguments], Coroutine[Any, Any, T]],
    *arguments: *Arguments,
    deadline: CallDeadline | None = None,
) -> T:
    """Call a function that must run to its end even if this task is cancelled; then continue the cancellation.

    asyncio's `Task.cancel()` interrupts the function nevertheless, and then it is called again. So it must be safe to
    call the function twice. `deadline` limits it instead of the deadline of the call.
    """
    results: list[T] = []
    interrupt: BaseException | None = None
    try:
        while not results:
            try:
                with anyio.CancelScope(shield=True), limited_by(deadline):
                    results.append(await function(*arguments))
            except (anyio.get_cancelled_exc_class(), KeyboardInterrupt, SystemExit) as failure:
                interrupt = failure
    finally:  # also if the function fails
        if interrupt is not None:
            raise interrupt
    return results[0]


async def run_closing(function: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Call a function that closes something, also if this task was cancelled. It is given up after `_CLOSING`."""
    with anyio.move_on_after(_CLOSING, shield=True):
        await function()


async def _run(
    cancelled: threading.Event | None, grace: float, function: Callable[[*Arguments], T], *arguments: *Arguments
) -> T:
    """Call a function in a thread. If this task is cancelled, set the event, and wait up to `grace` seconds."""
    future: Future[T] = Future()

    def work() -> None:
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(function(*arguments))
            except BaseException as failure:  # noqa: BLE001 (raised by the task)
                future.set_exception(failure)

    try:
        await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    except BaseException:
        if cancelled is not None:
            cancelled.set()
        until = anyio.current_time() + grace
        while not (future.cancel() or future.done()) and anyio.current_time() < until:
            # If cancelled again, keep waiting; the first cancellation is raised at the end.
            with anyio.CancelScope(shield=True), contextlib.suppress(anyio.get_cancelled_exc_class()):
                await anyio.sleep(_STEP)
        raise
    return future.result()


async def wait_future(future: Future[T], timeout: float = float("inf")) -> T:  # noqa: ASYNC109 (as of `getaddrinfo`)
    """Wait for a future of a thread, or raise TimeoutError. Cancellation ends the wait, but not the future."""
    if future.done():
        return future.result()
    done = anyio.Event()
    loop = anyio.lowlevel.current_token().native_token
    call_soon: Callable[[Callable[[], None]], object]
    call_soon = getattr(loop, "call_soon_threadsafe", None) or getattr(loop, "run_sync_soon")  # noqa: B009 (asyncio, trio)

    def wake(_: Future[T]) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            call_soon(done.set)

    future.add_done_callback(wake)
    with anyio.fail_after(timeout):
        await done.wait()
    return future.result()


async def wait_readable(sock: socket.socket, timeout: float) -> bool:  # noqa: ASYNC109 (as of `Semaphore.acquire`)
    """Wait until a socket can be read; return False if it cannot within `timeout` seconds."""
    with anyio.move_on_after(timeout):
        await anyio.wait_readable(sock)
        return True
    return False


async def wait_writable(sock: socket.socket, timeout: float) -> bool:  # noqa: ASYNC109 (as of `Semaphore.acquire`)
    """Wait until a socket can be written to; return False if it cannot within `timeout` seconds."""
    with anyio.move_on_after(timeout):
        await anyio.wait_writable(sock)
        return True
    return False


async def wait_any_writable(socks: Collection[socket.socket], timeout: float) -> list[socket.socket]:  # noqa: ASYNC109 (as of `Semaphore.acquire`)
    """Wait until any of some sockets can be written to, within `timeout` seconds; return those that can, in order."""
    if len(socks) == 1:
        return [*socks] if await wait_writable(next(iter(socks)), timeout) else []
    ready = set[socket.socket]()
    with anyio.move_on_after(timeout):
        async with anyio.create_task_group() as group:

            async def wait(sock: socket.socket) -> None:
                await anyio.wait_writable(sock)
                ready.add(sock)
                group.cancel_scope.cancel()

            for sock in socks:
                group.start_soon(wait, sock)
    return [sock for sock in socks if sock in ready]


async def maybe_await(value: Awaitable[T] | T) -> T:
    """Return the result of a caller's function, which may be async."""
    return await cast("Awaitable[T]", value) if isawaitable(value) else value


Pieces: TypeAlias = Iterable[bytes] | AsyncIterable[bytes]
"""Pieces of bytes from a caller, who may produce them in sync code."""


def iterate(pieces: Pieces) -> AsyncIterator[bytes]:
    """Return an iterator over pieces. Sync iterators run in a thread, because they may read a file."""
    if isinstance(pieces, AsyncIterable):
        return aiter(pieces)
    if isinstance(pieces, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] (a caller may pass anything)
        return _InThread(iter(pieces))
    expected = "bytes, a path, an open binary file, or an iterable of bytes"
    raise TypeError(f"the content of a blob must be {expected}, not {type(pieces).__name__}")


class _InThread:
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        piece = await run_in_thread(next, self._pieces, None)
        if piece is None:
            raise StopAsyncIteration
        return piece
