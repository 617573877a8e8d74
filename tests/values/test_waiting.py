"""Waits in steps: the condition, the timeout, and a signal that arrives just before a system call."""

import _thread
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import pytest

from dreg_client._sync._compat import (
    Event,
    Lock,
    Semaphore,
    TaskGroup,
    sleep,
    wait_future,
    wait_readable,
    wait_writable,
)
from dreg_client.files.step_thread import StepThread
from dreg_client.values import waiting
from dreg_client.values.waiting import wait_in_steps


def test_a_wait_ends_with_its_condition_or_its_timeout() -> None:
    steps = list[float]()

    assert wait_in_steps(lambda seconds: steps.append(seconds) or len(steps) == 3)
    assert steps == [1, 1, 1]
    assert not wait_in_steps(lambda _: False, 0)
    assert not wait_in_steps(time.sleep, 0.05)


@pytest.fixture
def end() -> Iterator[threading.Event]:
    """What a wait would wait for; it comes after 20 seconds, so that a test fails instead of hanging."""
    event = threading.Event()
    timer = threading.Timer(20, event.set)
    timer.start()
    yield event
    event.set()
    timer.cancel()


def of_lock(end: threading.Event) -> None:
    lock, is_held = Lock(), threading.Event()

    def hold() -> None:
        with lock:
            is_held.set()
            end.wait()

    threading.Thread(target=hold, daemon=True).start()
    is_held.wait()
    with lock:
        pass


def of_event(end: threading.Event) -> None:
    event = Event()
    threading.Thread(target=lambda: end.wait() and event.set(), daemon=True).start()
    event.wait()


def of_future(end: threading.Event) -> None:
    future = Future[None]()
    threading.Thread(target=lambda: end.wait() and future.set_result(None), daemon=True).start()
    wait_future(future)


def of_group(end: threading.Event) -> None:
    def work() -> None:
        while not end.is_set():
            sleep(0.01)

    with TaskGroup() as group:
        group.start_soon(work)


def of_step_thread(end: threading.Event) -> None:
    thread = StepThread(lambda _: end.wait() and None)
    thread.submit([b""])
    try:
        thread.close()
    except KeyboardInterrupt:
        end.set()
        thread.close()
        raise


def of_socket(wait: Callable[[Any, float], object]) -> Callable[[threading.Event], None]:
    def work(end: threading.Event) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(0)
            with suppress(BlockingIOError):
                while True:
                    ours.send(bytes(65536))
            wait(ours, 20)

    return work


WAITS: dict[str, Callable[[threading.Event], object]] = {
    "lock": of_lock,
    "event": of_event,
    "permit": lambda _: Semaphore(0).acquire(20),
    "future": of_future,
    "group": of_group,
    "thread of a download": of_step_thread,
    "sleep": lambda _: sleep(20),
    "reading": of_socket(wait_readable),
    "writing": of_socket(wait_writable),
}


@pytest.mark.parametrize("name", WAITS)
def test_trn_38_a_signal_just_before_a_wait_ends_it(
    end: threading.Event, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """`interrupt_main` tells Python of a signal, but interrupts no system call, as one that came before it."""
    monkeypatch.setattr(waiting, "_STEP", 0.05)
    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    began = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        WAITS[name](end)
    assert time.monotonic() - began < 10
    assert not end.is_set() or name == "thread of a download"


def test_a_wait_without_a_limit_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    days = iter(range(0, 10**9, 86_400))
    monkeypatch.setattr(waiting, "monotonic", lambda: float(next(days)))
    calls = list[float]()

    assert wait_in_steps(lambda seconds: calls.append(seconds) or len(calls) > 100, math.inf)
    assert not wait_in_steps(lambda _: False, 5)
