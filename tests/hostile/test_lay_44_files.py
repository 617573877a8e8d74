"""Files of a layout or an archive that are more than they seem, or change while they are read: LAY-44 to LAY-48."""

import asyncio
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dreg_client import AsyncLayout, FileReport, Layout, aopen_store, errors, open_store, validate_layout
from dreg_client._async.validation import validate_layout as avalidate_layout
from dreg_client.files import tar_headers
from dreg_client.files.sparse import check_stored
from tests.commands import run_dreg
from tests.hostile.downloads import MIB, descriptor
from tests.hostile.registry import LAYER
from tests.hostile.stores import Store, swap_before_opening
from tests.hostile.ways import WAYS, refused
from tests.layout.conftest import build, tarred

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder

__all__ = ["build", "tarred"]
TERABYTE = 1 << 40


@pytest.fixture(params=WAYS, ids=lambda name: name.replace(" ", "-"))
def store(request: pytest.FixtureRequest, build: "LayoutBuilder") -> Store:
    """Each way to ask the layout that a test builds."""
    return Store(request.param, f"oci:{build.path}")


def reports(way: str, path: Path) -> list[FileReport]:
    async def by_tasks() -> list[FileReport]:
        async with aopen_store(f"oci:{path}") as layout:
            assert isinstance(layout, AsyncLayout)
            return [report async for report in avalidate_layout(layout)]

    if way == "tasks":
        return asyncio.run(by_tasks())
    with Layout(path) as layout:
        return [*validate_layout(layout)]


# --- LAY-44


def sparse(path: Path) -> None:
    """A file that reads as a terabyte."""
    path.write_bytes(LAYER)
    os.truncate(path, TERABYTE)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_named", [True, False], ids=["named", "unnamed"])
def test_lay_44_a_sparse_blob_is_reported_without_reading_it(build: "LayoutBuilder", way: str, is_named: bool) -> None:
    layer = build.blob(LAYER)
    build.tag("1.4", build.manifest(build.config(), {**layer, "size": TERABYTE}) if is_named else build.image())
    build.write()
    sparse(build.file(layer))

    if way == "command line":
        done = run_dreg(["validate", f"oci:{build.path}"], environment={"PATH": os.environ["PATH"]})
        assert (done.returncode, b"is a sparse file" in done.stdout, b"LYT-03" in done.stdout) == (1, True, True)
        return
    [wrong] = [it for it in reports(way, build.path) if not it.report.ok]
    assert [problem.rule for problem in wrong.report.errors] == ["LYT-03"]


def test_lay_44_nor_is_it_downloaded(store: Store, build: "LayoutBuilder", tmp_path: Path) -> None:
    layer = build.blob(LAYER)
    build.tag("1.4", build.manifest(build.config(), layer))
    build.write()
    sparse(build.file(layer))

    failed = refused(store.blob(layer["digest"], tmp_path / "target"), errors.LayoutError)
    assert "is a sparse file" in failed.text
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("kind", ["oci-archive", "docker-archive"])
def test_lay_44_nor_is_a_sparse_archive(store: Store, tmp_path: Path, kind: str) -> None:
    header = tarfile.TarInfo("blobs/sha256/" + "0" * 64)
    header.size = TERABYTE
    (tmp_path / "archive").write_bytes(header.tobuf())
    os.truncate(tmp_path / "archive", TERABYTE + 1536)
    store.name = f"{kind}:{tmp_path / 'archive'}"

    assert "is a sparse file" in refused(store.manifest("1.4"), errors.LayoutError).text


def test_lay_44_a_file_with_some_holes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "holes"
    with path.open("wb") as file:
        for place in range(0, 100 * MIB, 10 * MIB):
            file.seek(place)
            file.write(os.urandom(MIB))
    with path.open("rb") as opened:
        check_stored(opened, "holes")
        assert opened.tell() == 0


# --- LAY-45


