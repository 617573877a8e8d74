"""What only tasks have to do: threads that are waited for although cancelled, and several event loops in turn."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import anyio
import anyio.to_thread
import pytest

from dreg_client._async._compat import (
    Semaphore,
    in_call,
    maybe_await,
    new_lock,
    run_cancellable,
    run_in_thread,
    run_shielded,
    sleep,
    wait_future,
)
from dreg_client.credentials.cancellation import is_cancelled
from dreg_client.protocol.deadlines import CallDeadline, current_call

BACKENDS = ["asyncio", "trio"]


async def cancelled_after(seconds: float, work: Callable[[], Awaitable[object]]) -> float:
    """How long it took to cancel it."""
    began = time.monotonic()
    with anyio.move_on_after(seconds) as scope:
        await work()
    assert scope.cancelled_caught
    return time.monotonic() - began


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_in_a_thread_is_waited_for_when_cancelled(backend: str) -> None:
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        time.sleep(0.2)
        ended.set()

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(run_in_thread, work)
            await anyio.to_thread.run_sync(begun.wait, 60)
            group.cancel_scope.cancel()
        assert ended.is_set()

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("times", [1, 3])
def test_asyncio_may_cancel_it_several_times(times: int) -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        may_end.wait(60)
        ended.set()

    async def main() -> None:
        task = asyncio.create_task(run_in_thread(work))
        await asyncio.to_thread(begun.wait, 60)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0.02)
        assert not task.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    asyncio.run(main())


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("run", [run_in_thread, run_cancellable])
def test_what_has_not_begun_when_cancelled_is_never_done(backend: str, run: Callable[..., Any]) -> None:
    done, may_end = threading.Event(), threading.Event()

    async def main() -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1
        async with anyio.create_task_group() as group:
            group.start_soon(run_in_thread, may_end.wait, 60)
            await sleep(0.05)
            await cancelled_after(0.02, lambda: run(done.set))
            may_end.set()

    anyio.run(main, backend=backend)
    assert not done.is_set()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_that_does_not_listen_has_a_second_to_end(backend: str) -> None:
    may_end, told = threading.Event(), threading.Event()

    def work() -> None:
        may_end.wait(60)
        if is_cancelled():
            told.set()

    async def main() -> None:
        assert 0.9 < await cancelled_after(0.02, lambda: run_cancellable(work)) < 30
        may_end.set()

    anyio.run(main, backend=backend)
    assert told.wait(60)


def test_locks_and_permits_outlive_an_event_loop() -> None:
    lock, permits, order = new_lock(), Semaphore(1), list[int]()

    async def work(number: int) -> None:
        async with lock:
            assert await permits.acquire(60)
            await sleep(0.001)
            permits.release()
        order.append(number)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(work, number)

    async def cut_short() -> None:
        await cancelled_after(0.01, lambda: work_for_ever(lock, permits))

    for _ in range(2):
        asyncio.run(main())
        asyncio.run(cut_short())
    assert len(order) == 8
    assert permits.free == 1


async def work_for_ever(lock: Any, permits: Semaphore) -> None:
    async with lock:
        assert await permits.acquire(0)
        try:
            await permits.acquire(60)
        finally:
            permits.release()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_future_may_end_after_its_event_loop(backend: str, caplog: pytest.LogCaptureFixture) -> None:
    future = Future[None]()

    async def main() -> None:
        with contextlib.suppress(TimeoutError), anyio.fail_after(0.02):
            await wait_future(future)

    anyio.run(main, backend=backend)
    future.set_result(None)

    assert caplog.text == "", "concurrent.futures logs what callbacks raise"


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_awaitable_is_awaited(backend: str) -> None:
    async def token() -> str:
        await sleep(0)
        return "token"

    async def main() -> str:
        return await maybe_await(token())

    assert anyio.run(main, backend=backend) == "token"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_shielded_function_reaches_its_end_when_cancelled(backend: str) -> None:
    done: list[str] = []

    async def shielded() -> None:
        await sleep(0.05)
        done.append("to its end")

    async def main() -> None:
        async def work() -> None:
            await run_shielded(shielded)
            await sleep(60)

        await cancelled_after(0.01, work)
        with pytest.raises(OSError, match="its own"):
            await run_shielded(failing)

    async def failing() -> None:
        raise OSError("its own")

    anyio.run(main, backend=backend)
    assert done == ["to its end"]


def test_asyncio_may_cancel_a_shielded_function_which_is_then_called_again() -> None:
    calls: list[str] = []

    async def shielded() -> None:
        calls.append("begun")
        await sleep(0.01)
        calls.append("ended")

    async def main() -> None:
        task = asyncio.create_task(run_shielded(shielded))
        for _ in range(2):
            await asyncio.sleep(0)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert calls == ["begun", "begun", "begun", "ended"]


def test_a_cancellation_outlasts_a_shielded_function_that_fails_when_called_again() -> None:
    calls: list[str] = []

    async def shielded() -> None:
        calls.append("begun")
        await sleep(0.01)
        raise OSError("its own")

    async def main() -> None:
        task = asyncio.create_task(run_shielded(shielded))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert calls == ["begun", "begun"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_deadline_of_a_call_does_not_end_what_is_shielded_but_it_has_one_of_its_own(backend: str) -> None:
    limits, call = list[float](), CallDeadline(0.0)

    async def work() -> None:
        own = current_call.get()
        assert own is not None
        limits.append(own.until(100.0))

    async def shielded() -> None:
        await run_shielded(work, deadline=CallDeadline(patience=20))
        assert current_call.get() is call

    async def main() -> None:
        await in_call(call, shielded)
        assert current_call.get() is None

    anyio.run(main, backend=backend)
    assert limits == [120.0]


@pytest.mark.parametrize("is_closed", [False, True])
def test_trn_63_a_task_whose_event_loop_was_stopped_keeps_no_other_from_its_permit(is_closed: bool) -> None:
    permits, held, late = Semaphore(1), list[None](), list[None]()
    assert asyncio.run(permits.acquire(1, held))
    stopped = asyncio.new_event_loop()
    task = stopped.create_task(permits.acquire(60, late))
    stopped.run_until_complete(asyncio.sleep(0.02))
    if is_closed:
        stopped.close()

    async def others() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(acquire_and_release)
            await anyio.sleep(0.02)
            permits.release(held)

    async def acquire_and_release() -> None:
        mine = list[None]()
        assert await permits.acquire(10, mine)
        await anyio.sleep(0.01)
        permits.release(mine)

    anyio.run(others)
    assert permits.free == 1
    if is_closed:
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        return
    assert stopped.run_until_complete(task), "it was woken, too, and takes a permit once its loop runs again"
    assert (late, permits.free) == ([None], 0)
    stopped.close()
