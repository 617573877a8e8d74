"""A caller's transport that fails, stalls or is cancelled while a response is closed (TRN-64)."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import httpx
import pytest

from dreg_client import AsyncRegistry, Registry, errors

DIGEST = "sha256:" + "0" * 64
BACKENDS = ["asyncio", "trio"]


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body of two pieces whose iterator fails once it is closed.

    Attributes:
        closed: How often it was closed, to its end.
        failure: The error.
    """

    def __init__(self, failure: BaseException | None = None, *, stalls: bool = False) -> None:
        self.closed, self.failure, self._stalls = 0, failure, stalls

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield b"first"
            yield b"second"
        finally:
            if self.failure is not None:
                raise self.failure

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            yield b"first"
            yield b"second"
        finally:
            await anyio.sleep(0.01)
            if self.failure is not None:
                raise self.failure

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        await anyio.sleep(60 if self._stalls else 0.01)
        self.closed += 1


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    def __init__(self, body: Body) -> None:
        self.body = body

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-length": "11"}, stream=self.body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


async def first_chunk(transport: Transport, scope: anyio.CancelScope | None = None) -> Any:
    """Read the first chunk of a blob, and close it; cancel the scope in between, if there is one."""
    async with AsyncRegistry("https://registry.test", transport=transport, retries=0, connections=1) as registry:
        repository = registry.repository("acme/web")
        async with repository.stream_blob(DIGEST) as chunks:
            async for chunk in chunks:
                if scope is not None:
                    scope.cancel()
                return chunk
    raise AssertionError("there are two")


@pytest.mark.parametrize("failure", [OSError("lost"), ValueError("canary"), httpx.ReadError("lost")])
def test_trn_64_a_response_is_closed_although_its_iterator_fails(failure: Exception) -> None:
    body = Body(failure)
    with Registry("https://registry.test", transport=Transport(body), retries=0, connections=1) as registry:
        with registry.repository("acme/web").stream_blob(DIGEST) as chunks:
            assert next(iter(chunks)) == b"first"
        assert body.closed == 1
        body.failure = None
        with pytest.raises(errors.ProtocolError):
            registry.repository("acme/web").tags()  # it has a connection; the body is not JSON


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("failure", [None, OSError("lost"), httpx.ReadError("lost")])
@pytest.mark.parametrize("cancels", [False, True])
def test_trn_64_a_response_is_closed_although_its_task_is_cancelled(
    backend: str, failure: Exception | None, cancels: bool
) -> None:
    body = Body(failure)

    async def main() -> None:
        with anyio.CancelScope() as scope:
            assert await first_chunk(Transport(body), scope if cancels else None) == b"first"

    anyio.run(main, backend=backend)
    assert body.closed == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_trn_64_a_response_that_does_not_close_is_given_up(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dreg_client._async._compat._CLOSING", 0.1)
    body = Body(stalls=True)

    async def main() -> None:
        with anyio.fail_after(10):
            assert await first_chunk(Transport(body)) == b"first"

    anyio.run(main, backend=backend)
    assert body.closed == 0
