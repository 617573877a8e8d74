"""Layouts that are written while something goes wrong: the writing cases of LAY."""

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreg_client import Layout, errors
from tests.commands import run_dreg, run_limited, start_limited
from tests.hostile import layout_writers
from tests.layout.conftest import LayoutBuilder, build, open_build, unprivileged
from tests.layout.writing import WAYS, Writer, sha256

__all__ = ["build", "open_build", "unprivileged"]
SCRIPT = Path(layout_writers.__file__)
LOCKS = [".dreg.lock", ".dreg.index.lock"]


@pytest.fixture(params=WAYS)
def writer(request: pytest.FixtureRequest, tmp_path: Path) -> Writer:
    """An empty layout, and a way to write it."""
    return Writer(request.param, tmp_path / "layout")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are waited for for a moment, not for 30 seconds."""
    for package in ("_async", "_sync"):
        monkeypatch.setattr(f"dreg_client.{package}.layout_lock.PATIENCE", 0.05)


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A folder that is fast to sync, where the system has one."""
    shared = Path("/dev/shm")  # noqa: S108 (a new folder in it)
    if not os.access(shared, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=shared) as name:
        yield Path(name)


def script(name: str, path: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.hostile.layout_writers", name, str(path), *more]
    return run_limited(command, capture_output=True, text=True, check=False, cwd=SCRIPT.parents[2])


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
def test_lay_03_what_is_a_link_is_not_written_through(writer: Writer, name: str) -> None:
    digest = writer.image("1.4")
    moved = (writer.path / name).rename(writer.path.parent / "moved")
    before = moved.read_bytes()
    (writer.path / name).symlink_to(moved)

    with pytest.raises(errors.UnsafePathError):
        writer.tag(digest, "new")
    assert moved.read_bytes() == before


def test_lay_03_an_index_that_becomes_a_link_is_not_written_through(tmp_path: Path) -> None:
    digest = Writer("threads", tmp_path / "layout").image("1.4")
    with Layout(tmp_path / "layout") as layout:
        moved = (tmp_path / "layout/index.json").rename(tmp_path / "moved")
        before = moved.read_bytes()
        (tmp_path / "layout/index.json").symlink_to(moved)
        with pytest.raises(errors.UnsafePathError):
            layout.tag(digest, "new")
    assert moved.read_bytes() == before


@pytest.mark.parametrize("name", LOCKS)
def test_lay_03_a_lock_that_is_a_link_creates_no_other_file(writer: Writer, tmp_path: Path, name: str) -> None:
    (writer.path / name).unlink(missing_ok=True)
    (writer.path / name).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(errors.UnsafePathError, match=rf"{name} is a symbolic link; delete it"):
        writer.image("1.4")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["blobs", "blobs/sha256"])
def test_lay_01_nothing_is_written_through_a_link_out_of_the_layout(writer: Writer, tmp_path: Path, name: str) -> None:
    writer.push_blob(b"first")
    moved = (writer.path / name).rename(tmp_path / "moved")
    before = sorted(moved.rglob("*"))
    (writer.path / name).symlink_to(moved)

    with pytest.raises(errors.UnsafePathError):
        writer.push_blob(b"layer")
    assert sorted(moved.rglob("*")) == before


def test_lay_08_a_blob_of_the_wrong_size_is_replaced(writer: Writer) -> None:
    file = writer.file(sha256(b"layer"))
    writer.push_blob(b"layer")
    file.write_bytes(b"lay")
    with file.open("rb") as reader:
        writer.push_blob(b"layer")

        assert file.read_bytes() == b"layer"
        assert reader.read() == b"lay"  # another file: a reader never sees half a blob


def test_lay_08_a_blob_that_is_a_link_is_replaced_and_not_written_through(writer: Writer, tmp_path: Path) -> None:
    writer.push_blob(b"other")
    file = writer.file(sha256(b"layer"))
    (tmp_path / "elsewhere").write_bytes(b"mine!")
    file.symlink_to(tmp_path / "elsewhere")
    writer.push_blob(b"layer")

    assert not file.is_symlink()
    assert file.read_bytes() == b"layer"
    assert (tmp_path / "elsewhere").read_bytes() == b"mine!"


