"""A download by several range requests that is left early leaves no thread, task, connection or file behind."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import trio

from dreg_client import errors
from dreg_client._async.client import AsyncClient
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.events import Retrying
from dreg_client.protocol.options import Options, Timeouts
from dreg_client.protocol.registry_url import RegistryURL
from tests.downloads.kinds import Source, free_places
from tests.raw_server import answer, speaking
from tests.transport.pieces import BLOB, DIGEST, PIECE, Server, Stall, exactly, saying, threads

Client = Callable[..., Any]
PATIENT = Timeouts(read=600)


def come(places: threading.Semaphore, number: int) -> None:
    for _ in range(number):
        assert places.acquire(timeout=60)


@contextmanager
def interrupted_once(begun: threading.Semaphore, number: int) -> Iterator[None]:
    """Ctrl-C, as soon as so many pieces have begun."""
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        come(begun, number)
        signal.pthread_kill(main, signal.SIGINT)

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    try:
        yield
    finally:
        waiting.join()


@pytest.mark.parametrize("resume", [False, True])
def test_4_9_an_interrupt_ends_pieces_that_stall(client: Client, resume: bool, tmp_path: Path) -> None:
    stall = Stall()
    with (
        speaking(Server({0: exactly}, always=stall)) as server,
        client(server, timeout=PATIENT, connections=4) as (registry, do),
    ):
        with interrupted_once(stall.begun, 4), pytest.raises(KeyboardInterrupt):
            do(lambda repository: repository.download_blob(DIGEST, tmp_path / "blob", resume=resume, connections=4))
        come(stall.left, 4)
        assert threads() == []
        assert free_places(registry) == {4}
        assert [BLOB.startswith(path.read_bytes()) for path in tmp_path.iterdir()] == [True] * resume
        do(lambda repository: repository.download_blob(DIGEST, tmp_path / "other"))
        assert (tmp_path / "other").read_bytes() == BLOB


def test_4_9_an_interrupt_ends_the_wait_for_another_attempt(client: Client, tmp_path: Path) -> None:
    refused = threading.Semaphore(0)

    def hear(event: object) -> None:
        if isinstance(event, Retrying):
            refused.release()

    later = saying(answer(b"", "429 Too Many Requests", "Retry-After: 59"))
    with (
        speaking(Server({0: exactly}, always=later)) as server,
        client(server, retries=3, on_event=hear) as (registry, do),
    ):
        began = monotonic()
        with interrupted_once(refused, 1), pytest.raises(KeyboardInterrupt):
            do(lambda repository: repository.download_blob(DIGEST, tmp_path / "blob", connections=4))
        assert monotonic() - began < 30
        assert threads() == []
        assert free_places(registry) == {8}
        assert list(tmp_path.iterdir()) == []


def test_an_error_ends_the_others(client: Client, tmp_path: Path) -> None:
    stall = Stall()

    def refuse(connection: Any, start: int, end: int) -> None:
        come(stall.begun, 3)
        connection.sendall(answer(b"", "403 Forbidden"))

    script = Server({0: exactly, PIECE: refuse}, always=stall)
    with speaking(script) as server, client(server, timeout=PATIENT) as (registry, do):
        with pytest.raises(errors.DeniedError):
            do(lambda repository: repository.download_blob(DIGEST, tmp_path / "blob", connections=4))
        come(stall.left, 3)
        assert threads() == []
        assert free_places(registry) == {8}
        assert list(tmp_path.iterdir()) == []


def test_one_stream_takes_over_from_pieces_that_stall(client: Client, tmp_path: Path) -> None:
    stall = Stall()

    def misfit(connection: Any, start: int, end: int) -> None:
        come(stall.begun, 3)
        connection.sendall(answer(BLOB))

    stalled = {number * PIECE: stall for number in (2, 3, 4)}
    script = Server({0: exactly, PIECE: misfit, **stalled})
    with speaking(script) as server, client(server, timeout=PATIENT) as (_, do):
        do(lambda repository: repository.download_blob(DIGEST, tmp_path / "blob", connections=4))
        come(stall.left, 3)
        assert threads() == []
        assert (tmp_path / "blob").read_bytes() == BLOB


@pytest.mark.parametrize("times", [1, 2])
def test_4_9_a_task_that_is_cancelled_leaves_no_task(times: int, tmp_path: Path) -> None:
    stall = Stall()

    async def main(url: str) -> None:
        before = asyncio.all_tasks()
        client = AsyncClient(RegistryURL.parse(url), Options(timeout=PATIENT))
        reading = asyncio.create_task(Source(client).download_blob(DIGEST, tmp_path / "blob", connections=4))
        await asyncio.to_thread(come, stall.begun, 4)
        for _ in range(times):
            reading.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert asyncio.all_tasks() == before
        assert free_places(client) == {8}
        await client.aclose()

    with speaking(Server({0: exactly}, always=stall)) as server:
        asyncio.run(main(server.url))
        come(stall.left, 4)
    assert list(tmp_path.iterdir()) == []
    assert threads() == []


def test_4_9_a_trio_task_that_is_cancelled_ends_and_its_client_goes_on(tmp_path: Path) -> None:
    stall = Stall()

    async def main(url: str) -> None:
        client = AsyncClient(RegistryURL.parse(url), Options(timeout=PATIENT))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(Source(client).download_blob, DIGEST, tmp_path / "blob", connections=4))
            await trio.to_thread.run_sync(come, stall.begun, 4)
            nursery.cancel_scope.cancel()
        assert free_places(client) == {8}
        await Source(client).download_blob(DIGEST, tmp_path / "other")
        await client.aclose()

    with speaking(Server({0: exactly}, always=stall)) as server:
        trio.run(main, server.url)
        come(stall.left, 4)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
    assert threads() == []


@pytest.mark.parametrize("least", [1, PIECE])
def test_a_stream_that_was_left_says_so(client: Client, least: int) -> None:
    async def awaited(source: Any) -> None:
        reader, received = source.open_blob(BlobRequest(DIGEST, ranges=4)), 0
        async with reader:
            while received < least:
                received += len(await anext(reader))
        with pytest.raises(errors.ClosedError):
            await anext(reader)

    def left(source: Any) -> Any:
        if isinstance(source.client, AsyncClient):
            return awaited(source)
        received = 0
        with source.open_blob(BlobRequest(DIGEST, ranges=4)) as reader:
            while received < least:
                received += len(next(reader))
        with pytest.raises(errors.ClosedError):
            next(reader)
        return None

    with speaking(Server(is_fast=True)) as server, client(server) as (_, do):
        do(left)
    assert threads() == []
