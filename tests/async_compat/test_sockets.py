"""Waiting for any of several sockets, by tasks and by threads."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import anyio
import pytest

from dreg_client._async import _compat as tasks_compat
from dreg_client._sync import _compat as threads_compat

Wait = Callable[[list[socket.socket], float], list[socket.socket]]
Pairs = list[tuple[socket.socket, socket.socket]]


@pytest.fixture(params=["asyncio", "trio", "threads"])
def wait(request: pytest.FixtureRequest) -> Wait:
    if request.param == "threads":
        return threads_compat.wait_any_writable
    return lambda *given: anyio.run(tasks_compat.wait_any_writable, *given, backend=request.param)


@pytest.fixture
def full() -> Iterator[Pairs]:
    """Pairs of sockets; the first of each cannot be written to."""
    with ExitStack() as opened:
        pairs = [socket.socketpair() for _ in range(3)]
        for near, far in pairs:
            opened.enter_context(near)
            opened.enter_context(far)
            near.settimeout(0)
            with suppress(BlockingIOError):
                while True:
                    near.send(bytes(65536))
        yield pairs


def drain(sock: socket.socket) -> None:
    sock.settimeout(0)
    with suppress(BlockingIOError):
        while sock.recv(1 << 20):
            pass


def test_the_sockets_that_can_be_written_to_are_returned(wait: Wait, full: Pairs) -> None:
    nears = [near for near, _ in full]
    assert wait(nears, 0.02) == []
    assert wait(nears, -1) == []
    assert wait(nears[:1], 0.02) == []
    drain(full[1][1])
    assert wait(nears, 60) == nears[1:2]
    drain(full[0][1])
    assert set(wait(nears, 60)) <= set(nears[:2])
    assert wait(nears[:1], 60) == nears[:1]


def test_a_task_that_waits_for_sockets_can_be_cancelled(full: Pairs) -> None:
    nears = [near for near, _ in full]

    async def cancelled() -> Any:
        with anyio.move_on_after(0.05) as scope:
            await tasks_compat.wait_any_writable(nears, 60)
        return scope.cancelled_caught

    assert all(anyio.run(cancelled, backend=backend) for backend in ("asyncio", "trio"))