@pytest.mark.parametrize("way", WAYS)
def test_lay_10_processes_that_write_one_layout_lose_nothing(in_memory: Path, way: str) -> None:
    done = script("write_together", in_memory / "layout", way)

    assert (done.stderr, done.returncode) == ("", 0)
    layout = Layout(in_memory / "layout")
    wanted = {f"p{process}-{n}" for process in range(layout_writers.PROCESSES) for n in range(layout_writers.TAGS)}
    assert set(layout.tags()) == wanted
    assert len(layout.index.manifests) == len(wanted) == 1000
    assert layout.gc(dry_run=True).blobs == ()


@pytest.mark.parametrize("exists", ["exists", "new"])
def test_lay_11_a_writer_that_is_killed_leaves_the_old_index_or_the_new_one(in_memory: Path, exists: str) -> None:
    done = script("kill_everywhere", in_memory, exists)

    assert (done.stderr, done.returncode) == ("", 0)
    assert int(done.stdout) > 20


def test_lay_11_what_killed_writers_left_is_swept_after_a_day(writer: Writer) -> None:
    digest = writer.image("1.4")
    old, fresh = (writer.path / "blobs/sha256" / f".{'0' * 64}.{number * 16}.part" for number in "12")
    for part in (old, fresh):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    code = "import sys; from dreg_client import Layout; Layout(sys.argv[1]).push_blob(b'new')"
    run_limited([sys.executable, "-c", code, writer.path], check=True, cwd=SCRIPT.parents[2])

    assert not old.exists()
    assert fresh.exists()
    assert writer.gc().temporary_files == (str(fresh.relative_to(writer.path)),)
    assert not fresh.exists()
    assert writer.check_manifest(digest)


@pytest.mark.parametrize(("size", "what"), [("2048", "blobs"), ("4096", "index.json")])
def test_lay_12_a_full_disk_leaves_the_old_index_and_no_other_file(tmp_path: Path, size: str, what: str) -> None:
    writer = Writer("threads", tmp_path / "layout")
    writer.image("1.4")
    for number in range(30):
        writer.tag("1.4", f"old-{number}")
    before = (writer.path / "index.json").read_bytes()
    done = script("push_too_much", writer.path, size, "1.4")

    assert done.stdout.startswith(f"LayoutError {writer.path}/{what}"), done
    assert "cannot be written: File too large" in done.stdout
    assert (writer.path / "index.json").read_bytes() == before
    assert not [*writer.path.rglob("*.part")]


