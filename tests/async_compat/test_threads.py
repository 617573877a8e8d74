"""What only threads have to do: waits without a group, interrupts, and threads that cannot be started."""

import _thread
import asyncio
import json
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from dreg_client import errors
from dreg_client._sync import _compat
from dreg_client._sync._compat import (
    Event,
    NotebookView,
    Semaphore,
    TaskGroup,
    in_call,
    maybe_await,
    new_lock,
    run_shielded,
    sleep,
    wait_future,
    wait_readable,
    wait_writable,
)
from dreg_client._sync._threads import Cancelled, current
from dreg_client.protocol.deadlines import CallDeadline, current_call
from tests.commands import run_limited

Ready = Callable[[list[socket.socket], str, float], list[socket.socket]]
HEAVY = ["anyio", "asyncio", "concurrent.futures", "httpx", "logging", "trio"]
IMPORTED = (
    "import json, sys, dreg_client._sync._compat; print(json.dumps([n for n in sys.argv[1:] if n in sys.modules]))"
)


def test_nothing_that_is_slow_to_import_is_imported() -> None:
    done = run_limited([sys.executable, "-c", IMPORTED, *HEAVY], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == []


def test_without_a_group_nothing_is_cut_into_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dreg_client._sync._threads.Scope.wait", None)
    near, far = socket.socketpair()
    event, future = Event(), Future[int]()
    event.set()
    future.set_result(7)
    with near, far, new_lock():
        assert wait_writable(near, 60)
        assert not wait_readable(near, 0.01)
        assert Semaphore(1).acquire(60)
        assert not Semaphore(0).acquire(0.01)
        assert wait_future(future) == 7
        event.wait()
        sleep(0.01)


@pytest.mark.parametrize("wait", [_compat._poll, _compat._select])
def test_a_socket_is_readable_once_something_came(wait: Ready) -> None:
    near, far = socket.socketpair()
    with near, far:
        assert not wait([near], "read", 0.01)
        far.send(b"x")
        assert wait([near], "read", 20.0)


@pytest.mark.parametrize("wait", [_compat._poll, _compat._select])
def test_a_socket_is_writable_while_there_is_room(wait: Ready) -> None:
    near, far = socket.socketpair()
    near.setblocking(False)  # noqa: FBT003 (socket's own)
    with near, far:
        assert wait([near], "write", 20.0)
        with pytest.raises(BlockingIOError):  # noqa: PT012 (one of them raises)
            while True:
                near.send(b"x" * 65536)
        assert not wait([near], "write", 0.01)


def test_a_wait_for_a_permit_that_a_signal_interrupts_ends_in_time() -> None:
    """`SimpleQueue.get` waits forever if its time is over when a thread goes on after a signal."""
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    usual, permits = sys.getswitchinterval(), Semaphore(0)
    begun = [threading.Event() for _ in range(20)]

    def wait(event: threading.Event) -> None:
        event.set()
        permits.acquire(0.05)

    threads = [threading.Thread(target=wait, args=(event,), daemon=True) for event in begun]
    try:
        for thread, event in zip(threads, begun, strict=True):
            thread.start()
            event.wait(20)
        sys.setswitchinterval(0.3)  # no thread goes on in time
        for thread in threads:
            if thread.ident is not None and thread.is_alive():
                signal.pthread_kill(thread.ident, signal.SIGUSR1)
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            pass
    finally:
        sys.setswitchinterval(usual)
        signal.signal(signal.SIGUSR1, before)
    for thread in threads:
        thread.join(20)
    assert not [thread for thread in threads if thread.is_alive()]


def test_permits_wake_all_threads_that_wait_for_them() -> None:
    permits, taken = Semaphore(0), list[int]()

    def work(number: int) -> None:
        for _ in range(50):
            assert permits.acquire(20)
            taken.append(number)

    with TaskGroup() as group:
        for number in range(8):
            group.start_soon(work, number)
        for _ in range(400):
            permits.release()
    assert len(taken) == 400
    assert permits.free == 0


def test_an_awaitable_is_rejected_with_what_to_do() -> None:
    async def token() -> str:
        return "token"

    loop = asyncio.new_event_loop()
    for awaitable in (token(), loop.create_future()):
        with pytest.raises(errors.TokenError, match="use the async client"):
            maybe_await(awaitable)
    loop.close()


def test_notebooks_show_what_a_view_gives() -> None:
    class View(NotebookView):
        def _html(self) -> str:
            return "<p>"

    assert View()._repr_html_() == "<p>"


def test_an_interrupt_of_the_block_comes_out_as_itself() -> None:
    ended = list[str]()

    def work() -> None:
        try:
            sleep(60)
        except Cancelled:
            ended.append("cancelled")
            raise

    def block() -> None:
        with TaskGroup() as group:
            group.start_soon(work)
            signal.default_int_handler(signal.SIGINT, None)

    with pytest.raises(KeyboardInterrupt):
        block()
    assert ended == ["cancelled"]
    assert current.get() is None


def test_an_exit_in_a_thread_comes_out_of_the_group() -> None:
    def block() -> None:
        with TaskGroup() as group:
            group.start_soon(sys.exit, 3)
            sleep(60)

    with pytest.raises(BaseExceptionGroup) as errors:
        block()
    assert repr(errors.value.exceptions) == "(SystemExit(3),)"


@pytest.mark.parametrize("place", ["_thread.start_new_thread", "threading.Thread.start"])
def test_a_thread_that_cannot_be_started_is_an_error_of_the_block(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    ended, began = list[str](), time.monotonic()

    def work() -> None:
        try:
            sleep(60)
        finally:
            ended.append("first")

    def block() -> None:
        with TaskGroup() as group:
            group.start_soon(work)
            monkeypatch.setattr(place, no_more)
            group.start_soon(ended.append, "second")

    with pytest.raises(ExceptionGroup, match="TaskGroup") as errors:
        block()
    assert "can't start new thread" in str(errors.value.exceptions)
    assert ended == ["first"]
    assert time.monotonic() - began < 30


def test_a_thread_that_runs_only_after_its_start_was_interrupted_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    done, start = list[str](), _thread.start_new_thread

    def interrupted(function: Callable[[], object], arguments: tuple[()]) -> None:
        start(lambda: time.sleep(0.2) or function(*arguments), ())
        raise KeyboardInterrupt

    def block() -> None:
        with TaskGroup() as group:
            monkeypatch.setattr(_thread, "start_new_thread", interrupted)
            group.start_soon(done.append, "late")

    with pytest.raises(KeyboardInterrupt):
        block()
    monkeypatch.undo()
    assert [thread for thread in threading.enumerate() if thread.name == "dreg-group"] == []
    time.sleep(0.3)
    assert done == []


def test_a_group_that_is_gone_without_having_been_left_ends_its_threads() -> None:
    """As when an interrupt comes before the first instruction of `__exit__`."""
    ended = threading.Event()

    def work() -> None:
        try:
            sleep(60)
        finally:
            ended.set()

    group = TaskGroup()
    group.__enter__()
    group.start_soon(work)
    del group

    assert ended.wait(30)
    sleep(0)
    assert current.get() is None


def test_an_interrupt_waits_for_a_shielded_function() -> None:
    done: list[str] = []

    def shielded() -> None:
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.05)
        done.append("to its end")

    with pytest.raises(KeyboardInterrupt):
        run_shielded(shielded)
    assert done == ["to its end"]


def test_a_shielded_function_reaches_its_end_though_its_group_is_cancelled() -> None:
    done: list[str] = []

    def failing() -> None:
        raise OSError("its own")

    with TaskGroup() as group:
        group.cancel()
        with pytest.raises(OSError, match="its own"):
            run_shielded(failing)
        run_shielded(lambda: done.append("to its end") or sleep(0.01))
        sleep(60)
    assert done == ["to its end"]


def test_an_interrupt_outlasts_a_shielded_function_that_fails_and_is_not_called_again() -> None:
    calls: list[str] = []

    def shielded() -> None:
        calls.append("begun")
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.05)
        raise OSError("its own")

    with pytest.raises(KeyboardInterrupt):
        run_shielded(shielded)
    assert calls == ["begun"]


