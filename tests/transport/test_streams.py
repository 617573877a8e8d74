"""A stream outlives nothing: what is read behind its end is told as that, not as bytes that are others."""

import asyncio
from typing import Any

import pytest

from dreg_client import AsyncRegistry, Digest, Registry, errors
from dreg_client.protocol.options import Timeouts
from tests.raw_server import RawServer, answer, speaking

LARGE = bytes(range(256)) * 40_000
DIGEST = Digest.of(LARGE)


def serving(head: bytes, connection: Any) -> bool:
    connection.sendall(answer(LARGE))
    return True


def test_a_stream_that_was_left_is_closed() -> None:
    with speaking(serving) as server, Registry(server.url) as registry:
        with registry.repository("acme/web").stream_blob(DIGEST) as chunks:
            next(chunks)
        with pytest.raises(errors.ClosedError):
            next(chunks)
        assert len(server.heads) == 1


def test_so_is_that_of_a_task() -> None:
    async def read(server: RawServer) -> None:
        async with AsyncRegistry(server.url) as registry:
            async with registry.repository("acme/web").stream_blob(DIGEST) as chunks:
                await anext(chunks)
            with pytest.raises(errors.ClosedError):
                await anext(chunks)

    with speaking(serving) as server:
        asyncio.run(read(server))
        assert len(server.heads) == 1


def test_who_holds_all_connections_waits_for_another_once() -> None:
    options = {"connections": 1, "timeout": Timeouts(pool=0.1), "retries": 4}
    with speaking(serving) as server, Registry(server.url, **options) as registry:
        repository = registry.repository("acme/web")
        with repository.stream_blob(DIGEST) as chunks:
            next(chunks)
            with pytest.raises(errors.NoPlaceError, match="connections="):
                repository.get_blob(DIGEST)
