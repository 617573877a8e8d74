"""A registry on this machine: a large blob to a file, many manifests, one command; beside python-dxf and curl."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tables import in_turn, ratios, spread, table, verdict

from dreg_client import AsyncRegistry, Digest, Registry
from tests.registries import EMPTY_INDEX, RunningRegistry, running

_BLOB = 256 * 1024 * 1024
_TAGS = 1000
_ROUNDS = 7


def tables() -> Iterator[str]:
    """All tables of this suite."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        own = stack.enter_context(running(folder))
        yield _blobs(own, folder)
        yield _manifests(own)
        yield _commands(own)


def _table(title: str, rounds: Any, against: str, targets: Mapping[str, float]) -> str:
    rows: list[list[str]] = []
    for name, found in rounds.items():
        times = ratios(rounds, name, against)
        target = verdict(median(times), most=targets[name]) if name in targets else ""
        rows.append([name, f"{median(found) * 1e3:.0f}", spread(times), target])
    return table(title, ["what", "milliseconds", f"ratio to {against}", "target"], rows)


# --- a large blob


def _blobs(own: RunningRegistry, folder: Path) -> str:
    octets = os.urandom(_BLOB)
    own.put_blob("bench/blob", octets)
    digest = Digest.of(octets)
    target = folder / "target"
    contestants = {
        "`download_blob(durability='fast')`": partial(_download, own, digest, target, "fast"),
        "`download_blob`, with fsync": partial(_download, own, digest, target, "full"),
        "the same by a task": lambda: asyncio.run(_adownload(own, digest, target)),
        "python-dxf": partial(_dxf_blob, own, digest, target),
        "curl, nothing checked": partial(_curl, own, digest, target),
        "only sha256": lambda: Digest.of(octets),
    }
    rounds = in_turn(contestants, rounds=_ROUNDS)
    return _table(
        "A blob of 256 MiB to a file, over http",
        rounds,
        1e3,
        "python-dxf",
        {"`download_blob(durability='fast')`": 0.85},
    )


def _download(own: RunningRegistry, digest: Digest, target: Path, durability: Any) -> None:
    with Registry(own.url) as registry:
        registry.repository("bench/blob").download_blob(digest, target, durability=durability)


async def _adownload(own: RunningRegistry, digest: Digest, target: Path) -> None:
    async with AsyncRegistry(own.url) as registry:
        await registry.repository("bench/blob").download_blob(digest, target, durability="fast")


def _dxf_blob(own: RunningRegistry, digest: Digest, target: Path) -> None:
    with _dxf(own, "bench/blob") as client, target.open("wb") as file:
        for chunk in client.pull_blob(digest, chunk_size=1024 * 1024):
            file.write(chunk)


def _dxf(own: RunningRegistry, name: str) -> Any:
    from dxf import DXF

    return DXF(own.address, name, insecure=True)


def _curl(own: RunningRegistry, digest: Digest, target: Path) -> None:
    subprocess.run(["curl", "-sf", "-o", str(target), f"{own.url}/v2/bench/blob/blobs/{digest}"], check=True)


# --- many manifests


def _manifests(own: RunningRegistry) -> str:
    tags = [f"t{number:04}" for number in range(_TAGS)]
    for tag in tags:
        own.put("bench/tags", tag, {**EMPTY_INDEX, "annotations": {"tag": tag}})
    contestants: dict[str, Callable[[], object]] = {
        "8 threads": partial(_by_threads, own, tags),
        "one after another": partial(_by_threads, own, tags, 1),
        "200 tasks, httpx": lambda: asyncio.run(_by_tasks(own, tags, "httpx")),
        "200 tasks, httpx2": lambda: asyncio.run(_by_tasks(own, tags, "httpx2")),
        "python-dxf, digests alone": partial(_dxf_tags, own, tags),
    }
    targets = {"8 threads": 0.5, "200 tasks, httpx": 0.75, "200 tasks, httpx2": 0.5}
    rounds = in_turn(contestants, rounds=5)
    return _table(f"{_TAGS:,} tags to validated manifests, over http", rounds, "python-dxf, digests alone", targets)


def _by_threads(own: RunningRegistry, tags: list[str], count: int = 8) -> None:
    with Registry(own.url) as registry, ThreadPoolExecutor(count) as threads:
        list(threads.map(registry.repository("bench/tags").get_manifest, tags))


async def _by_tasks(own: RunningRegistry, tags: list[str], library: Any) -> None:
    waiting = iter(tags)
    async with AsyncRegistry(own.url, http=library) as registry:
        repository = registry.repository("bench/tags")

        async def work() -> None:
            for tag in waiting:
                await repository.get_manifest(tag)

        async with asyncio.TaskGroup() as group:
            for _ in range(200):
                group.create_task(work())


def _dxf_tags(own: RunningRegistry, tags: list[str]) -> None:
    with _dxf(own, "bench/tags") as client:
        for tag in tags:
            client.head_manifest_and_response(tag)


# --- one command


def _commands(own: RunningRegistry) -> str:
    dreg = ["-c", "from dreg_client.cli import main; main()"]
    name = f"{own.address}/bench/tags:t0000"
    contestants = {
        "`dreg resolve`": partial(_run, [*dreg, "resolve", name]),
        "`import httpx`": partial(_run, ["-c", "import httpx"]),
        "`import dreg_client.registry`": partial(_run, ["-c", "import dreg_client.registry"]),
    }
    rounds = in_turn(contestants, rounds=15)
    return _table("One tag resolved, whole processes", rounds, "`import httpx`", {"`dreg resolve`": 1.8})


def _run(arguments: list[str]) -> None:
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
