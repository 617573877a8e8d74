"""Many tags to validated manifests, sync and async, compared with python-dxf, which requests digests only."""

import asyncio
import http.client
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import trio
from contest import Target, contest, result, within
from tables import QUICK

from dreg_client import AsyncRegistry, Registry
from tests.registries import EMPTY_INDEX, RunningRegistry, running

TAGS = 100 if QUICK else 1000
_NAME = "bench/tags"
_DXF = "python-dxf, digests alone"


def tables() -> Iterator[str]:
    """Yield the tables of this suite."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as own:
        yield _manifests(own, put_tags(own, TAGS))


def put_tags(own: RunningRegistry, count: int) -> list[str]:
    """Push that many tags, with one manifest each."""
    tags = [f"t{number:04}" for number in range(count)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda tag: own.put(_NAME, tag, {**EMPTY_INDEX, "annotations": {"tag": tag}}), tags))
    return tags


def _manifests(own: RunningRegistry, tags: list[str]) -> str:
    threads, tasks = "8 threads", "200 asyncio tasks"
    found = contest(
        {
            threads: within(partial(by_threads, own, tags)),
            "one at a time": within(partial(by_threads, own, tags, 1)),
            tasks: within(lambda: asyncio.run(_by_tasks(own, tags))),
            "200 trio tasks": within(lambda: trio.run(_by_trio_tasks, own, tags)),
            _DXF: within(partial(_dxf, own, tags)),
            "http.client, 8 threads, nothing checked": within(partial(_bare, own, tags)),
        },
        rounds=5,
    )
    targets = {
        threads: [Target("wall", most=0.5)],
        tasks: [Target("wall", most=0.5)],
    }
    title = f"{len(tags):,} tags to validated manifests, over http, one process"
    return result(title, found, against=_DXF, targets=targets)


def by_threads(own: RunningRegistry, tags: list[str], count: int = 8) -> None:
    """Fetch all manifests with that many threads."""
    with Registry(own.url) as registry, ThreadPoolExecutor(count) as threads:
        list(threads.map(registry.repository(_NAME).get_manifest, tags))


async def _by_tasks(own: RunningRegistry, tags: list[str]) -> None:
    waiting = iter(tags)
    async with AsyncRegistry(own.url) as registry:
        repository = registry.repository(_NAME)

        async def work() -> None:
            for tag in waiting:
                await repository.get_manifest(tag)

        async with asyncio.TaskGroup() as group:
            for _ in range(200):
                group.create_task(work())


async def _by_trio_tasks(own: RunningRegistry, tags: list[str]) -> None:
    waiting = iter(tags)
    async with AsyncRegistry(own.url) as registry, trio.open_nursery() as nursery:
        repository = registry.repository(_NAME)

        async def work() -> None:
            for tag in waiting:
                await repository.get_manifest(tag)

        for _ in range(200):
            nursery.start_soon(work)


def _dxf(own: RunningRegistry, tags: list[str]) -> None:
    from dxf import DXF

    with DXF(own.address, _NAME, insecure=True) as client:
        for tag in tags:
            client.head_manifest_and_response(tag)


def _bare(own: RunningRegistry, tags: list[str]) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(partial(_bare_part, own), (tags[start::8] for start in range(8))))


def _bare_part(own: RunningRegistry, tags: list[str]) -> None:
    with closing(http.client.HTTPConnection(own.address)) as connection:
        for tag in tags:
            connection.request("GET", f"/v2/{_NAME}/manifests/{tag}", headers={"Accept": EMPTY_INDEX["mediaType"]})
            with connection.getresponse() as response:
                assert response.read(), response.status
