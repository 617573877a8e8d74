"""Links that stay inside of a layout, as Docker Official Images have them, in a directory and in a tar archive."""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dreg_client import Digest, Layout, open_store, validate_layout
from dreg_client._sync.layout import open_oci_archive
from dreg_client.errors import LayoutError, NotFoundError, UnsafePathError
from tests.hostile.stores import swap_before_opening

if TYPE_CHECKING:
    from tests.layout.conftest import Json, LayoutBuilder

FORMS = ["oci", "oci-archive"]


@pytest.fixture(params=FORMS)
def written(request: pytest.FixtureRequest, build: "LayoutBuilder", tmp_path: Path) -> Callable[[], str]:
    """The name of what was built: the directory, or an archive of it as `tar -P` writes one, with absolute names."""

    def write() -> str:
        build.write()
        if request.param == "oci":
            return f"oci:{build.path}"
        path = tmp_path / "layout.tar"
        with tarfile.open(path, "w") as archive:
            archive.add(build.path, "/")
        return f"oci-archive:{path}"

    return write


def linked(build: "LayoutBuilder", entry: "Json", name: str) -> None:
    """Move a blob to a file beside the blobs, and put a link in its place."""
    place = build.path / name
    place.parent.mkdir(parents=True, exist_ok=True)
    build.file(entry).rename(place)
    build.file(entry).symlink_to(Path("../..") / name)


def test_blobs_may_be_links_to_files_beside_them(build: "LayoutBuilder", written: Callable[[], str]) -> None:
    layer, config = build.blob(b"layer"), build.config()
    manifest = build.tag("1.4", build.manifest(config, layer))
    for entry, name in ((layer, "layers/layer.tar"), (config, "image-config.json"), (manifest, "image-manifest.json")):
        linked(build, entry, name)

    with open_store(written()) as store:
        assert store.get_image("1.4").digest == manifest["digest"]
        assert store.get_blob(layer["digest"]) == b"layer"
        assert store.has_blob(Digest(config["digest"]))
        assert isinstance(store, Layout)
        assert [found.name for found in validate_layout(store, complete=True) if found.report.problems] == []


@pytest.mark.parametrize(("name", "moved"), [("blobs", "kept/blobs"), ("blobs/sha256", "kept"), ("blobs/sha256", "a")])
def test_directories_may_be_links_and_all_in_them_is_validated(
    build: "LayoutBuilder", written: Callable[[], str], name: str, moved: str
) -> None:
    entry, unnamed = build.tag("1.4", build.image()), build.blob(b"nothing names this")
    (build.path / moved).parent.mkdir(exist_ok=True)
    (build.path / name).rename(build.path / moved)
    (build.path / name).symlink_to("../" * name.count("/") + moved)
    next(build.path.rglob(unnamed["digest"][7:])).write_bytes(b"something else")

    with open_store(written()) as store:
        assert isinstance(store, Layout)
        assert store.get_manifest("1.4").digest == entry["digest"]
        reports = {found.name: found.report for found in validate_layout(store)}
        assert [name for name, report in reports.items() if report.problems] == [build.name(unnamed)]


def test_a_chain_of_links_is_followed_to_its_end(build: "LayoutBuilder", written: Callable[[], str]) -> None:
    layer = build.blob(b"layer")
    linked(build, layer, "first")
    (build.path / "first").rename(build.path / "last")
    (build.path / "first").symlink_to("./blobs/../blobs/second")
    (build.path / "blobs/second").symlink_to("../last")

    with open_store(written()) as store:
        assert store.get_blob(layer["digest"]) == b"layer"


def test_a_link_to_nothing_is_a_missing_blob(build: "LayoutBuilder", written: Callable[[], str]) -> None:
    layer = build.blob(b"layer")
    linked(build, layer, "gone")
    (build.path / "gone").unlink()

    with open_store(written()) as store:
        assert not store.has_blob(layer["digest"])
        with pytest.raises(NotFoundError):
            store.get_blob(layer["digest"])


@pytest.mark.parametrize("target", ["../../../outside", "../../up/outside", "../../x/../../outside", "{here}/outside"])
def test_lay_01_a_link_that_leaves_the_root_in_any_number_of_steps_is_not_followed(
    build: "LayoutBuilder", written: Callable[[], str], tmp_path: Path, target: str
) -> None:
    """Also where it leads back in, and where the path is absolute."""
    layer = build.blob(b"layer")
    build.file(layer).rename(tmp_path / "outside")
    (build.path / "up").symlink_to("..")
    (build.path / "x").mkdir()
    build.file(layer).symlink_to(target.format(here=tmp_path))

    with pytest.raises(UnsafePathError, match="leads out"), open_store(written()) as store:
        store.get_blob(layer["digest"])


@pytest.mark.parametrize("target", ["..", "../..", "pipe", "self", "../sha256/self"])
def test_lay_01_a_link_to_what_is_no_regular_file_is_not_read(build: "LayoutBuilder", target: str) -> None:
    layer = build.blob(b"layer")
    build.file(layer).unlink()
    if target == "pipe":
        os.mkfifo(build.file(layer).parent / "pipe")
    (build.file(layer).parent / "self").symlink_to("self")
    build.file(layer).symlink_to(target)

    with pytest.raises(UnsafePathError):
        build.layout().get_blob(layer["digest"])


def test_lay_01_a_target_that_becomes_a_link_out_of_the_layout_is_not_read(
    build: "LayoutBuilder", monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = build.blob(b"layer")
    linked(build, layer, "files/layer.tar")
    layout = build.layout()
    swap_before_opening(monkeypatch, build.path / "files", build.path.parent / "moved")

    with pytest.raises(UnsafePathError):
        layout.get_blob(layer["digest"])
    assert (build.path / "files").is_symlink()


def test_names_that_lead_above_the_root_are_never_opened(build: "LayoutBuilder", tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    layout = build.layout()

    for parts in (("..", "outside"), ("../outside",), ("blobs", "..", "..", "outside")):
        with pytest.raises((LayoutError, FileNotFoundError)):
            layout.files.open(*parts)


def test_an_archive_with_hard_links_is_read(build: "LayoutBuilder", tmp_path: Path) -> None:
    """GNU tar writes the second name of a file as a hard link to the first one."""
    entry = build.tag("1.4", build.image())
    (build.write() / "aaa").hardlink_to(build.file(entry))
    path = tmp_path / "layout.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(build.path, ".")

    with open_oci_archive(path) as layout:
        assert layout.get_manifest("1.4").digest == entry["digest"]
