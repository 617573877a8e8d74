"""Archives that another program changes while they are written: no update is lost."""

import asyncio
import fcntl
import os
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from dreg_client import copy, errors, open_store
from dreg_client._async.docker_archive_destination import AsyncDockerArchiveDestination
from dreg_client._async.oci_archive_destination import AsyncOciArchiveDestination
from dreg_client._async.ports import AsyncDestination
from dreg_client.files import folder_lock
from tests.registries import LAYOUT

KINDS: dict[str, Callable[[Path], AsyncDestination]] = {
    "oci-archive": AsyncOciArchiveDestination,
    "docker-archive": AsyncDockerArchiveDestination,
}


class Archive:
    """An archive with the image `old`."""

    def __init__(self, kind: str, path: Path) -> None:
        self.kind, self.path = kind, path
        self.add("old")

    def add(self, tag: str) -> None:
        name = tag if self.kind == "oci-archive" else f"acme/web:{tag}"
        copy(f"oci:{LAYOUT}:1.4", f"{self.kind}:{self.path}:{name}", platforms=["linux/amd64"])

    def tags(self) -> set[str]:
        with open_store(f"{self.kind}:{self.path}") as store:
            return {tag.removeprefix("docker.io/").removeprefix("acme/web:") for tag in store.tags()}

    def written(self, write: "Callable[[AsyncDestination], Coroutine[Any, Any, None]]") -> None:
        """Open the archive as a destination, and write it."""

        async def run() -> None:
            destination = KINDS[self.kind](self.path)
            try:
                await write(destination)
            finally:
                await destination.aclose()

        asyncio.run(run())

    async def tag(self, destination: AsyncDestination, tag: str, **options: bool) -> None:
        name = "" if self.kind == "oci-archive" else "acme/web:"
        found = await destination.fetch_manifest(f"{name}old")
        await destination.push_manifest(found, f"{name}{tag}", **options)


@pytest.fixture(params=[*KINDS])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    return Archive(request.param, tmp_path / "images.tar")


def test_what_was_written_after_it_was_opened_stays(archive: Archive) -> None:
    async def write(destination: AsyncDestination) -> None:
        await asyncio.to_thread(archive.add, "B")
        async with destination.writing():
            await archive.tag(destination, "A")
        assert len(await destination.tags()) == 3

    archive.written(write)
    assert archive.tags() == {"old", "A", "B"}


def test_what_was_written_meanwhile_is_not_replaced(archive: Archive) -> None:
    async def write(destination: AsyncDestination) -> None:
        async with destination.writing():
            await archive.tag(destination, "A")
            await asyncio.to_thread(archive.add, "B")

    with pytest.raises(errors.ConflictError, match="was changed by another process"):
        archive.written(write)
    assert archive.tags() == {"old", "B"}
    assert [it.name for it in archive.path.parent.iterdir()] == ["images.tar"]


def test_an_archive_that_is_not_one_any_more_is_not_replaced(archive: Archive) -> None:
    async def write(destination: AsyncDestination) -> None:
        archive.path.write_bytes(bytes(10240))
        async with destination.writing():
            await archive.tag(destination, "A")

    with pytest.raises(errors.LayoutError):
        archive.written(write)
    assert archive.path.read_bytes() == bytes(10240)


def test_an_archive_is_replaced_by_one_writer_at_a_time(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    before = archive.path.read_bytes()
    monkeypatch.setattr(folder_lock, "_PATIENCE", 0.05)
    folder = os.open(archive.path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(errors.LayoutLockedError, match="try again later"):
            archive.add("A")
    finally:
        os.close(folder)
    assert archive.path.read_bytes() == before
    archive.add("A")
    assert archive.tags() == {"old", "A"}


def test_lay_10_writers_of_one_archive_lose_nothing_that_was_reported_as_written(archive: Archive) -> None:
    """Each of them succeeds, or raises ConflictError."""

    async def one(number: int) -> bool:
        try:
            await asyncio.to_thread(archive.add, f"t{number}")
        except errors.ConflictError:
            return False
        return True

    async def run() -> list[bool]:
        return await asyncio.gather(*map(one, range(8)))

    succeeded = asyncio.run(run())
    assert any(succeeded)
    assert archive.tags() == {"old"} | {f"t{number}" for number, done in enumerate(succeeded) if done}


def test_no_clobber_keeps_the_name_of_another_image(archive: Archive) -> None:
    before = shutil.copy(archive.path, archive.path.with_name("before"))
    other = "other" if archive.kind == "oci-archive" else "acme/web:other"
    copy(f"oci:{LAYOUT}:1.4", f"{archive.kind}:{archive.path}:{other}", platforms=["linux/arm64"])

    async def write(destination: AsyncDestination) -> None:
        await archive.tag(destination, "old", no_clobber=True)
        await archive.tag(destination, "other", no_clobber=True)

    with pytest.raises(errors.ConflictError, match="names another manifest"):
        archive.written(write)
    assert archive.tags() == {"old", "other"}
    assert archive.path.read_bytes() != Path(before).read_bytes()
