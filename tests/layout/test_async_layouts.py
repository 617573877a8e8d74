"""Async code reads layouts and archives in threads; whatever it opened is closed, also when it is cancelled."""

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import anyio
import anyio.from_thread
import pytest

from dreg_client import AsyncLayout, Descriptor, Digest, aopen_image, aopen_store
from dreg_client.errors import ClosedError, LayoutCorruptError, NotFoundError
from dreg_client.files.rooted import DirectoryFiles
from tests.commands import run_limited

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])
REF_NAME = "org.opencontainers.image.ref.name"
NETWORK = ("anyio", "asyncio", "h11", "httpx", "ssl", "dreg_client._sync.client", "dreg_client._sync.network")


class WatchedFiles(DirectoryFiles):
    """Files that remember who opened what; opening a blob may cancel the task that waits for it, and take its time."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.threads: set[int] = set()
        self.opened: list[BinaryIO] = []
        self.may_go_on: threading.Event | None = None
        self.cancel: Callable[[], object] = lambda: None

    def open(self, *parts: str) -> BinaryIO:
        if parts[0] == "blobs":
            self.threads.add(threading.get_ident())
            if self.may_go_on:
                anyio.from_thread.run_sync(self.cancel)
                threading.Timer(0.1, self.may_go_on.set).start()
                assert self.may_go_on.wait(10)
        self.opened.append(super().open(*parts))
        return self.opened[-1]


def single(path: Path) -> Descriptor:
    """The first layer of the image `single`."""
    [entry] = [
        it
        for it in json.loads((path / "index.json").read_bytes())["manifests"]
        if it["annotations"][REF_NAME] == "single"
    ]
    manifest = json.loads((path / "blobs" / entry["digest"].replace(":", "/")).read_bytes())
    layer = manifest["layers"][0]
    return Descriptor(mediaType=layer["mediaType"], digest=Digest(layer["digest"]), size=layer["size"])


@BACKENDS
def test_blobs_are_read_in_other_threads(fixtures: Path, backend: str) -> None:
    path = fixtures / "layouts/multi"
    files = WatchedFiles(path)

    async def read() -> None:
        async with AsyncLayout(files) as layout:
            await (await layout.get_image("1.4")).get_platform_images()
            await layout.get_blob(single(path))
            assert await layout.has_blob(single(path))
            assert await layout.referrers(single(path)) == ()

    anyio.run(read, backend=backend)
    assert files.threads
    assert threading.get_ident() not in files.threads
    assert all(file.closed for file in files.opened)


@BACKENDS
@pytest.mark.parametrize(
    "action",
    [
        lambda layout, layer: layout.get_blob(layer),
        lambda layout, _: layout.get_manifest("single"),
        lambda layout, layer: layout.has_blob(layer),
    ],
    ids=["get_blob", "get_manifest", "has_blob"],
)
def test_what_is_opened_while_its_task_is_cancelled_is_closed(
    fixtures: Path, action: Callable[[Any, Descriptor], Any], backend: str
) -> None:
    path = fixtures / "layouts/multi"
    files = WatchedFiles(path)
    files.may_go_on = threading.Event()

    async def cancelled() -> None:
        async with AsyncLayout(files) as layout, anyio.create_task_group() as group:
            files.cancel = group.cancel_scope.cancel
            group.start_soon(action, layout, single(path))

    anyio.run(cancelled, backend=backend)
    assert len(files.opened) == 3
    assert all(file.closed for file in files.opened)


@BACKENDS
def test_the_index_is_read_again_when_it_is_told_so(copied: Callable[[str], Path], backend: str) -> None:
    path = copied("multi")

    async def read() -> tuple[Any, Any]:
        async with AsyncLayout(path) as layout:
            (path / "index.json").write_bytes(b'{"schemaVersion":2,"manifests":[]}')
            before = await layout.tags()
            await layout.refresh()
            return before, await layout.tags()

    assert anyio.run(read, backend=backend) == (("1.4", "single", "nested", "artifact"), ())


def test_what_cannot_be_opened_fails_at_once_before_anything_is_awaited(fixtures: Path) -> None:
    with pytest.raises(LayoutCorruptError):
        aopen_store(f"oci:{fixtures}/layouts/broken/no-index")
    with pytest.raises(LayoutCorruptError):
        aopen_store(f"docker-archive:{fixtures}/archives/multi.oci.tar")
    for kind in ("oci", "oci-archive", "docker-archive"):
        with pytest.raises(NotFoundError):
            aopen_store(f"{kind}:{fixtures}/not-there")


@BACKENDS
@pytest.mark.parametrize(
    ("name", "platform"),
    [
        ("oci:{}/layouts/multi:1.4", "linux/arm64"),
        ("oci-archive:{}/archives/multi.oci.tar:1.4", "linux/arm64"),
        ("docker-archive:{}/archives/web.docker.tar", "linux/amd64"),
    ],
)
def test_an_image_is_opened_by_one_line_of_text(fixtures: Path, name: str, platform: str, backend: str) -> None:
    async def read() -> str:
        async with aopen_image(name.format(fixtures)) as image:
            return str((await image.get_platform_image(platform)).platform)

    assert anyio.run(read, backend=backend).startswith(platform)


@BACKENDS
def test_an_image_that_is_opened_by_a_block_is_closed_by_that_block_only(fixtures: Path, backend: str) -> None:
    """A second block cannot share it: it would close the store of the first."""

    async def enter_twice() -> None:
        opening = aopen_image(f"oci-archive:{fixtures}/archives/multi.oci.tar:1.4")
        async with opening as image:
            with pytest.raises(RuntimeError, match="cannot be entered twice"):
                async with opening:
                    raise AssertionError("was entered")
            assert await image.get_platform_images()
        with pytest.raises(ClosedError):
            await image._source.tags()

    anyio.run(enter_twice, backend=backend)


@BACKENDS
def test_each_await_opens_an_image_of_its_own(fixtures: Path, backend: str) -> None:
    async def open_two() -> None:
        opening = aopen_image(f"oci-archive:{fixtures}/archives/multi.oci.tar:1.4")
        first, second = await opening, await opening
        await first.close()
        assert await second.get_platform_images()
        await second.close()

    anyio.run(open_two, backend=backend)


@pytest.mark.parametrize("name", ["oci:{}/layouts/multi:1.4", "docker-archive:{}/archives/web.docker.tar"])
def test_sync_code_that_reads_files_imports_no_network_and_no_event_loop(fixtures: Path, name: str) -> None:
    code = (
        "import sys; from dreg_client import open_image\n"
        f"with open_image({name.format(fixtures)!r}) as image: image.get_platform_images()\n"
        f"print(sorted(sys.modules.keys() & set({NETWORK!r})))"
    )
    done = run_limited([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
