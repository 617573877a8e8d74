"""Waiting, locks, task groups and threads for async code, based on anyio, so asyncio and trio both work.

`dreg_client/_sync/_compat.py`, with `_sync/_threads.py`, defines the same names for threads. Both are written by hand,
and other modules must not wait by other means.

asyncio can cancel a task at any `await`, even inside anyio's shields, because `Task.cancel()` does not know about them.
So anything that must run to its end is awaited in a loop.
"""

import contextlib
import socket
import threading
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from concurrent.futures import Future
from inspect import isawaitable
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar, TypeVarTuple, cast

import anyio
import anyio.abc
import anyio.lowlevel
import anyio.to_thread

from dreg_client._async._awaitable import C, Opening
from dreg_client.credentials.cancellation import cancelled_by

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


class Semaphore:
    """A number of permits."""

    def __init__(self, permits: int) -> None:
        self._semaphore = anyio.Semaphore(permits, fast_acquire=True)

    @property
    def free(self) -> int:
        """The number of permits that can be acquired now."""
        return self._semaphore.value

    async def acquire(
        self,
        timeout: float,  # noqa: ASYNC109 (reaching the timeout is not an error)
        held: list[None] | None = None,
    ) -> bool:
        """Wait for a permit; return False if none was free within `timeout` seconds.

        `held` is an empty list that gets an item at the moment when the permit is acquired.
        """
        try:
            self._semaphore.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(timeout) as scope:
                await self._semaphore.acquire()
            if scope.cancelled_caught:
                return False
        if held is not None:
            held.append(None)
        return True

    def release(self, held: list[None] | None = None) -> None:
        """Release a permit; with `held` (see `acquire`), only if it is held, and only once."""
        if held is None or held:
            if held:
                held.clear()
            self._semaphore.release()


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


async def run_shielded(function: Callable[[*Arguments], Coroutine[Any, Any, T]], *arguments: *Arguments) -> T:
    """Call a function that must run to its end even if this task is cancelled; then continue the cancellation.

    asyncio's `Task.cancel()` interrupts the function nevertheless, and then it is called again. So it must be safe to
    call the function twice.
    """
    results: list[T] = []
    interrupt: BaseException | None = None
    try:
        while not results:
            try:
                with anyio.CancelScope(shield=True):
                    results.append(await function(*arguments))
            except (anyio.get_cancelled_exc_class(), KeyboardInterrupt, SystemExit) as failure:
                interrupt = failure
    finally:  # also if the function fails
        if interrupt is not None:
            raise interrupt
    return results[0]


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


async def wait_future(future: Future[T]) -> T:
    """Wait for a future of a thread. Cancellation ends the wait, but not the future."""
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
