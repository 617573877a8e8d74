"""Copies by threads, by asyncio and by the command line; each returns the digests of the tags that it wrote."""

import asyncio
import json
from typing import Any

from dreg_client import acopy, async_sync, copy, sync
from tests.commands import run_dreg
from tests.faultserver import Network

WAYS = ("threads", "asyncio", "command line")


def copied(way: str, net: Network, source: str, destination: str, **options: Any) -> None:
    if way == "command line":
        flags = ["--all-tags"] if options.get("tags") == "all" else []
        flags += ["--referrers"] if options.get("referrers") else []
        run(net, "copy", source, destination, *flags)
        return
    given = {"ca_file": str(net.ca_file), **options}
    if way == "threads":
        copy(source, destination, **given)
        return

    async def by_task() -> None:
        await acopy(source, destination, **given)

    asyncio.run(by_task())


def synced(way: str, net: Network, source: str, destination: str) -> tuple[int, int]:
    """How many tags were copied and skipped."""
    if way == "command line":
        [done] = json.loads(run(net, "sync", source, destination, "--referrers", "--format", "json"))["repositories"]
        return len(done["copied"]), done["skipped"]
    given: dict[str, Any] = {"ca_file": str(net.ca_file), "referrers": True}
    if way == "threads":
        result = sync(source, destination, **given)
    else:

        async def by_task() -> Any:
            return await async_sync(source, destination, **given)

        result = asyncio.run(by_task())
    assert not result.failures, result.failures
    return result.copied, result.skipped


def run(net: Network, *words: str) -> bytes:
    done = run_dreg([*words, "--ca-file", str(net.ca_file)], environment=net.environment())
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
