"""Layouts that lead elsewhere, cannot be read, or are none: the reading cases of LAY."""

import os
import random
import socket
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dreg_client import Digest, DregError, Layout
from dreg_client._sync.validation import validate_layout
from dreg_client.errors import (
    InvalidDocumentError,
    LayoutCorruptError,
    LayoutError,
    NotFoundError,
    UnsafePathError,
)
from dreg_client.files.rooted import chunks_of

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder

Block = Callable[[], AbstractContextManager[None]]


def everything(layout: Layout) -> None:
    """Ask a layout whatever there is to ask."""
    for tag in (*layout.tags(), ""):
        with suppress(DregError):
            layout.get_raw_manifest(tag)
        with suppress(DregError):
            layout.get_image(tag).get_platform_images()
    for _ in validate_layout(layout, complete=True, pedantic=True):
        pass


# --- links and what is no file


def test_lay_01_a_blob_that_is_a_link_to_a_file_outside_is_not_read(build: "LayoutBuilder", tmp_path: Path) -> None:
    entry = build.tag("1.4", build.image())
    outside = tmp_path / "outside"
    outside.write_bytes(build.file(entry).read_bytes())
    build.file(entry).unlink()
    build.file(entry).symlink_to(outside)
    layout = build.layout()

    for ask in (layout.get_manifest, layout.get_raw_manifest, layout.get_image):
        with pytest.raises(UnsafePathError, match="it was not read"):
            ask("1.4")
    with pytest.raises(UnsafePathError):
        layout.get_blob(entry["digest"])
    with pytest.raises(UnsafePathError):
        layout.has_blob(Digest(entry["digest"]))


@pytest.mark.parametrize("directory", ["blobs", "blobs/sha256"])
def test_lay_01_a_link_to_a_directory_outside_is_not_followed(build: "LayoutBuilder", directory: str) -> None:
    build.tag("1.4", build.image())
    layout = build.layout()
    moved = (build.path / directory).rename(build.path.parent / "elsewhere")
    (build.path / directory).symlink_to(moved)

    with pytest.raises(UnsafePathError):
        layout.get_manifest("1.4")


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
def test_lay_03_a_top_file_that_is_a_link_is_not_read(build: "LayoutBuilder", name: str) -> None:
    path = build.write()
    moved = (path / name).rename(path.parent / "moved")
    (path / name).symlink_to(moved)

    with pytest.raises(UnsafePathError, match=name):
        Layout(path)


def test_the_layout_itself_may_be_behind_a_link(build: "LayoutBuilder") -> None:
    """Whoever names the path chose it."""
    build.tag("1.4", build.image())
    link = build.path.parent / "link"
    link.symlink_to(build.write())

    assert Layout(link).get_manifest("1.4")


def test_lay_01_pipes_sockets_and_directories_are_no_blobs_and_nothing_waits_for_them(build: "LayoutBuilder") -> None:
    layout = build.layout()
    folder = build.path / "blobs/sha256"
    folder.mkdir(parents=True)
    os.mkfifo(folder / ("a" * 64))
    (folder / ("b" * 64)).mkdir()
    with socket.socket(socket.AF_UNIX) as listener, tempfile.TemporaryDirectory() as short:
        listener.bind(f"{short}/s")
        Path(short, "s").rename(folder / ("c" * 64))

        for digit in "abc":
            with pytest.raises(LayoutError):
                layout.get_blob(f"sha256:{digit * 64}")


def test_lay_03_a_pipe_as_index_is_refused_at_once(build: "LayoutBuilder") -> None:
    path = build.write()
    (path / "index.json").unlink()
    os.mkfifo(path / "index.json")

    with pytest.raises(UnsafePathError, match="is not a regular file"):
        Layout(path)


@pytest.mark.parametrize(
    "digest",
    ["sha256:../../../etc/passwd", "sha256:/etc/passwd", "SHA256:" + "0" * 64, "../..:x", "sha256:" + "A" * 64],
)
def test_lay_05_a_digest_that_is_a_path_is_refused_before_any_file_is_opened(
    build: "LayoutBuilder", digest: str
) -> None:
    build.tag("1.4", {**build.image(), "digest": digest})

    with pytest.raises(InvalidDocumentError) as caught:
        build.layout()
    assert {problem.rule for problem in caught.value.problems} & {"DIG-01", "DIG-02"}
    assert caught.value.source.endswith("index.json")


# --- what is no layout


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"imageLayoutVersion":"2.0.0"}', "2.0.0"),
        (b'{"imageLayoutVersion":1}', "LYT-01"),
        (b"{}", "LYT-01"),
        (b"1.0.0", "GEN-01"),
        (b"", "GEN-01"),
        (b"\xff\xfe", "GEN-01"),
        (b'{"imageLayoutVersion":"1.0.0","imageLayoutVersion":"1.0.0"}', "GEN-02"),
    ],
    ids=ascii,
)
def test_lay_06_a_marker_of_something_else_is_refused(build: "LayoutBuilder", body: bytes, said: str) -> None:
    path = build.write()
    (path / "oci-layout").write_bytes(body)

    with pytest.raises(LayoutCorruptError, match=said):
        Layout(path)


