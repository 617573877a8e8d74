"""Tags that a layout writes several at a time: what is reported is on disk, and failures are those of the tags."""

import asyncio
import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import AsyncLayout, Event, Layout, RawManifest, Tagged, acopy, copy, errors, sync
from dreg_client._async.archive_session import AsyncArchiveSession
from tests.layout.writing import OCI, Writer

TAGS = [*"abcdef"]
FullDisk = Callable[[int], None]


@pytest.fixture
def source(tmp_path: Path) -> str:
    """A layout with an image that has several tags."""
    made = Writer("threads", tmp_path / "source")
    made.tag(made.image(), *TAGS)
    return f"oci:{made.path}"


@pytest.fixture
def there(tmp_path: Path) -> Writer:
    """An empty layout."""
    return Writer("threads", tmp_path / "there")


@pytest.fixture
def fill_disk(monkeypatch: pytest.MonkeyPatch, there: Writer) -> FullDisk:
    """A function after which the index of the layout can only be changed a number of times."""
    left, rename = [1000], os.rename

    def limited(old: Any, new: Any, **options: Any) -> None:
        if str(new).endswith("index.json"):
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rename(old, new, **options)

    def fill(changes: int) -> None:
        left[0] = changes

    assert there.entries() == []
    monkeypatch.setattr(os, "rename", limited)
    return fill


def names(layout: Writer) -> list[str | None]:
    return [name for _, name in layout.entries()]


def raw_of(layout: Writer, digest: str) -> RawManifest:
    return RawManifest(layout.file(digest).read_bytes(), OCI + "manifest.v1+json")


@pytest.mark.parametrize("way", ["threads", "asyncio"])
def test_a_failed_copy_reports_the_tags_that_are_on_disk(
    source: str, there: Writer, fill_disk: FullDisk, way: str
) -> None:
    events: list[Event] = []

    def run() -> None:
        if way == "threads":
            copy(source, f"oci:{there.path}", tags="all", on_event=events.append)
        else:
            asyncio.run(acopy(source, f"oci:{there.path}", tags="all", on_event=events.append))

    fill_disk(1)
    with pytest.raises(errors.LayoutError) as caught:
        run()
    fill_disk(1000)

    written = names(there)
    assert 0 < len(written) < len(TAGS)
    assert f"these tags were already written: {', '.join(map(str, written))};" in str(caught.value)
    assert [each.tag for each in events if isinstance(each, Tagged)] == written


def test_a_failed_sync_reports_the_tags_that_are_on_disk(source: str, there: Writer, fill_disk: FullDisk) -> None:
    fill_disk(1)
    done = sync(source, f"oci:{there.path}").repositories[0]
    fill_disk(1000)

    written = names(there)
    assert 0 < len(written) < len(TAGS)
    assert [*done.copied] == written
    assert {*done.failed} == {*TAGS}.difference(map(str, written))


def test_a_blob_can_be_written_while_tags_cannot(there: Writer, fill_disk: FullDisk) -> None:
    old, new = there.image("taken"), there.image("new", (b"other",))
    written: list[str] = []

    def write() -> None:
        with Layout(there.path) as layout, layout.destination.writing(on_deferred=written.extend):
            fill_disk(0)
            for tag in ("a", "taken"):
                assert not layout.destination.push_manifest(raw_of(there, new), tag, no_clobber=True)
            layout.push_blob(b"another")
            assert written == []
            fill_disk(1)

    with pytest.raises(errors.ConflictError, match=f"the tag taken names another manifest, {old}"):
        write()
    assert written == ["a"]
    assert {*there.entries()} == {(old, "taken"), (new, "new"), (new, "a")}


def test_a_task_that_is_cancelled_at_the_end_of_its_block_writes_its_tags(there: Writer) -> None:
    digest = there.image("old")
    written: list[str] = []

    async def write(is_ending: asyncio.Event, lock: Any) -> None:
        async with AsyncLayout(there.path) as layout, layout.destination.writing(on_deferred=written.extend):
            for tag in TAGS:
                await layout.destination.push_manifest(raw_of(there, digest), tag)
            fcntl.flock(lock, fcntl.LOCK_EX)
            is_ending.set()

    async def cancel() -> None:
        is_ending = asyncio.Event()
        with (there.path / ".dreg.index.lock").open("a") as lock:
            task = asyncio.create_task(write(is_ending, lock))
            await is_ending.wait()
            assert written == TAGS[:1]
            task.cancel()
            await asyncio.sleep(0)
            fcntl.flock(lock, fcntl.LOCK_UN)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert written == TAGS
    assert names(there) == ["old", *TAGS]


def test_tasks_that_write_an_archive_begin_and_end_within_its_block() -> None:
    session = AsyncArchiveSession(*[lambda: None] * 3)

    async def too_early() -> None:
        async with session.writer():
            pass

    async def too_long() -> None:
        inner = session.writer()
        async with session.writer():
            await inner.__aenter__()

    async def together() -> None:
        await asyncio.gather(too_early(), too_early())

    with pytest.raises(AssertionError, match="too early"):
        asyncio.run(together())
    with pytest.raises(AssertionError, match="still writes"):
        asyncio.run(too_long())
