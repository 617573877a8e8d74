"""Several writers share a layout object: what one of them was told is on disk, whatever the others do meanwhile."""

import asyncio
import json
import os
import random
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import AsyncLayout, Digest, Layout, RawManifest, acopy, copy, errors, plan_sync, sync
from dreg_client._async.archive_session import AsyncArchiveSession
from tests.layout.writing import OCI, WAYS, Writer, sha256

WRITERS = 24
Layouts = Layout | AsyncLayout


@pytest.fixture(params=WAYS)
def writer(request: pytest.FixtureRequest, tmp_path: Path) -> Writer:
    """An empty layout, and a way to write it."""
    return Writer(request.param, tmp_path / "layout")


@pytest.fixture
def renamed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that files were given so far."""
    names: list[str] = []
    rename = os.rename

    def remember(source: Any, target: Any, **options: Any) -> None:
        rename(source, target, **options)
        names.append(str(target))

    monkeypatch.setattr(os, "rename", remember)
    return names


def raw_image(writer: Writer, number: int) -> bytes:
    config, layer = writer.blob(b"{}", "config.v1+json"), writer.blob(b"%d" % number, "layer.v1.tar")
    members = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": [layer]}
    return json.dumps(members).encode()


def names_on_disk(path: Path) -> set[str]:
    entries = json.loads((path / "index.json").read_bytes())["manifests"]
    return {it.get("annotations", {}).get("org.opencontainers.image.ref.name", it["digest"]) for it in entries}


class Job:
    """Writes one tag and one manifest without a tag, then checks the disk; some jobs fail in a block of their own."""

    def __init__(self, path: Path, number: int, raw: bytes, choice: random.Random) -> None:
        self.path, self.number, self.raw = path, number, raw
        self.pauses = [choice.random() / 20 for _ in range(3)]
        self.fails, self.is_in_block = choice.random() < 0.3, choice.random() < 0.5

    def check(self, *names: str) -> None:
        assert {*names} <= names_on_disk(self.path)

    def end(self) -> None:
        if self.fails:
            raise KeyError(self.number)

    async def by_task(self, layout: AsyncLayout) -> None:
        await asyncio.sleep(self.pauses[0])
        try:
            async with layout.writing():
                await layout.push_blob(b"a blob of %d" % self.number)
                if self.is_in_block:
                    await self.tag_by_task(layout)
                await asyncio.sleep(self.pauses[1])
                self.end()
        except KeyError:
            pass
        await self.tag_by_task(layout)
        await layout.put_manifest(self.raw + b" ")
        self.check(f"t{self.number}", sha256(self.raw + b" "))

    async def tag_by_task(self, layout: AsyncLayout) -> None:
        await layout.put_manifest(self.raw, f"t{self.number}")
        self.check(f"t{self.number}")

    def by_thread(self, layout: Layout, wait: Callable[[float], object]) -> None:
        wait(self.pauses[0])
        try:
            with layout.writing():
                layout.push_blob(b"a blob of %d" % self.number)
                if self.is_in_block:
                    self.tag_by_thread(layout)
                wait(self.pauses[1])
                self.end()
        except KeyError:
            pass
        self.tag_by_thread(layout)
        layout.put_manifest(self.raw + b" ")
        self.check(f"t{self.number}", sha256(self.raw + b" "))

    def tag_by_thread(self, layout: Layout) -> None:
        layout.put_manifest(self.raw, f"t{self.number}")
        self.check(f"t{self.number}")


@pytest.mark.parametrize("seed", range(4))
def test_lay_10_what_was_written_is_on_disk_when_the_call_returns(writer: Writer, seed: int) -> None:
    choice = random.Random(seed)  # noqa: S311 (not a secret)
    jobs = [Job(writer.path, number, raw_image(writer, number), choice) for number in range(WRITERS)]

    async def by_tasks() -> None:
        async with AsyncLayout(writer.path) as layout:
            await asyncio.gather(*[job.by_task(layout) for job in jobs])
            assert {*await layout.tags()} == {f"t{job.number}" for job in jobs}

    if writer.way == "tasks":
        asyncio.run(by_tasks())
    else:
        pause = threading.Event().wait
        with Layout(writer.path) as layout, ThreadPoolExecutor(WRITERS) as threads:
            for done in [threads.submit(job.by_thread, layout, pause) for job in jobs]:
                done.result()
            assert {*layout.tags()} == {f"t{job.number}" for job in jobs}

    wanted = {f"t{job.number}" for job in jobs} | {sha256(job.raw + b" ") for job in jobs}
    assert names_on_disk(writer.path) == wanted
    manifests = {sha256(job.raw + end).removeprefix("sha256:") for job in jobs for end in (b"", b" ")}
    assert manifests <= writer.files()
    writer.gc()
    assert manifests <= writer.files()


def test_lay_10_a_writer_that_fails_does_not_affect_another_one(writer: Writer) -> None:
    raw = raw_image(writer, 1)

    async def by_tasks() -> None:
        begun, written = asyncio.Event(), asyncio.Event()
        async with AsyncLayout(writer.path) as layout:

            async def failing() -> None:
                async with layout.writing():
                    begun.set()
                    await written.wait()
                    raise KeyError

            async def other() -> None:
                await begun.wait()
                await layout.put_manifest(raw)
                written.set()

            results = await asyncio.gather(failing(), other(), return_exceptions=True)
            assert [type(it) for it in results] == [KeyError, type(None)]

    if writer.way == "tasks":
        asyncio.run(by_tasks())
    else:
        layout, threads = Layout(writer.path), ThreadPoolExecutor(1)
        with threads, pytest.raises(KeyError), layout, layout.writing():  # noqa: PT012 (what fails is ours)
            threads.submit(layout.put_manifest, raw).result()
            raise KeyError
    assert writer.entries() == [(sha256(raw), None)]
    assert sha256(raw) not in writer.gc().blobs


def test_a_tag_is_on_disk_before_its_block_ends(writer: Writer) -> None:
    image = writer.image()

    async def by_task() -> None:
        async with AsyncLayout(writer.path) as layout, layout.writing():
            await layout.tag(image, "a", "b")
            assert names_on_disk(writer.path) == {"a", "b"}

    if writer.way == "tasks":
        asyncio.run(by_task())
    else:
        with Layout(writer.path) as layout, layout.writing():
            layout.tag(image, "a", "b")
            assert names_on_disk(writer.path) == {"a", "b"}


def test_what_a_failing_block_wrote_without_a_tag_is_not_listed(writer: Writer) -> None:
    raw = raw_image(writer, 1)
    with pytest.raises(KeyError), Layout(writer.path) as layout, layout.writing():  # noqa: PT012 (what fails is ours)
        layout.put_manifest(raw)
        layout.put_manifest(raw, "1.4")
        layout.put_manifest(raw + b" ")
        raise KeyError
    assert writer.entries() == [(sha256(raw), "1.4")]


def test_tasks_that_a_block_starts_belong_to_it(tmp_path: Path) -> None:
    writer = Writer("tasks", tmp_path / "layout")
    first, second = writer.image(layers=(b"1",)), writer.image(layers=(b"2",))
    entries = [writer.described(it) for it in (first, second)]
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": entries}).encode()
    raws = [writer.file(it).read_bytes() for it in (first, second)]
    for digest in (first, second):
        writer.delete_manifest(digest)

    async def write() -> None:
        async with AsyncLayout(writer.path) as layout, layout.writing():
            await asyncio.gather(*map(layout.put_manifest, raws))
            assert writer.entries() == []
            await layout.put_manifest(index, "1.4")

    asyncio.run(write())
    assert writer.entries() == [(sha256(index), "1.4")]


def test_a_task_that_outlives_its_block_writes_for_itself(tmp_path: Path) -> None:
    writer = Writer("tasks", tmp_path / "layout")
    raw = raw_image(writer, 1)

    async def write() -> None:
        ended = asyncio.Event()
        async with AsyncLayout(writer.path) as layout:

            async def later() -> None:
                await ended.wait()
                await layout.put_manifest(raw)

            async with layout.writing():
                task = asyncio.create_task(later())
            ended.set()
            await task

    asyncio.run(write())
    assert writer.entries() == [(sha256(raw), None)]


# --- a copy


def test_a_copy_of_many_tags_changes_the_index_a_few_times(tmp_path: Path, renamed: list[str]) -> None:
    source = Writer("threads", tmp_path / "source")
    source.tag(source.image(), *[f"t{number}" for number in range(200)])
    assert renamed.count("index.json") < 6
    renamed.clear()

    copy(f"oci:{source.path}", f"oci:{tmp_path}/there", tags="all")
    assert len(names_on_disk(tmp_path / "there")) == 200
    assert 1 <= renamed.count("index.json") < 20


def test_deferred_tags_that_are_not_to_be_replaced_leave_others_alone(writer: Writer) -> None:
    old, new = writer.image("a"), writer.image("new", (b"other",))
    writer.tag(old, "c")
    raw = RawManifest(writer.file(new).read_bytes(), OCI + "manifest.v1+json")
    written: list[str] = []

    async def by_task() -> None:
        async with AsyncLayout(writer.path) as layout, layout.destination.writing(on_deferred=written.extend):
            for tag in ("first", "a", "b", "c"):
                assert not await layout.destination.push_manifest(raw, tag, no_clobber=True)

    def by_thread() -> None:
        with Layout(writer.path) as layout, layout.destination.writing(on_deferred=written.extend):
            for tag in ("first", "a", "b", "c"):
                assert not layout.destination.push_manifest(raw, tag, no_clobber=True)

    with pytest.raises(errors.ConflictError, match=rf"name other manifests: a \({old}\), c \({old}\); they were not"):
        by_thread() if writer.way == "threads" else asyncio.run(by_task())
    assert writer.entries() == [(old, "a"), (new, "new"), (old, "c"), (new, "first"), (new, "b")]
    assert written == ["first", "b"]


def test_no_clobber_keeps_a_tag_that_another_process_wrote(writer: Writer, tmp_path: Path) -> None:
    source = Writer("threads", tmp_path / "source")
    source.image("1.4")
    name = f"oci:{source.path}:1.4"
    with Layout(writer.path) as stale:
        theirs = writer.image("t", (b"theirs",))
        with pytest.raises(errors.ConflictError, match="the tag t names another manifest"):
            copy(name, (stale, "t"), no_clobber=True)
        assert copy(f"oci:{source.path}", stale, tags=["1.4"], no_clobber=True).not_replaced == ()

    async def by_task() -> None:
        async with AsyncLayout(writer.path) as stale:
            later = await asyncio.to_thread(Writer("threads", writer.path).image, "later")
            assert later
            with pytest.raises(errors.ConflictError):
                await acopy(name, (stale, "t"), no_clobber=True)

    asyncio.run(by_task())
    assert (theirs, "t") in writer.entries()


def test_prune_sees_what_another_process_has_moved(tmp_path: Path) -> None:
    source, there = Writer("threads", tmp_path / "source"), Writer("threads", tmp_path / "there")
    source.image("keep")
    old, new = there.image("gone"), there.image("other", (b"other",))
    with Layout(there.path) as stale:
        there.tag(new, "gone")
        with pytest.raises(errors.ConflictError, match=f"the tag gone names {new} now, and not {old}"):
            stale.destination.delete_tag("gone", expected=Digest(old))
        assert (new, "gone") in there.entries()
        removed = sync(f"oci:{source.path}", stale, prune=True).repositories[0].removed
    assert {*removed} == {"gone", "other"}


@pytest.mark.parametrize("command", ["copy", "sync"])
def test_a_dry_run_into_an_empty_directory_creates_nothing(tmp_path: Path, command: str) -> None:
    source = Writer("threads", tmp_path / "source")
    source.image("1.4")
    (tmp_path / "there").mkdir()
    ends = (f"oci:{source.path}", f"oci:{tmp_path}/there")
    if command == "copy":
        assert copy(f"{ends[0]}:1.4", ends[1], dry_run=True).tagged == ("1.4",)
    else:
        assert len(plan_sync(*ends).repositories[0].copies) == 1
    assert [*(tmp_path / "there").iterdir()] == []

    (tmp_path / "there/mine").write_text("")
    for path, reason in (("", "not empty"), ("/mine", "not a directory"), ("/mine/x", "not a directory")):
        with pytest.raises(errors.LayoutError, match=reason):
            copy(f"{ends[0]}:1.4", f"oci:{tmp_path}/there{path}", dry_run=True)


# --- deletions


def test_lay_17_nothing_is_deleted_if_another_manifest_is_damaged(writer: Writer) -> None:
    first, second = writer.image("x", (b"x",)), writer.image("y", (b"y",))
    writer.file(second).write_bytes(writer.file(second).read_bytes() + b" ")
    before = writer.entries(), writer.files()

    with pytest.raises(errors.LayoutCorruptError, match="nothing was deleted"):
        writer.delete_manifest(first)
    assert (writer.entries(), writer.files()) == before


@pytest.mark.parametrize("what", ["delete_manifest", "delete_blob", "gc"])
def test_lay_14_deleting_within_a_block_of_ones_own_fails_at_once(writer: Writer, what: str) -> None:
    digest = writer.image("1.4")
    arguments = () if what == "gc" else (digest,)

    async def delete(layout: Layouts) -> None:
        outcome: Awaitable[object] | object = getattr(layout, what)(*arguments)
        assert isawaitable(outcome)
        await outcome

    async def by_task() -> None:
        async with AsyncLayout(writer.path) as layout, layout.writing():
            await delete(layout)

    def by_thread() -> None:
        with Layout(writer.path) as layout, layout.writing():
            getattr(layout, what)(*arguments)

    with pytest.raises(errors.LayoutLockedError, match="by the `writing` block around this call; delete after"):
        by_thread() if writer.way == "threads" else asyncio.run(by_task())
    assert writer.entries() == [(digest, "1.4")]


# --- threads


def test_the_event_loop_does_not_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main, callers = threading.get_ident(), dict[str, set[int]]()

    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            callers.setdefault(name, set()).add(threading.get_ident())
            return function(*arguments, **options)

        return call

    async def write() -> None:
        async with AsyncLayout.create(tmp_path / "layout") as layout:
            for name in ("fsync", "mkdir", "rename"):
                monkeypatch.setattr(os, name, watched(name, getattr(os, name)))
            await layout.push_blob(b"layer", digest=Digest.of(b"layer", "sha512"))
        session = AsyncArchiveSession(*[watched(name, lambda: None) for name in ("begin", "finish", "close")])
        async with session.writer(), session.writer():
            pass

    asyncio.run(write())
    assert {*callers} == {"fsync", "mkdir", "rename", "begin", "finish", "close"}
    assert all(main not in threads for threads in callers.values()), callers