def test_an_interrupt_outlasts_a_thread_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[str] = []

    def no_thread(*_: object) -> int:
        rounds.append("tried")
        if len(rounds) == 1:
            raise KeyboardInterrupt
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", no_thread)
    with pytest.raises(KeyboardInterrupt):
        run_shielded(lambda: None)
    assert rounds == ["tried", "tried"]


def test_the_deadline_of_a_call_does_not_end_what_is_shielded_but_it_has_one_of_its_own() -> None:
    limits = list[float]()

    def work() -> None:
        call = current_call.get()
        assert call is not None
        limits.append(call.until(100.0))

    in_call(CallDeadline(0.0), lambda: run_shielded(work, deadline=CallDeadline(patience=20)))
    assert limits == [120.0]


def test_a_wait_for_a_permit_ends_although_another_thread_was_faster() -> None:
    for _ in range(20):
        permits, ends = Semaphore(0), threading.Event()

        def work(permits: Semaphore = permits, ends: threading.Event = ends) -> None:
            while not ends.is_set():
                permits.acquire(0.0005)

        waiters = [threading.Thread(target=work, daemon=True) for _ in range(8)]
        for waiter in waiters:
            waiter.start()
        for _ in range(40):
            permits.release()
            ends.wait(0.0005)
        ends.set()
        for waiter in waiters:
            waiter.join(10)
        assert not any(waiter.is_alive() for waiter in waiters)
