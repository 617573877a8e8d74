"""What copies share that run at the same time: turns for a blob, and limits of a host."""

import asyncio
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pytest

from dreg_client import Digest, Layout, Registry
from dreg_client._async.shared_transfers import AsyncPlacedBlobs
from dreg_client._sync.ports import Destination
from dreg_client._sync.sync_run import SyncRun

BLOB = Digest.of(b"blob")


def test_the_failure_of_a_transfer_lets_only_one_other_begin() -> None:
    async def run() -> None:
        placed, entered, end = AsyncPlacedBlobs(), list[str](), asyncio.Event()

        async def fail() -> None:
            async with placed.turn(BLOB):
                await asyncio.sleep(0)  # so that another one waits
                raise ValueError

        async def transfer(name: str) -> None:
            async with placed.turn(BLOB):
                entered.append(name)
                await end.wait()

        failed = asyncio.create_task(fail())
        waited = asyncio.create_task(transfer("waited"))
        await asyncio.gather(failed, return_exceptions=True)
        came = asyncio.create_task(transfer("came later"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert entered == ["waited"]
        end.set()
        await asyncio.gather(waited, came)
        assert entered == ["waited", "came later"]

    asyncio.run(run())


def repository(stack: ExitStack, host: str, connections: int) -> Destination:
    registry = stack.enter_context(Registry(f"http://{host}", connections=connections))
    return written(registry.repository("acme/web").source.writable)


def written(destination: Destination | None) -> Destination:
    assert destination is not None
    return destination


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_the_limit_of_a_host_depends_on_its_own_connections(tmp_path: Path, order: Iterable[int]) -> None:
    with ExitStack() as stack:
        layout = written(stack.enter_context(Layout.create(tmp_path / "layout")).source.writable)
        slow, fast = repository(stack, "slow.test", 2), repository(stack, "fast.test", 8)
        same = repository(stack, "fast.test", 8)
        pairs = ((slow, fast), (layout, fast), (same, fast))
        run = stack.enter_context(SyncRun({}))

        found = {number: run.shared(*pairs[number]).limits for number in order}

        assert [[limit.free for limit in found[number]] for number in range(3)] == [[4, 1], [4], [4]]
        assert found[0][0] is found[1][0] is found[2][0]


def test_a_copy_over_the_same_connections_needs_two_for_each_blob() -> None:
    with ExitStack() as stack:
        registry = stack.enter_context(Registry("http://one.test", connections=8))
        here, there = (written(registry.repository(name).source.writable) for name in ("acme/web", "acme/api"))
        run = stack.enter_context(SyncRun({}))

        assert [limit.free for limit in run.shared(here, there).limits] == [3]
