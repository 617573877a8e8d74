"""Copies that are cancelled or killed leave the tags as they were, and the next one finishes them."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Self

import anyio
import pytest
import trio

from dreg_client import AsyncLayout, AsyncStore, Registry, acopy, copy
from dreg_client._async.layout_source import AsyncLayoutSource
from dreg_client.protocol.content import BlobRequest
from tests.commands import start_limited
from tests.copying.graphs import Graph, content, names
from tests.registries import ROOT, RunningRegistry

KILLS = 6


class Stuck(AsyncLayoutSource):
    """A layout whose blobs get stuck after the first byte; then `begun` is set."""

    begun: anyio.Event

    def open_blob(self, request: BlobRequest) -> Any:
        return StuckReader(self.begun)


class StuckReader:
    encoding = ""
    has_begun = False

    def __init__(self, begun: anyio.Event) -> None:
        self._begun = begun

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def __aiter__(self) -> "StuckReader":
        return self

    async def __anext__(self) -> bytes:
        if not self.has_begun:
            self.has_begun = True
            return b"l"
        self._begun.set()
        await anyio.sleep_forever()
        raise AssertionError


def picture(folder: Path, layers: int, size: int) -> Path:
    graph = Graph()
    randoms = random.Random(7)  # noqa: S311 (no secret)
    graph.tag(graph.image([graph.add(randoms.randbytes(size)) for _ in range(layers)]), "1")
    return graph.write(folder)


@pytest.mark.parametrize("library", ["asyncio", "trio"])
@pytest.mark.parametrize("medium", ["layout", "registry"])
def test_a_cancelled_copy_leaves_nothing_half_written(
    library: str, medium: str, tmp_path: Path, registry: RunningRegistry
) -> None:
    source = picture(tmp_path / "here", 6, 100)
    name = f"{registry.address}/cancelled/{library}" if medium == "registry" else f"oci:{tmp_path}/there"

    async def cancelled() -> None:
        async with AsyncLayout(source) as layout:
            stuck = Stuck(layout.files)
            stuck.begun = anyio.Event()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(partial(acopy, (AsyncStore(stuck), "1"), f"{name}:1"))
                await stuck.begun.wait()
                tasks.cancel_scope.cancel()

    (trio.run if library == "trio" else lambda job: asyncio.run(job()))(cancelled)

    if medium == "layout":
        assert names(tmp_path / "there") == {}
        assert all(len(it) != 100 for it in content(tmp_path / "there").values())
    else:
        with Registry(f"http://{registry.address}") as opened:
            assert opened.repository(f"cancelled/{library}").check_manifest("1") is None
    assert copy(f"oci:{source}:1", f"{name}:1").digest == names(source)["1"]


def killed_at(folder: Path) -> Iterator[float]:
    randoms = random.Random(str(folder.name))  # noqa: S311 (no secret)
    yield from (randoms.uniform(0.05, 1.2) for _ in range(KILLS))


@pytest.mark.parametrize("medium", ["layout", "registry"])
def test_a_killed_copy_is_finished_by_the_next_one(medium: str, tmp_path: Path, registry: RunningRegistry) -> None:
    source, old = picture(tmp_path / "here", 12, 1 << 20), picture(tmp_path / "old", 2, 50)
    name = f"{registry.address}/killed/web:1" if medium == "registry" else f"oci:{tmp_path}/there:1"
    before = copy(f"oci:{old}:1", name).digest
    command = [sys.executable, "-m", "dreg_client.cli", "copy", f"oci:{source}:1", name]

    for seconds in killed_at(tmp_path):
        with start_limited(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
        current = copy(name, f"oci:{tmp_path}/read-{seconds}:1").digest
        assert current in {before, names(source)["1"]}

    assert copy(f"oci:{source}:1", name).digest == names(source)["1"]
    copy(name, f"oci:{tmp_path}/back:1")
    assert content(tmp_path / "back") == content(source)