def test_lay_45_a_blob_that_grows_while_it_is_read_is_not_followed(build: "LayoutBuilder") -> None:
    raw = os.urandom(3 * MIB)
    layer = build.blob(raw)
    build.tag("1.4", build.manifest(build.config(), layer))
    build.write()
    place = build.file(layer)

    def grow(chunk: bytes) -> int:
        with place.open("ab") as file:
            file.write(bytes(2 * len(chunk)))
        return len(chunk)

    async def by_tasks() -> None:
        async with AsyncLayout(build.path) as layout, layout.stream_blob(descriptor(raw)) as chunks:
            taken.extend([grow(chunk) async for chunk in chunks])

    def by_threads() -> None:
        with Layout(build.path) as layout, layout.stream_blob(descriptor(raw)) as chunks:
            taken.extend(map(grow, chunks))

    taken: list[int] = []
    for run in (by_threads, lambda: asyncio.run(by_tasks())):
        place.write_bytes(raw)
        with pytest.raises(errors.IntegrityError):
            run()
        assert sum(taken) <= len(raw) + 1
        assert place.stat().st_size <= 3 * len(raw) + 3


# --- LAY-47


def extension(kind: bytes, body: bytes = b"") -> bytes:
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, len(body)
    return header.tobuf(tarfile.USTAR_FORMAT) + body + bytes(-len(body) % 512)


@pytest.mark.parametrize("way", ["threads", "tasks"])
def test_lay_47_headers_without_end_are_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr(tar_headers, "_MAX_HEADERS", 1000)
    (tmp_path / "archive").write_bytes(extension(b"x") * 1001 + bytes(1024))

    failed = refused(Store(way, f"oci-archive:{tmp_path / 'archive'}").manifest("1.4"), errors.LayoutCorruptError)
    assert "more than 1000 headers" in failed.text


def test_lay_47_names_take_up_a_limited_memory(store: Store, tmp_path: Path) -> None:
    with (tmp_path / "archive").open("wb") as file:
        for number in range(130):
            file.write(extension(b"L", str(number).encode() + b"a" * (MIB // 2)) + extension(b"0"))
        file.write(bytes(1024))
    store.name = f"oci-archive:{tmp_path / 'archive'}"

    assert "names of more than 33,554,432 bytes" in refused(store.manifest("1.4"), errors.LayoutCorruptError).text


# --- LAY-48


@pytest.fixture
def archived(build: "LayoutBuilder", tmp_path: Path) -> tuple[str, bytes]:
    raw = os.urandom(4 * MIB)
    build.tag("1.4", build.manifest(build.config(), build.blob(raw)))
    with tarfile.open(tmp_path / "archive", "w") as archive:
        archive.add(build.write(), "")
    return f"oci-archive:{tmp_path / 'archive'}", raw


def test_lay_48_an_archive_that_is_closed_while_it_is_read_is_told(archived: tuple[str, bytes]) -> None:
    name, raw = archived
    opened = open_store(name)
    with opened.stream_blob(descriptor(raw)) as chunks:
        next(iter(chunks))
        opened.close()
        with pytest.raises(errors.ClosedError):
            list(chunks)

    async def by_tasks() -> None:
        store = aopen_store(name)
        async with store, store.stream_blob(descriptor(raw)) as chunks:
            await anext(aiter(chunks))
            await store.close()
            async for _ in chunks:
                pass

    with pytest.raises(errors.ClosedError):
        asyncio.run(by_tasks())


# --- LAY-01


@pytest.mark.parametrize("when", ["before it is opened", "after it was opened"])
def test_lay_01_a_directory_that_is_swapped_while_it_is_listed_is_not_left(
    build: "LayoutBuilder", monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    build.tag("1.4", build.image())
    layout = build.layout()
    outside = build.path.parent / "outside"
    outside.mkdir()
    (outside / "secret").touch()
    place = build.path / "blobs/sha256"
    scan = os.scandir

    def swapping(directory: Any) -> Any:
        found = str(Path(f"/proc/self/fd/{directory}").readlink()) if isinstance(directory, int) else str(directory)
        if found == str(place) and not place.is_symlink():
            place.rename(build.path / "moved")
            place.symlink_to(outside)
        return scan(directory)

    if when == "after it was opened":
        monkeypatch.setattr(os, "scandir", swapping)
        assert not [name for name in layout.files.names("blobs") if "secret" in name]
    else:
        swap_before_opening(monkeypatch, place, build.path / "moved")
        with pytest.raises(errors.UnsafePathError):
            list(layout.files.names("blobs"))
    monkeypatch.undo()
    assert place.is_symlink()
