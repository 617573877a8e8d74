"""A tag that is untagged, and interrupted at any moment: then it is gone, or names what it named before."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from socket import socket
from typing import Any

import pytest
import trio

from dreg_client import AsyncRegistry, Registry
from dreg_client._async import untag as untag_of_tasks
from dreg_client._sync import untag as untag_of_threads
from tests.by_digest import ByDigest
from tests.cancellation.guarded import CancelledAt, until
from tests.cancellation.test_interrupts import Interrupting
from tests.commands import start_limited
from tests.raw_server import RawServer, speaking
from tests.registries import ROOT


def check(registry: ByDigest) -> bool:
    """Whether the tag is gone."""
    assert registry.tags.pop("latest") == registry.digest
    assert registry.tags in ({}, {"1.4": registry.digest})
    assert registry.digest in registry.manifests
    return not registry.tags


class CancelledTwice(CancelledAt):
    """Cancelled once more, at the next wait: that may be while the manifest is put back."""

    @property
    def _number(self) -> int:
        return self.first if self.waits <= self.first else self.first + 1

    @_number.setter
    def _number(self, number: int) -> None:
        self.first = number


@pytest.mark.parametrize("cut", [CancelledAt, CancelledTwice])
@pytest.mark.parametrize("faults", [{}, {"DELETE digest": 500}], ids=["deleted", "put back"])
def test_a_task_that_is_cancelled_at_any_await_leaves_no_placeholder(
    monkeypatch: pytest.MonkeyPatch, cut: type[CancelledAt], faults: dict[str, Any]
) -> None:
    number, waits, gone = 0, 0, list[bool]()
    while number <= waits:
        number += 1
        registry = ByDigest(faults=dict(faults))
        with speaking(registry.speak) as server:
            # The request that was cut short is handled once its connection is closed.
            monkeypatch.setattr(untag_of_tasks, "sleep", lambda _, server=server: until(lambda: server.opened <= 1))
            waits = asyncio.run(cancelled_at(number, server, cut))
        gone.append(check(registry))
    assert not gone[0]
    assert gone[-1] is not bool(faults)
    assert number > 6


async def cancelled_at(number: int, server: RawServer, cut: type[CancelledAt]) -> int:
    async with AsyncRegistry(server.url, retries=0) as registry:
        work = cut(registry.repository("acme/web").untag("1.4"), number)
        await asyncio.gather(asyncio.create_task(work.run()), return_exceptions=True)
        await until(lambda: server.opened <= 1)
        return work.waits


def test_a_task_of_trio_that_is_cancelled_leaves_no_placeholder() -> None:
    registry = ByDigest(faults={"DELETE digest": 500})

    async def untagged(server: RawServer) -> None:
        with trio.CancelScope() as scope:

            def cancel(_: object) -> None:
                if registry.asked[-1] == "PUT tag":
                    scope.cancel()

            async with AsyncRegistry(server.url, retries=0, on_event=cancel) as opened:
                await opened.repository("acme/web").untag("1.4")
        assert scope.cancelled_caught

    with speaking(registry.speak) as server:
        trio.run(untagged, server)
    assert not check(registry)


def test_an_interrupt_at_any_event_leaves_no_placeholder(monkeypatch: pytest.MonkeyPatch) -> None:
    number, seen, gone = 0, 0, list[bool]()
    while number <= seen:
        number += 1
        registry = ByDigest()
        with speaking(registry.speak) as server:
            monkeypatch.setattr(
                untag_of_threads, "sleep", lambda _, server=server: asyncio.run(until(lambda: server.opened <= 1))
            )
            events = Interrupting(number)
            with Registry(server.url, retries=0, on_event=events) as opened, suppress(KeyboardInterrupt):
                opened.repository("acme/web").untag("1.4")
            seen = events.seen
        gone.append(check(registry))
    assert not gone[0]
    assert gone[-1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert number >= 6


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGTERM")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_puts_the_manifest_back_before_a_signal_ends_it(tmp_path: Path, number: int) -> None:
    registry, stalled, over = ByDigest(), threading.Event(), threading.Event()

    def stalling(head: bytes, connection: socket) -> bool:
        digest = registry.tags["1.4"]
        if head.startswith(b"DELETE") and digest.encode() in head:
            stalled.set()
            over.wait(60)
            return False
        return registry.speak(head, connection)

    with speaking(stalling) as server:
        command = [sys.executable, "-m", "dreg_client.cli", "untag", f"localhost:{server.port}/acme/web:1.4"]
        env = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
        with start_limited(command, env=env, stderr=subprocess.PIPE, text=True) as process:
            assert stalled.wait(60)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        over.set()

    assert process.returncode == 128 + number
    assert f"acme/web:1.4 names {registry.digest} again" in said
    assert not check(registry)
