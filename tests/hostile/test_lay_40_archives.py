"""Compressed archives that would fill the disk, take hours, or meet a full one: LAY-40 to LAY-42."""

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dreg_client import errors, open_store, validate_layout
from dreg_client._sync.layout import Layout
from tests.hostile.downloads import MIB, limit_files
from tests.hostile.stores import Store
from tests.hostile.ways import WAYS, refused
from tests.layout.conftest import build, tarred

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder

__all__ = ["build", "tarred"]
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {"bz2": bz2.compress, "gzip": gzip.compress, "xz": lzma.compress}
SMALL = 4 * MIB
LAYER = b"layer" * (2 * MIB)


@pytest.fixture(params=WAYS, ids=lambda name: name.replace(" ", "-"))
def store(request: pytest.FixtureRequest) -> Store:
    """Each way to ask an archive."""
    return Store(request.param)


@pytest.fixture
def largest(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """What tells the size of the largest temporary file so far."""
    sizes = [0]
    make = tempfile.TemporaryFile

    class Watched:
        def __init__(self) -> None:
            self._file = make()

        def write(self, octets: bytes) -> int:
            written = self._file.write(octets)
            sizes.append(self._file.tell())
            return written

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

    monkeypatch.setattr(tempfile, "TemporaryFile", Watched)
    return lambda: max(sizes)


def write_tar(path: Path, *members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w:gz", format=form) as archive:
        for name, octets in members:
            header = tarfile.TarInfo(name)
            header.size = len(octets)
            archive.addfile(header, io.BytesIO(octets))
    return path


def members(layout: Path) -> list[tuple[str, bytes]]:
    """The files of a layout in the order of skopeo: `index.json` is after the blobs."""
    return [(str(file.relative_to(layout)), file.read_bytes()) for file in sorted(layout.rglob("*")) if file.is_file()]


# --- LAY-40


@pytest.fixture
def archive(build: "LayoutBuilder", tmp_path: Path) -> tuple[Path, str]:
    """An archive with a due layer, and more that is not due; the digest of a blob that is not."""
    layer = build.blob(LAYER)
    longer = build.blob(b"1" * (12 * MIB))
    build.tag("1.4", build.manifest(build.config(), layer, {**longer, "size": 10}))
    other = build.blob(b"2" * (12 * MIB))
    long = "x" * 200, b"3" * (12 * MIB)  # with an extension header
    path = write_tar(tmp_path / "archive", long, *members(build.write()), ("last", b"4" * (12 * MIB)))
    return path, other["digest"]


def test_lay_40_only_what_is_due_is_kept(archive: tuple[Path, str], largest: Callable[[], int]) -> None:
    path, other = archive
    with open_store(f"oci-archive:{path}") as opened:
        assert isinstance(opened, Layout)
        layer, longer = opened.get_manifest("1.4").layers  # type: ignore[union-attr]
        assert opened.get_blob(layer) == LAYER
        for digest in (other, longer.digest):
            with pytest.raises(errors.LayoutError, match="was not decompressed"):
                opened.get_blob(str(digest))
        wrong = [report for report in validate_layout(opened) if not report.report.ok]
        assert [report.name for report in wrong] == [f"blobs/sha256/{longer.digest.encoded}"]
    assert len(LAYER) < largest() < len(LAYER) + MIB


def test_lay_40_what_is_not_due_is_told(store: Store, archive: tuple[Path, str], tmp_path: Path) -> None:
    path, other = archive
    store.name = f"oci-archive:{path}"

    assert "was not decompressed" in refused(store.blob(other, tmp_path / "target"), errors.LayoutError).text
    assert store.manifest("1.4").error is None


def test_lay_40_an_archive_of_links_and_of_docker_save_is_read(tmp_path: Path, build: "LayoutBuilder") -> None:
    layer = build.blob(LAYER)
    build.tag("1.4", build.manifest(build.config(), layer))
    build.write()
    name = build.name(layer)
    build.file(layer).unlink()
    diff_id = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}
    saved = json.dumps([{"Config": "config", "RepoTags": ["web:1"], "Layers": ["./one/layer.tar"]}]).encode()
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, "../../two"
    path = write_tar(
        tmp_path / "archive",
        *members(build.path),
        ("two", LAYER),
        ("one/layer.tar", LAYER),
        ("config", json.dumps(diff_id).encode()),
        ("manifest.json", saved),
    )
    plain = tmp_path / "plain"
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    with tarfile.open(plain, "a") as appended:
        appended.addfile(link)
    path.write_bytes(gzip.compress(plain.read_bytes()))

    with open_store(f"oci-archive:{path}") as opened:
        assert opened.get_blob(layer["digest"]) == LAYER
    with open_store(f"docker-archive:{path}") as opened:
        assert opened.get_blob(layer["digest"]) == LAYER


@pytest.mark.parametrize("length", [100, 5 * MIB])
def test_lay_40_two_members_of_one_name_are_rejected(store: Store, tmp_path: Path, length: int) -> None:
    store.name = f"oci-archive:{write_tar(tmp_path / 'archive', ('x', bytes(length)), ('./x', bytes(5 * MIB)))}"

    assert "twice" in refused(store.manifest("1.4"), errors.LayoutCorruptError).text


# --- LAY-41


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_lay_41_streams_without_content_do_not_take_hours(store: Store, tmp_path: Path, name: str) -> None:
    path = tmp_path / "archive"
    path.write_bytes(COMPRESSIONS[name](b"") * (MIB // 14))
    store.name = f"oci-archive:{path}"

    assert "empty streams" in refused(store.manifest("1.4"), errors.LayoutCorruptError).text


@pytest.mark.parametrize("name", COMPRESSIONS)
@pytest.mark.parametrize("padding", [b"", b"\0" * 100_000])
def test_lay_41_many_small_streams_are_read(build: "LayoutBuilder", tmp_path: Path, name: str, padding: bytes) -> None:
    build.tag("1.4", build.image())
    with tarfile.open(tmp_path / "plain", "w") as archive:
        archive.add(build.write(), "")
    raw, compress = (tmp_path / "plain").read_bytes(), COMPRESSIONS[name]
    streams = [compress(raw[start : start + 37]) + compress(b"") * (start < 37) for start in range(0, len(raw), 37)]
    (tmp_path / "archive").write_bytes(b"".join(streams) + padding)

    with open_store(f"oci-archive:{tmp_path / 'archive'}") as opened:
        assert opened.tags() == ("1.4",)


@pytest.mark.parametrize("name", COMPRESSIONS)
@pytest.mark.parametrize("damage", ["truncated", "changed", "followed by garbage"])
def test_lay_41_a_damaged_archive_is_told(store: Store, tmp_path: Path, name: str, damage: str) -> None:
    raw = COMPRESSIONS[name](os.urandom(MIB))
    middle = len(raw) // 2
    damaged = {
        "truncated": raw[:-20],
        "changed": raw[:middle] + bytes(50) + raw[middle + 50 :],
        "followed by garbage": raw + b"garbage" * 100,
    }[damage]
    (tmp_path / "archive").write_bytes(damaged)
    store.name = f"oci-archive:{tmp_path / 'archive'}"

    refused(store.manifest("1.4"), errors.LayoutCorruptError)


# --- LAY-42


def gzipped(build: "LayoutBuilder", path: Path) -> str:
    build.tag("1.4", build.manifest(build.config(), build.blob(os.urandom(2 * MIB))))
    write_tar(path, *members(build.write()))
    return f"oci-archive:{path}"


def test_lay_42_a_full_disk_is_no_damage_of_the_archive(store: Store, build: "LayoutBuilder", tmp_path: Path) -> None:
    store.name = gzipped(build, tmp_path / "archive")
    unlimit = limit_files(MIB)
    try:
        failed = refused(store.manifest("1.4"), errors.LayoutError)
    finally:
        unlimit()
    assert "TMPDIR" in failed.text
    assert failed.kind is errors.LayoutError


def test_lay_42_neither_is_a_missing_folder_for_temporary_files(build: "LayoutBuilder", tmp_path: Path) -> None:
    name = gzipped(build, tmp_path / "archive")
    with pytest.MonkeyPatch.context() as patched:  # pytest has temporary files, too
        patched.setattr(tempfile, "tempdir", str(tmp_path / "none"))
        with pytest.raises(errors.LayoutError, match="TMPDIR"):
            open_store(name)