def test_a_marker_with_a_line_feed_and_further_members_is_one(build: "LayoutBuilder") -> None:
    path = build.write()
    (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0", "made.by": "someone"}\n')

    assert Layout(path).tags() == ()


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
def test_lay_06_a_top_file_that_is_missing_is_named(build: "LayoutBuilder", name: str) -> None:
    path = build.write()
    (path / name).unlink()

    with pytest.raises(LayoutCorruptError, match=f"has no {name}"):
        Layout(path)


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
def test_lay_06_a_top_file_of_1_gib_is_not_read(build: "LayoutBuilder", name: str) -> None:
    path = build.write()
    os.truncate(path / name, 1 << 30)

    with pytest.raises(LayoutCorruptError, match="1073741824 bytes"):
        Layout(path)


def test_lay_06_no_directory_and_a_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(NotFoundError, match="does not exist"):
        Layout(tmp_path / "missing")
    with pytest.raises(NotFoundError, match="the path is a file, but not a tar archive"):
        Layout(tmp_path / "file")


def test_an_index_json_that_is_a_manifest_is_refused(build: "LayoutBuilder") -> None:
    entry = build.image()
    path = build.write()
    (path / "index.json").write_bytes(build.file(entry).read_bytes())

    with pytest.raises(InvalidDocumentError, match=r"index\.json"):
        Layout(path)


# --- permissions


def test_lay_13_a_directory_that_nobody_may_write_to_is_read(open_build: "LayoutBuilder", unprivileged: Block) -> None:
    builder = open_build
    entry = builder.tag("1.4", builder.image())
    builder.write()
    before = sorted(builder.path.rglob("*"))
    for directory in (builder.path, *(found for found in builder.path.rglob("*") if found.is_dir())):
        directory.chmod(0o555)

    with unprivileged():
        layout = Layout(builder.path)
        assert layout.get_image("1.4").digest == entry["digest"]
        everything(layout)
    assert sorted(builder.path.rglob("*")) == before


@pytest.mark.parametrize("name", ["oci-layout", "index.json", "blobs", "blobs/sha256", "a blob", "."])
def test_lay_13_what_may_not_be_read_is_told_by_its_path(
    open_build: "LayoutBuilder", unprivileged: Block, name: str
) -> None:
    builder = open_build
    entry = builder.tag("1.4", builder.image())
    path = builder.file(entry) if name == "a blob" else builder.write() / name
    builder.write()
    path.chmod(0)

    with unprivileged(), pytest.raises(LayoutError, match="Permission denied") as caught:
        Layout(builder.path).get_manifest("1.4")
    assert str(builder.path) in caught.value.path


def test_lay_13_a_directory_that_cannot_be_listed_ends_validation(
    open_build: "LayoutBuilder", unprivileged: Block
) -> None:
    builder = open_build
    builder.tag("1.4", builder.image())
    builder.write()
    (builder.path / "blobs/other").mkdir(mode=0)

    with unprivileged(), pytest.raises(LayoutError, match="cannot be listed"):
        list(validate_layout(Layout(builder.path)))


# --- what was swapped while we looked


def test_a_layout_that_vanishes_is_told(build: "LayoutBuilder") -> None:
    build.tag("1.4", build.image())
    layout = build.layout()
    build.path.rename(build.path.parent / "gone")

    with pytest.raises(LayoutError, match="No such file"):
        layout.get_manifest("1.4")


@pytest.mark.parametrize("seed", range(4))
def test_index_json_with_flipped_bytes_is_read_or_refused(copied: Callable[[str], Path], seed: int) -> None:
    """Only errors of ours come out, whatever the bytes."""
    path = copied("multi")
    good = (path / "index.json").read_bytes()
    chance = random.Random(seed)  # noqa: S311
    for _ in range(60):
        body = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        (path / "index.json").write_bytes(body[: chance.choice([len(body), len(body), chance.randrange(len(body))])])
        with suppress(DregError):
            everything(Layout(path))


@pytest.mark.parametrize("seed", range(4))
def test_blobs_with_flipped_bytes_are_never_taken_for_good_ones(copied: Callable[[str], Path], seed: int) -> None:
    path = copied("multi")
    chance = random.Random(seed)  # noqa: S311
    for file in sorted((path / "blobs/sha256").iterdir()):
        good = file.read_bytes()
        body = bytearray(good)
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        file.write_bytes(body)
        reports = {report.name: report.report for report in validate_layout(Layout(path))}
        assert [problem.rule for problem in reports[f"blobs/sha256/{file.name}"].errors].count("LYT-03") == 1
        with suppress(DregError):
            everything(Layout(path))
        file.write_bytes(good)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file here that cannot be read")
def test_a_disk_that_fails_while_it_is_read_is_told() -> None:
    """The memory of a process begins with a page that nobody may read: EIO, as of a failing disk."""
    with open("/proc/self/mem", "rb") as file, pytest.raises(LayoutError, match="the blob: cannot be read: Input"):  # noqa: PTH123
        next(chunks_of(file, "the blob"))
