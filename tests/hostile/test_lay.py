"""Layouts and archives that are hostile, by each way to ask: the reading cases of LAY; more are in `tests/layout`."""

import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dreg_client import errors
from tests.faultserver import Network
from tests.hostile.registry import LAYER, LAYER_DIGEST, registry_at
from tests.hostile.stores import Store, swap_before_opening
from tests.hostile.ways import WAYS, Way, refused
from tests.layout.conftest import build, tarred

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder

__all__ = ["build", "tarred"]
OLD = b"what was there"


@pytest.fixture(params=WAYS, ids=lambda name: name.replace(" ", "-"))
def store(request: pytest.FixtureRequest, build: "LayoutBuilder") -> Store:
    """Each way to ask the layout that a test builds."""
    return Store(request.param, f"oci:{build.path}")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file that is there, in a folder of its own."""
    path = tmp_path / "out/layer"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


def untouched(target: Path) -> None:
    assert target.read_bytes() == OLD
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("name", ["blobs", "blobs/sha256", "the blob"])
def test_lay_01_no_link_out_of_the_layout_is_followed(
    store: Store, build: "LayoutBuilder", target: Path, name: str
) -> None:
    layer = build.blob(LAYER)
    build.tag("1.4", build.manifest(build.config(), layer))
    place = build.file(layer) if name == "the blob" else build.write() / name
    build.write()
    place.rename(build.path.parent / "moved")
    place.symlink_to(build.path.parent / "moved")

    refused(store.blob(layer["digest"], target), errors.UnsafePathError)
    untouched(target)


@pytest.mark.parametrize("name", ["the blob", "blobs/sha256"])
def test_lay_01_what_is_swapped_before_it_is_opened_is_not_read(
    build: "LayoutBuilder", monkeypatch: pytest.MonkeyPatch, target: Path, name: str
) -> None:
    layer = build.blob(LAYER)
    layout = build.layout()
    place = build.file(layer) if name == "the blob" else build.path / name
    swap_before_opening(monkeypatch, place, build.path.parent / "moved")
    with pytest.raises(errors.UnsafePathError):
        layout.download_blob(layer["digest"], target)
    monkeypatch.undo()
    assert place.is_symlink()
    untouched(target)


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
def test_lay_03_a_top_file_that_is_a_link_is_not_read(store: Store, build: "LayoutBuilder", name: str) -> None:
    build.tag("1.4", build.image())
    moved = (build.write() / name).rename(build.path.parent / "moved")
    (build.path / name).symlink_to(moved)

    refused(store.manifest("1.4"), errors.UnsafePathError)


@pytest.mark.parametrize("digest", ["sha256:../../../etc/passwd", "SHA256:" + "0" * 64])
def test_lay_05_a_digest_that_is_a_path_opens_no_file(store: Store, build: "LayoutBuilder", digest: str) -> None:
    build.tag("1.4", {**build.image(), "digest": digest})
    build.write()

    refused(store.manifest("1.4"), errors.InvalidDocumentError)


@pytest.mark.parametrize("marker", [None, b'{"imageLayoutVersion":"2.0.0"}', b"no json"])
def test_lay_06_what_is_no_layout_is_told(store: Store, build: "LayoutBuilder", marker: bytes | None) -> None:
    build.tag("1.4", build.image())
    file = build.write() / "oci-layout"
    file.unlink() if marker is None else file.write_bytes(marker)

    refused(store.manifest("1.4"), errors.LayoutCorruptError)


def test_lay_07_other_bytes_than_the_name_says_are_not_given(
    store: Store, build: "LayoutBuilder", target: Path
) -> None:
    layer = build.blob(LAYER)
    build.tag("1.4", build.manifest(build.config(), layer))
    build.write()
    build.file(layer).write_bytes(LAYER[:-1] + b"x")

    refused(store.blob(layer["digest"], target), errors.DigestMismatchError)
    untouched(target)


def test_lay_13_reading_writes_nothing(store: Store, build: "LayoutBuilder", target: Path) -> None:
    layer = build.blob(LAYER)
    build.tag("1.4", build.manifest(build.config(), layer))
    build.write()
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in (build.path, *build.path.rglob("*"))}

    assert store.manifest("1.4").kind is None
    assert store.blob(layer["digest"], target).kind is None
    assert target.read_bytes() == LAYER
    after = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in (build.path, *build.path.rglob("*"))}
    assert after == before


@pytest.mark.parametrize("name", ["../../etc/passwd", "\x1b[31mred\n", "a" * 10_240], ids=["path", "controls", "long"])
def test_lay_15_a_name_is_never_a_path(store: Store, build: "LayoutBuilder", name: str) -> None:
    build.tag(name, build.image())
    good = build.tag("good", build.image("linux/arm64"))
    build.write()

    assert store.manifest("good").kind is None
    outcome = refused(store.manifest(good["digest"].replace("sha256:", "sha256:0")[:71]), errors.NotFoundError)
    assert "\x1b" not in outcome.text + store.said


def test_lay_16_one_name_of_two_images_is_a_conflict(store: Store, build: "LayoutBuilder") -> None:
    first, second = build.tag("1.4", build.image()), build.tag("1.4", build.image("linux/arm64"))
    build.write()

    said = refused(store.manifest("1.4"), errors.ConflictError).text
    assert first["digest"] in said
    assert second["digest"] in said
    assert store.manifest(second["digest"]).kind is None


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.type, header.linkname = kind, link
    return header


MEMBERS: dict[str, list[tarfile.TarInfo]] = {
    "a path that leads outside": [entry("../x")],
    "a link that leads outside": [entry("blobs/link", tarfile.SYMTYPE, "../../x")],
    "a link to an absolute path": [entry("blobs/link", tarfile.SYMTYPE, "/etc/passwd")],
    "a hard link that leads outside": [entry("blobs/link", tarfile.LNKTYPE, "../x")],
    "a device": [entry("blobs/device", tarfile.CHRTYPE)],
    "a member twice": [entry("index.json")],
    "links that are long to follow": [
        entry(f"blobs/{number}", tarfile.SYMTYPE, "a/" * 500 + str(number)) for number in range(4_000)
    ],
    "holes": [entry("blobs/sparse", tarfile.GNUTYPE_SPARSE)],
}


ASKED = [(way, name) for way in WAYS[:2] for name in MEMBERS] + [(WAYS[2], "a path that leads outside")]


@pytest.mark.parametrize(("way", "name"), ASKED)
def test_lay_18_an_archive_that_leads_elsewhere_is_refused(
    tarred: Callable[..., Path], tmp_path: Path, target: Path, way: str, name: str
) -> None:
    index = json.dumps({"schemaVersion": 2, "manifests": []}).encode()
    path = tarred(("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", index), *MEMBERS[name])
    before = sorted(tmp_path.rglob("*"))

    outcome = Store(way, f"oci-archive:{path}").blob(LAYER_DIGEST, target)
    refused(outcome, errors.UnsafePathError, errors.LayoutCorruptError)
    untouched(target)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("umask", "mode"), [(0o000, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_lay_19_a_file_is_as_readable_as_the_umask_says_and_never_runs(
    build: "LayoutBuilder", tmp_path: Path, umask: int, mode: int
) -> None:
    layer = build.blob(LAYER)
    build.tag("1.4", build.manifest(build.config(), layer))
    build.write()
    build.file(layer).chmod(0o777)
    words = ["blob", f"oci:{build.path}", layer["digest"], "-o", str(tmp_path / "layer")]

    assert Store("command line").command(*words, umask=umask).exit_code == 0
    assert (tmp_path / "layer").stat().st_mode & 0o7777 == mode


def test_lay_19_what_comes_from_a_registry_too(way: Way, net: Network, tmp_path: Path) -> None:
    registry_at(net)
    before = os.umask(0o027)
    try:
        assert way.blob(LAYER_DIGEST, tmp_path / "layer").kind is None
    finally:
        os.umask(before)
    assert (tmp_path / "layer").stat().st_mode & 0o7777 == 0o640
