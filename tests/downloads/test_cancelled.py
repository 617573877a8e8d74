"""A download that ends at any moment gives everything back, and its client goes on (4.9)."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Digest
from dreg_client._async.client import AsyncClient
from dreg_client.protocol.options import Options, Timeouts
from dreg_client.protocol.registry_url import RegistryURL
from tests.cancellation.guarded import BLOB, CancelledAt, Guarded, until
from tests.downloads.kinds import Source, opened
from tests.raw_server import RawServer, speaking
from tests.transport.pieces import threads

DIGEST = Digest.of(BLOB)
PATIENT: Any = {"connections": 1, "retries": 0, "timeout": Timeouts(pool=10)}


@pytest.fixture
def server() -> Iterator[RawServer]:
    registry = Guarded()
    with speaking(registry) as running:
        registry.url = running.url
        yield running


@pytest.mark.parametrize("kind", ["threads", "asyncio", "trio"])
@pytest.mark.parametrize("resume", [False, True])
def test_4_9_interrupted_at_any_event(server: RawServer, tmp_path: Path, resume: bool, kind: str) -> None:
    number, seen = 0, 0
    while number <= seen:
        number, seen = number + 1, 0

        def hear(event: object, number: int = number) -> None:
            nonlocal seen
            seen += 1
            if seen == number:
                signal.raise_signal(signal.SIGINT)

        with opened(kind, server, on_event=hear, **PATIENT) as (_, do):
            with suppress(KeyboardInterrupt):
                do(lambda source: source.download_blob(DIGEST, tmp_path / "blob", resume=resume))
            before = seen
            check(tmp_path, resumed=resume)
            assert threads() == []
            seen = number  # no further interrupt
            do(lambda source: source.download_blob(DIGEST, tmp_path / "blob", resume=resume))
            seen = before
        assert (tmp_path / "blob").read_bytes() == BLOB
        check(tmp_path, resumed=False)
        (tmp_path / "blob").unlink()
    assert number > 4, "a challenge, a token, a response, chunks"


@pytest.mark.parametrize("resume", [False, True])
def test_4_9_cancelled_at_any_await(server: RawServer, tmp_path: Path, resume: bool) -> None:
    number, cancelled = 1, True
    while cancelled:
        cancelled = asyncio.run(cancelled_at(number, server, tmp_path, resume=resume))
        number += 1
    assert number > 4, "it waits for a connection, a response, a token, the next response"


async def cancelled_at(number: int, server: RawServer, folder: Path, *, resume: bool) -> bool:
    """Cancel it at one await, and check what is left. Returns whether there were as many."""
    before = asyncio.all_tasks()
    client = AsyncClient(RegistryURL.parse(server.url), Options(**PATIENT))
    source = Source(client)
    cut = CancelledAt(source.download_blob(DIGEST, folder / "blob", resume=resume), number)
    result = (await asyncio.gather(asyncio.create_task(cut.run()), return_exceptions=True))[0]
    assert isinstance(result, asyncio.CancelledError) or result.digest == DIGEST
    check(folder, resumed=resume)
    await until(lambda: asyncio.all_tasks() == before)
    await until(lambda: server.opened <= 1)
    await source.download_blob(DIGEST, folder / "blob", resume=resume)
    await client.aclose()
    await until(lambda: server.opened == 0)
    assert (folder / "blob").read_bytes() == BLOB
    check(folder, resumed=False)
    (folder / "blob").unlink(missing_ok=True)
    return cut.waits >= number


def check(folder: Path, *, resumed: bool) -> None:
    for path in folder.iterdir():
        is_whole = path.name == "blob" and path.read_bytes() == BLOB
        assert is_whole or (resumed and path.name.startswith(".sha256-")), path.name
