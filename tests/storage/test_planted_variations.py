"""Variations of each fault in a storage: each is found, or is a typed error, and none hides another one."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dreg_client import Digest
from tests.storage.flaky import FlakyTree
from tests.storage.planted import Found, Tree, write

WEB = "repositories/acme/web"
LAYER = Digest.of(b"layer one")
IMAGE = "other/bad:1"


@pytest.fixture
def two(tree: Tree) -> Tree:
    """A storage with another repository, whose image has an error of its own: its config has a layer more."""
    tree.put_image("other/bad", "1", b"a layer", layers=[])
    layer = Digest.of(b"a layer")
    shutil.rmtree(tree.data(layer).parent)
    shutil.rmtree(tree.repository("other/bad") / "_layers" / layer.replace(":", "/"))
    return tree


def manifest_of(tree: Tree) -> Digest:
    return Digest((tree.repository("acme/web") / "_manifests/tags/1.4/current/link").read_text())


def found_in(tree: Tree, *, blobs: bool = False) -> list[tuple[str, str, str]]:
    """Return the faults besides the one of the other repository, which must be found."""
    found = tree.problems(failures=[], blobs=blobs, pedantic=True)
    assert any(each.rule == "CFG-21" and each.source == IMAGE for each in found)
    return [(each.rule, each.severity, each.source) for each in found if each.source != IMAGE]


def place_of(tree: Tree, link: str) -> Path:
    """Return the path of a link of each kind."""
    digits = manifest_of(tree).encoded
    return (
        tree.repository("acme/web")
        / {
            "layer": f"_layers/sha256/{LAYER.encoded}/link",
            "manifest": f"_manifests/revisions/sha256/{digits}/link",
            "tag": "_manifests/tags/1.4/current/link",
            "history": f"_manifests/tags/1.4/index/sha256/{digits}/link",
        }[link]
    )


_LINKS = ("layer", "manifest", "tag", "history")
_CONTENTS: dict[str, Callable[[str], bytes]] = {
    "line feed": lambda text: f"{text}\n".encode(),
    "line end of Windows": lambda text: f"{text}\r\n".encode(),
    "byte order mark": lambda text: f"\ufeff{text}".encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "upper case": lambda text: f"sha256:{text[7:].upper()}".encode(),
    "empty": lambda text: b"",
    "zeros": lambda text: bytes(len(text)),
    "sha384": lambda text: f"sha384:{text[7:]}{'0' * 32}".encode(),
    "md5": lambda text: f"md5:{text[7:39]}".encode(),
}


@pytest.mark.parametrize("link", _LINKS)
@pytest.mark.parametrize("content", _CONTENTS)
def test_val_144_a_link_with_other_content(two: Tree, link: str, content: str) -> None:
    place = place_of(two, link)
    place.write_bytes(_CONTENTS[content](place.read_text()))

    assert found_in(two) == [("STO-06", "error", str(place.relative_to(two.v2)))]


@pytest.mark.parametrize("link", ["layer", "manifest", "history"])
def test_val_144_a_link_by_sha256_leads_to_no_other_algorithm(two: Tree, link: str) -> None:
    """Only the reverse is written: all blobs are stored by their sha256 digest. A tag may name any digest."""
    place = place_of(two, link)
    place.write_text(f"sha512:{'a' * 128}")

    assert found_in(two) == [("STO-06", "error", str(place.relative_to(two.v2)))]


@pytest.mark.parametrize("kind", ["file", "loop"])
@pytest.mark.parametrize("link", ["layer", "manifest", "history"])
def test_val_144_another_entry_in_place_of_the_directory_of_a_link(two: Tree, link: str, kind: str) -> None:
    """The blobs of a manifest whose link it may hide are not called unreferenced."""
    place = place_of(two, link).parent
    shutil.rmtree(place)
    place.write_text("x") if kind == "file" else place.symlink_to(place)

    assert found_in(two) == [("STO-07", "error", str(place.relative_to(two.v2)))]


@pytest.mark.parametrize("place", ["_manifests/revisions/sha256", "_layers/sha256", "_manifests/tags/1.5"])
def test_val_144_a_file_in_place_of_a_directory_of_links(two: Tree, place: str) -> None:
    path = two.repository("acme/web") / place
    shutil.rmtree(path, ignore_errors=True)
    path.write_text("x")

    assert ("STO-07", "error", f"{WEB}/{place}") in found_in(two)
    assert "STO-05" not in {rule for rule, _, _ in found_in(two)}


_BLOBS: dict[str, Callable[[Path], object]] = {
    "directory": lambda data: data.mkdir(),
    "loop": lambda data: data.symlink_to("data"),
    "pipe": os.mkfifo,
}


@pytest.mark.parametrize("blobs", [False, True])
@pytest.mark.parametrize("kind", _BLOBS)
def test_val_144_another_entry_in_place_of_the_bytes_of_an_unreferenced_blob(
    two: Tree, kind: str, *, blobs: bool
) -> None:
    data = two.data(two.put_blob(b"unreferenced"))
    data.unlink()
    _BLOBS[kind](data)
    place = str(data.relative_to(two.v2))

    damaged = [("STO-02", "error", place)] if blobs else []
    assert found_in(two, blobs=blobs) == [*damaged, ("STO-07", "error", place)]


@pytest.mark.parametrize("kind", _BLOBS)
@pytest.mark.parametrize("of", ["layer", "manifest"])
def test_val_144_another_entry_in_place_of_the_bytes_of_a_blob(two: Tree, of: str, kind: str) -> None:
    place = place_of(two, of)
    data = two.data(LAYER if of == "layer" else manifest_of(two))
    data.unlink()
    _BLOBS[kind](data)

    assert ("STO-01", "error", str(place.relative_to(two.v2))) in found_in(two)


@pytest.mark.parametrize("is_file", [True, False])
def test_val_144_another_entry_in_place_of_the_directory_of_a_blob(two: Tree, *, is_file: bool) -> None:
    place, link = two.data(LAYER).parent, place_of(two, "layer")
    for path in (place, place.parent):
        shutil.rmtree(path)
        path.write_text("x") if is_file else path.symlink_to(path)
        found = found_in(two)
        path.unlink()
        path.mkdir()

        assert found == [
            ("STO-01", "error", str(link.relative_to(two.v2))),
            ("STO-07", "error", str(path.relative_to(two.v2))),
        ]


def test_val_144_a_config_that_leads_out_of_the_storage_is_damaged(two: Tree, tmp_path: Path) -> None:
    """It is not a failure: it is known what is wrong, and all else was read."""
    config = next(path for path in two.v2.glob("blobs/*/*/*/data") if _is_config(path, b"layer two"))
    outside = write(tmp_path / "outside", config.read_bytes())
    config.unlink()
    config.symlink_to(outside)
    failures = list[str]()
    found = two.problems(failures=failures)

    assert [each for each in found if each.source != IMAGE] == [
        Found("STO-02", "error", str(config.relative_to(two.v2)))
    ]
    assert failures == []
    assert [each for each in two.problems("acme/web", failures=failures) if each.rule == "STO-02"]
    assert failures == []


def _is_config(path: Path, layer: bytes) -> bool:
    raw = path.read_bytes()
    return b"diff_ids" in raw and Digest.of(layer).encode() in raw


@pytest.mark.parametrize("place", [f"{WEB}/_uploads", f"{WEB}/_manifests/tags/1.4/index", "blobs/sha256/f1"])
def test_val_144_a_directory_that_cannot_be_listed_hides_no_other(two: Tree, place: str) -> None:
    two.put_upload("acme/web", b"1", "2026-01-01T00:00:00Z")
    flaky, failures = FlakyTree(two, f"{place}?ls"), list[str]()
    found = flaky.problems(failures=failures)

    assert any(each.rule == "CFG-21" and each.source == IMAGE for each in found)
    assert all("Input/output error" in each for each in failures)
    assert failures


def test_val_144_names_as_long_as_a_file_system_allows(two: Tree) -> None:
    manifest, longest = manifest_of(two), "x" * 255
    two.tag("acme/web", "x" * 128, manifest)
    two.tag("acme/web", longest, manifest)
    two.tag("acme/web", f"{'x' * 128}-", manifest)
    (two.repository("acme/web") / "_uploads" / longest).mkdir(parents=True)
    for repository in ("c" * 125 + "/" + "d" * 124, "b" * 200 + "/" + "b" * 200):
        write(two.repository(repository) / "_layers/sha256/x", b"")

    assert [each for each in found_in(two) if each[1] != "note"] == [
        ("STO-03", "error", f"{WEB}/_manifests/tags/{'x' * 128}-"),
        ("STO-03", "error", f"{WEB}/_manifests/tags/{longest}"),
        ("STO-04", "warning", f"{WEB}/_uploads/{longest}"),
        ("STO-07", "warning", f"repositories/{'b' * 200}/{'b' * 200}"),
    ]
