"""What holds for tasks of asyncio and of trio, and for threads. `test_compat` plays each, for threads translated."""

import os
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any
from unittest.mock import patch

import pytest

from dreg_client._async._compat import (
    Event,
    Semaphore,
    TaskGroup,
    checkpoint,
    getaddrinfo,
    maybe_await,
    new_lock,
    run_cancellable,
    run_in_thread,
    sleep,
    wait_future,
    wait_readable,
    wait_writable,
)
from dreg_client.credentials import program
from dreg_client.credentials.cancellation import is_cancelled
from dreg_client.errors.groups import first_error, first_error_only

LONG = 60.0
SOON = 5.0

Wait = Callable[[], Coroutine[Any, Any, object]]


class Waits:
    """Waits that do not end by themselves."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)  # noqa: FBT003 (socket's own)
        self.lock, self.none_free = new_lock(), Semaphore(0)
        self.future = Future[None]()

    def close(self) -> None:
        self.near.close()
        self.far.close()

    async def for_the_lock(self) -> None:
        async with self.lock:
            raise AssertionError("it is held by another one")

    async def for_room_to_write(self) -> None:
        try:
            while True:
                self.near.send(b"x" * 65536)
        except BlockingIOError:
            await wait_writable(self.near, LONG)

    async def in_a_function(self) -> None:
        await run_cancellable(until_told)

    def all(self) -> list[Wait]:
        return [
            lambda: sleep(LONG),
            lambda: Event().wait(),
            lambda: self.none_free.acquire(LONG),
            lambda: wait_readable(self.near, LONG),
            self.for_room_to_write,
            self.for_the_lock,
            lambda: wait_future(self.future),
            self.in_a_function,
        ]


def until_told() -> None:
    ended = threading.Event()
    while not is_cancelled():
        ended.wait(0.01)


async def fail(error: Exception, seconds: float = 0.1) -> None:
    await sleep(seconds)
    raise error


async def append_after(ended: list[int], number: int, wait: Wait) -> None:
    try:
        await wait()
    finally:
        ended.append(number)


async def a_failure_ends_every_kind_of_wait() -> None:
    waits, ended, began = Waits(), list[int](), monotonic()
    async with waits.lock:
        with pytest.raises(ExceptionGroup) as errors:  # noqa: PT012 (the group raises)
            async with TaskGroup() as group:
                for number, wait in enumerate(waits.all()):
                    group.start_soon(append_after, ended, number, wait)
                group.start_soon(fail, ValueError("one"))
        assert repr(errors.value.exceptions) == "(ValueError('one'),)"
    waits.close()
    assert sorted(ended) == list(range(8))
    assert monotonic() - began < SOON


async def a_failure_ends_every_kind_of_wait_in_the_block() -> None:
    waits = Waits()

    async def hold_the_lock() -> None:
        async with waits.lock:
            await sleep(LONG)

    for wait in waits.all():
        began = monotonic()
        with pytest.raises(ValueError, match="one"), first_error_only():  # noqa: PT012 (the group raises)
            async with TaskGroup() as group:
                group.start_soon(hold_the_lock)
                group.start_soon(fail, ValueError("one"))
                await sleep(0.02)
                await wait()
        assert monotonic() - began < SOON
    waits.close()


async def all_that_was_started_has_ended_with_the_block() -> None:
    ended = list[int]()
    async with TaskGroup() as group:
        for number in range(5):
            group.start_soon(append_after, ended, number, lambda: sleep(0.02))
    assert sorted(ended) == list(range(5))


async def what_was_started_may_start_more() -> None:
    ended = list[int]()

    async def start(group: TaskGroup, number: int) -> None:
        if number < 4:
            group.start_soon(start, group, number + 1)
        ended.append(number)

    async with TaskGroup() as group:
        group.start_soon(start, group, 0)
    assert sorted(ended) == list(range(5))


async def an_error_of_the_block_ends_the_others_and_comes_out_of_the_group() -> None:
    ended, began = list[int](), monotonic()
    with pytest.raises(ExceptionGroup) as errors:  # noqa: PT012 (the group raises)
        async with TaskGroup() as group:
            group.start_soon(append_after, ended, 1, lambda: sleep(LONG))
            await fail(KeyError("block"), 0.02)
    assert repr(errors.value.exceptions) == "(KeyError('block'),)"
    assert repr(first_error(errors.value)) == "KeyError('block')"
    assert ended == [1]
    assert monotonic() - began < SOON


async def the_first_of_several_errors_is_the_one_to_show() -> None:
    async def fail_late() -> None:
        try:
            await sleep(LONG)
        finally:
            raise KeyError("second")

    with pytest.raises(ExceptionGroup) as errors:  # noqa: PT012 (the group raises)
        async with TaskGroup() as group:
            group.start_soon(fail_late)
            group.start_soon(fail, ValueError("first"), 0.05)
    assert len(errors.value.exceptions) == 2
    assert repr(first_error(errors.value)) == "ValueError('first')"
    assert repr(first_error(ExceptionGroup("around", [errors.value]))) == "ValueError('first')"
    assert repr(first_error(BaseExceptionGroup("", [errors.value, SystemExit(3)]))) == "SystemExit(3)"


async def a_group_that_is_cancelled_ends_without_an_error() -> None:
    began, reached = monotonic(), list[str]()
    async with TaskGroup() as group:
        group.start_soon(sleep, LONG)
        group.cancel()
        reached.append("the rest of the block, up to its next wait")
        await sleep(LONG)
        reached.append("not this")
    assert len(reached) == 1
    assert monotonic() - began < SOON
    await sleep(0)


async def a_checkpoint_ends_what_does_not_wait() -> None:
    began = monotonic()

    async def work() -> None:
        while True:
            await checkpoint()

    async with TaskGroup() as group:
        group.start_soon(work)
        await sleep(0.02)
        group.cancel()
    assert monotonic() - began < SOON


async def cancelling_a_group_ends_the_groups_within_it() -> None:
    ended, began = list[int](), monotonic()

    async def inner() -> None:
        async with TaskGroup() as group:
            group.start_soon(append_after, ended, 1, lambda: sleep(LONG))
            await append_after(ended, 2, lambda: sleep(LONG))
        raise AssertionError("the cancellation goes on")

    async with TaskGroup() as group:
        group.start_soon(inner)
        await sleep(0.05)
        group.cancel()
    assert sorted(ended) == [1, 2]
    assert monotonic() - began < SOON


async def cancelling_a_group_leaves_the_one_around_it_alone() -> None:
    ended = list[int]()
    async with TaskGroup() as group:
        group.start_soon(append_after, ended, 1, lambda: sleep(0.1))
        async with TaskGroup() as inner:
            inner.cancel()
            await sleep(LONG)
        await sleep(0.01)
        assert ended == []
    assert ended == [1]


async def a_semaphore_has_as_many_permits_as_before_when_those_that_waited_were_cancelled() -> None:
    permits = Semaphore(2)
    assert await permits.acquire(0)
    assert await permits.acquire(LONG)
    assert not await permits.acquire(0)
    assert not await permits.acquire(0.02)
    async with TaskGroup() as group:
        for _ in range(4):
            group.start_soon(permits.acquire, LONG)
        await sleep(0.05)
        group.cancel()
    assert permits.free == 0
    permits.release()
    assert permits.free == 1
    assert await permits.acquire(float("inf"))
    permits.release()
    permits.release()
    assert permits.free == 2


async def a_permit_that_is_released_goes_to_one_that_waits() -> None:
    permits, got = Semaphore(0), list[bool]()

    async def take() -> None:
        got.append(await permits.acquire(LONG))

    async with TaskGroup() as group:
        for _ in range(3):
            group.start_soon(take)
        await sleep(0.02)
        for _ in range(3):
            permits.release()
    assert got == [True, True, True]
    assert permits.free == 0


async def a_lock_lets_one_at_a_time_in() -> None:
    lock, inside, most = new_lock(), list[int](), list[int]()

    async def hold(number: int) -> None:
        async with lock:
            inside.append(number)
            most.append(len(inside))
            await sleep(0.005)
            inside.remove(number)

    async with TaskGroup() as group:
        for number in range(5):
            group.start_soon(hold, number)
    assert most == [1] * 5


async def a_lock_is_free_after_an_error_and_after_a_cancelled_wait() -> None:
    waits = Waits()
    async with TaskGroup() as group, waits.lock:
        group.start_soon(waits.for_the_lock)
        await sleep(0.02)
        group.cancel()
        await sleep(LONG)
    waits.close()
    async with waits.lock:
        pass


async def an_event_wakes_all_that_wait_and_those_that_come_later() -> None:
    event, ended = Event(), list[int]()
    async with TaskGroup() as group:
        for number in range(3):
            group.start_soon(append_after, ended, number, event.wait)
        await sleep(0.02)
        assert ended == []
        event.set()
        event.set()
    assert sorted(ended) == [0, 1, 2]
    await event.wait()


async def a_socket_is_waited_for_until_it_is_ready_or_the_time_is_over() -> None:
    near, far = socket.socketpair()
    assert not await wait_readable(near, 0.02)
    assert not await wait_readable(near, -1)
    assert await wait_writable(near, LONG)
    async with TaskGroup() as group:
        assert not await wait_readable(near, 0.12)
        group.start_soon(send_soon, far)
        assert await wait_readable(near, LONG)
        assert await wait_writable(near, LONG)
    assert near.recv(1) == b"x"
    far.close()
    assert await wait_readable(near, float("inf"))
    near.close()


async def send_soon(sock: socket.socket) -> None:
    await sleep(0.1)
    sock.send(b"x")


async def a_function_in_a_thread_returns_or_raises() -> None:
    assert await run_in_thread(divmod, 7, 2) == (3, 1)
    assert await run_cancellable(divmod, 7, 2) == (3, 1)
    for run in (run_in_thread, run_cancellable):
        with pytest.raises(ValueError, match="'x'"):
            await run(int, "x")


async def a_credential_helper_ends_when_its_caller_is_cancelled() -> None:
    with TemporaryDirectory() as folder, patch.dict(os.environ, PATH=f"{folder}{os.pathsep}{os.environ['PATH']}"):
        add_slow_helper(Path(folder))
        async with TaskGroup() as group:
            group.start_soon(run_cancellable, program.get, "slow", "https://registry.example")
            while not (process := process_of_helper(Path(folder))):
                await sleep(0.01)
            group.cancel()
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def add_slow_helper(folder: Path) -> None:
    helper = folder / "docker-credential-slow"
    helper.write_text(f"#!/bin/sh\necho $$ > {folder}/new; mv {folder}/new {folder}/began\nsleep 60\n")
    helper.chmod(0o700)


def process_of_helper(folder: Path) -> int:
    began = folder / "began"
    return int(began.read_text()) if began.exists() else 0


async def a_future_is_waited_for_and_goes_on_when_the_wait_is_cancelled() -> None:
    may_end = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        assert await wait_future(threads.submit(int, "7")) == 7
        going_on = threads.submit(may_end.wait)
        async with TaskGroup() as group:
            group.start_soon(wait_future, going_on)
            await sleep(0.05)
            group.cancel()
        assert not going_on.done()
        may_end.set()
        assert await wait_future(going_on)
        with pytest.raises(ValueError, match="'x'"):
            await wait_future(threads.submit(int, "x"))


async def an_address_is_found() -> None:
    assert (await getaddrinfo("127.0.0.1", 80))[0][4] == ("127.0.0.1", 80)
    assert {found[4][:2] for found in await getaddrinfo("localhost", 80)} & {("127.0.0.1", 80), ("::1", 80)}
    with pytest.raises(socket.gaierror):
        await getaddrinfo("does-not-exist.invalid", 80)


async def what_is_not_awaitable_is_returned_as_it_is() -> None:
    assert await maybe_await("text") == "text"
    assert await maybe_await(None) is None


async def a_group_that_was_not_entered_starts_nothing() -> None:
    with pytest.raises((AttributeError, RuntimeError)):
        TaskGroup().start_soon(sleep, 0)
