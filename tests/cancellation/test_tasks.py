"""A task that is cancelled at any of its awaits gives everything back (4.9), and its client goes on."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dreg_client import AsyncRegistry, Digest, aopen_store
from dreg_client.protocol.options import Timeouts
from tests.cancellation.guarded import BLOB, CancelledAt, Guarded, until
from tests.http.documents import DIGEST
from tests.raw_server import RawServer, speaking

LAYER = Digest("sha256:79aa310da7d4b7f13fa37b6bb09d075a05d6618e288a8450772fda3d4643ffc3")


@dataclass
class Work:
    """What is done, what shows that it was, and whether a part is kept of what was not."""

    act: Callable[[Any, Path], Any]
    due: object
    resumed: bool = False


WORKS = {
    "manifest": Work(lambda repository, _: manifest(repository), DIGEST),
    "tags": Work(lambda repository, _: repository.tags(), ("one", "two")),
    "blob": Work(lambda repository, _: repository.get_blob(Digest.of(BLOB)), BLOB),
    "file": Work(lambda repository, folder: landed(repository, folder, resume=False), BLOB),
    "file that is resumed": Work(
        lambda repository, folder: landed(repository, folder, resume=True), BLOB, resumed=True
    ),
}


async def manifest(repository: Any) -> Digest:
    return (await repository.get_manifest("1")).digest


async def landed(repository: Any, folder: Path, *, resume: bool) -> bytes:
    await repository.download_blob(Digest.of(BLOB), folder / "blob", resume=resume)
    return (folder / "blob").read_bytes()


@pytest.fixture
def server() -> Iterator[RawServer]:
    registry = Guarded()
    with speaking(registry) as running:
        registry.url = running.url
        yield running


@pytest.mark.parametrize("name", WORKS)
def test_4_9_cancelled_at_any_await_all_is_given_back_and_the_client_goes_on(
    server: RawServer, tmp_path: Path, name: str
) -> None:
    number, cancelled = 1, True
    while cancelled:
        cancelled = asyncio.run(cancelled_at(number, WORKS[name], server, tmp_path))
        number += 1
    assert number > 4, "it waits for a connection, for an answer, for a token, for its own answer"


async def cancelled_at(number: int, work: Work, server: RawServer, folder: Path) -> bool:
    """Cancel it at one await, and see what is left. Whether there were as many."""
    before = asyncio.all_tasks()
    options: Any = {"connections": 1, "retries": 0, "timeout": Timeouts(pool=10)}
    async with AsyncRegistry(server.url, **options) as registry:
        repository = registry.repository("a/b")
        cut = CancelledAt(work.act(repository, folder), number)
        result = (await asyncio.gather(asyncio.create_task(cut.run()), return_exceptions=True))[0]
        assert isinstance(result, asyncio.CancelledError) or result == work.due
        check_files(folder, resumed=work.resumed)
        await until(lambda: asyncio.all_tasks() == before)
        await until(lambda: server.opened <= 1)
        assert await work.act(repository, folder) == work.due, "the one connection was not given back"
    await until(lambda: server.opened == 0)
    check_files(folder, resumed=False)
    (folder / "blob").unlink(missing_ok=True)
    return cut.waits >= number


@pytest.mark.parametrize("resume", [False, True])
def test_4_9_a_download_from_a_layout_that_is_cancelled_at_any_await_leaves_no_other_file(
    fixtures: Path, tmp_path: Path, resume: bool
) -> None:
    number, cancelled = 1, True
    while cancelled:
        cut, result = asyncio.run(copied(number, fixtures / "layouts/multi", tmp_path, resume=resume))
        assert isinstance(result, asyncio.CancelledError) or result.digest == LAYER
        assert {path.name for path in tmp_path.iterdir()} <= {"blob"} | (
            {f".sha256-{LAYER.encoded}.part"} if resume else set()
        )
        number, cancelled = number + 1, cut.waits >= number
    assert Digest.of((tmp_path / "blob").read_bytes()) == LAYER


async def copied(number: int, layout: Path, folder: Path, *, resume: bool) -> tuple[CancelledAt, Any]:
    async with aopen_store(f"oci:{layout}") as store:
        cut = CancelledAt(store.download_blob(LAYER, folder / "blob", resume=resume), number)
        return cut, (await asyncio.gather(asyncio.create_task(cut.run()), return_exceptions=True))[0]


def check_files(folder: Path, *, resumed: bool) -> None:
    for path in folder.iterdir():
        is_whole = path.name == "blob" and path.read_bytes() == BLOB
        assert is_whole or (resumed and path.name.startswith(".sha256-")), path.name