def test_lay_13_a_layout_that_cannot_be_written_is_read_all_the_same(
    open_build: LayoutBuilder, unprivileged: "object"
) -> None:
    entry = open_build.tag("1.4", open_build.image())
    path = open_build.write()
    with unprivileged():  # type: ignore[operator]
        layout = Layout(path)

        assert layout.get_manifest("1.4").digest == entry["digest"]
        for action in (lambda: layout.push_blob(b"new"), lambda: layout.tag("1.4", "new"), layout.gc):
            with pytest.raises(errors.LayoutError, match=r"\.dreg\.lock: cannot be created, .*: Permission denied"):
                action()
        assert layout.gc(dry_run=True).blobs == ()
    assert sorted(file.name for file in path.iterdir()) == ["blobs", "index.json", "oci-layout"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", LOCKS)
def test_lay_14_a_lock_of_a_process_that_runs_is_waited_for(writer: Writer, name: str) -> None:
    digest = writer.image("1.4")
    with holding(writer.path, name), pytest.raises(errors.LayoutLockedError, match=rf"{name} is locked"):
        writer.tag(digest, "new")
    writer.tag(digest, "new")


@pytest.mark.parametrize("name", LOCKS)
def test_lay_14_a_lock_of_a_process_that_died_is_taken_at_once(writer: Writer, name: str) -> None:
    digest = writer.image("1.4")
    with holding(writer.path, name) as process:
        process.kill()
        process.wait()
        writer.tag(digest, "new")


def holding(path: Path, name: str) -> "HeldLock":
    return HeldLock(path, name)


class HeldLock:
    """A lock that another process holds."""

    def __init__(self, path: Path, name: str) -> None:
        command = [sys.executable, "-m", "tests.hostile.layout_writers", "hold", str(path), name]
        self._running = start_limited(command, stdout=subprocess.PIPE, text=True, cwd=SCRIPT.parents[2])

    def __enter__(self) -> "subprocess.Popen[str]":
        self._process = self._running.__enter__()
        assert self._process.stdout
        assert self._process.stdout.readline() == "locked\n"
        return self._process

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._running.__exit__(None, None, None)


@pytest.mark.usefixtures("impatient")
def test_lay_14_gc_waits_for_writers_and_writers_do_not_wait_for_each_other(writer: Writer) -> None:
    digest = writer.image("1.4")
    with Layout(writer.path) as other, other.writing():
        writer.tag(digest, "new")
        for delete in (writer.gc, lambda: writer.delete_manifest(digest)):
            with pytest.raises(errors.LayoutLockedError):
                delete()
    assert writer.gc().blobs == ()


def test_lay_14_a_lock_on_the_file_is_that_of_flock(writer: Writer) -> None:
    writer.image("1.4")
    with Layout(writer.path) as layout, layout.writing(), (writer.path / ".dreg.lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_lay_16_tagging_resolves_a_name_of_two_images(build: LayoutBuilder) -> None:
    build.tag("1.4", build.image())
    second = build.tag("1.4", build.image("linux/arm64"))
    layout = build.layout()
    layout.tag(second["digest"], "1.4")

    assert layout.resolve("1.4").digest == second["digest"]
    assert len(layout.index.manifests) == 1


def test_lay_17_only_what_no_image_needs_is_deleted(writer: Writer) -> None:
    kept = writer.image("kept", (b"shared", b"own"))
    child = writer.image("child", (b"shared", b"child"))
    nested = writer.index(writer.index(child), tag="nested")
    gone = writer.image("gone", (b"shared", b"gone"))
    signature = writer.image(subject=writer.described(kept))
    lost = writer.image(subject=writer.described(gone), layers=(b"signature",))
    of_lost = writer.image(subject=writer.described(lost), layers=(b"of signature",))
    for tag in ("gone", "child"):
        writer.untag(tag)
    before = writer.files()
    dry = writer.gc(dry_run=True)

    assert writer.files() == before
    found = writer.gc()
    assert (found.blobs, found.bytes, found.referrers) == (dry.blobs, dry.bytes, dry.referrers)
    assert {lost, of_lost} == {entry.digest for entry in found.referrers}
    assert before - writer.files() == {digest.encoded for digest in found.blobs}
    assert {gone, lost, of_lost, sha256(b"gone"), sha256(b"signature")} <= set(found.blobs)
    for digest in (kept, child, nested, signature):
        assert writer.check_manifest(digest) == digest
    assert writer.has_blob(sha256(b"shared"))
    assert writer.gc().blobs == ()


def test_lay_17_a_manifest_that_an_index_names_stays(writer: Writer) -> None:
    child = writer.image("child")
    index = writer.index(child, tag="index")
    writer.delete_manifest(child)

    assert writer.entries() == [(index, "index")]
    assert writer.check_manifest(child) == child
    with pytest.raises(errors.ConflictError, match=f"because {index} names it"):
        writer.delete_manifest(child)


@pytest.mark.parametrize(("umask", "file", "folder"), [(0o000, 0o644, 0o755), (0o077, 0o600, 0o700)])
def test_lay_19_a_layout_is_as_readable_as_the_umask_says(tmp_path: Path, umask: int, file: int, folder: int) -> None:
    before = os.umask(umask)
    try:
        path = Writer("threads", tmp_path / "new/layout").path
        Writer("threads", path).image("1.4")
    finally:
        os.umask(before)
    modes = {it.relative_to(tmp_path).as_posix(): it.stat().st_mode & 0o7777 for it in tmp_path.rglob("*")}
    assert set(modes.values()) == {file, folder}
    assert {name for name, mode in modes.items() if mode == folder} == {
        "new",
        "new/layout",
        "new/layout/blobs",
        "new/layout/blobs/sha256",
    }


def test_lay_17_by_the_command_line(tmp_path: Path) -> None:
    writer = Writer("threads", tmp_path / "layout")
    digest, name = writer.image("1.4"), f"oci:{writer.path}"

    assert dreg("tag", f"{name}:1.4", "latest", "2") == f"{digest}\n"
    assert dreg("untag", f"{name}:2") == f"{name}:2\n"
    assert dreg("gc", name) == "0 files, 0 B deleted\n"
    assert dreg("delete", f"{name}@{digest}") == f"{digest}\n"
    blobs = sorted(sha256(writer.file("sha256:" + it).read_bytes()) for it in writer.files())
    assert len(blobs) == 2
    assert json.loads(dreg("gc", name, "--dry-run", "--format", "json"))["blobs"] == blobs
    assert dreg("gc", name).splitlines()[:-1] == blobs
    assert writer.files() == set()


def dreg(*arguments: str) -> str:
    done = run_dreg(arguments, environment={**os.environ})
    assert (done.stderr, done.returncode) == (b"", 0)
    return done.stdout.decode()
