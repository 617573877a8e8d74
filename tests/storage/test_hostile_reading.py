"""Storages that cannot be read completely, and entries that no registry writes."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dreg_client import Digest
from dreg_client.files.held_directory import HeldDirectory
from dreg_client.files.rooted import DirectoryFiles
from tests.storage.flaky import FlakyFileSystem, FlakyTree
from tests.storage.planted import GONE, Found, Tree, age, write

WEB = "repositories/acme/web"


def manifest_of(tree: Tree) -> Digest:
    return Digest((tree.repository("acme/web") / "_manifests/tags/1.4/current/link").read_text())


def config_of(tree: Tree) -> str:
    return next(name for name in map(str, tree.v2.glob("blobs/*/*/*/data")) if b"diff_ids" in Path(name).read_bytes())


def place_of(path: str | Path) -> str:
    return f"{Path(path).parent.name}/{Path(path).name}"


@pytest.mark.parametrize("blobs", [False, True])
def test_val_145_a_manifest_that_cannot_be_read_is_neither_damaged_nor_are_its_layers_unreferenced(
    tree: Tree, *, blobs: bool
) -> None:
    flaky, failures = FlakyTree(tree, f"{manifest_of(tree)[7:]}/data"), list[str]()

    assert flaky.problems(blobs=blobs, failures=failures) == []
    assert len(failures) == (3 if blobs else 2), "the partitions of the repository, of unreferenced blobs, of the blob"
    assert all("Input/output error" in each for each in failures)


@pytest.mark.parametrize("name", ["link", "config", "status", "tag", "tags", "revisions", "blobs", "repository"])
def test_val_146_what_cannot_be_read_is_no_fault(tree: Tree, name: str) -> None:
    layer = Digest.of(b"layer one").encoded
    broken = {
        "link": f"_layers/sha256/{layer}/link",
        "config": place_of(config_of(tree)),
        "status": f"{layer}/data?info",
        "tag": "1.4/current/link",
        "tags": "tags?ls",
        "revisions": "revisions/sha256?ls",
        "blobs": f"sha256/{layer[:2]}?ls",
        "repository": "acme/web?ls",
    }
    flaky, failures = FlakyTree(tree, broken[name]), list[str]()

    assert flaky.problems(failures=failures) == []
    assert failures
    assert all("Input/output error" in each for each in failures)


def test_val_146_other_documents_are_checked_all_the_same(tree: Tree) -> None:
    bad = tree.put_image("acme/web", "bad", b"a", layers=[])
    tree.put_image("acme/other", "bad", b"b", layers=[])
    flaky, failures = FlakyTree(tree, f"{manifest_of(tree)[7:]}/data"), list[str]()

    found = {(each.rule, each.source) for each in flaky.problems(failures=failures)}
    assert ("CFG-21", "acme/web:bad") in found, bad
    assert ("CFG-21", "acme/other:bad") in found


@pytest.mark.parametrize("kind", ["damaged", "cut", "gone", "malformed", "empty", "escaped"])
def test_val_147_blobs_are_not_unreferenced_if_a_manifest_is_not_known(tree: Tree, kind: str) -> None:
    """The file that a backup has would name them."""
    digest = manifest_of(tree)
    link = tree.repository("acme/web") / "_manifests/revisions" / digest.replace(":", "/") / "link"
    shutil.rmtree(tree.repository("acme/web") / "_layers")
    raw = tree.data(digest).read_bytes()
    if kind == "escaped":  # its layers are named, but not by the digits themselves
        raw = raw.replace(b'"schemaVersion": 2', b'"schemaVersion": 9').replace(b"sha256:", b"\\u0073ha256:")
        link.unlink()
        digest = tree.put_blob(raw)
        tree.link("acme/web", "_manifests/revisions", digest)
        tree.tag("acme/web", "1.4", digest)
    changes: dict[str, Callable[[], object]] = {
        "damaged": lambda: tree.data(digest).write_bytes(raw.replace(b"sha256:", b"sha256;")),
        "cut": lambda: tree.data(digest).write_bytes(raw[:20]),
        "gone": lambda: shutil.rmtree(tree.data(digest).parent),
        "malformed": lambda: link.write_text("x"),
        "empty": lambda: link.write_bytes(b""),
        "escaped": lambda: None,
    }
    changes[kind]()
    failures = list[str]()
    found = {each.rule for each in tree.problems(failures=failures)}

    assert "STO-05" not in found
    assert ["so it is not known which blobs are unreferenced" in each for each in failures] == [True]


def test_val_148_a_read_that_returns_fewer_bytes_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on NFS and FUSE."""
    (tmp_path / "file").write_bytes(b"0123456789")
    read = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, most: read(descriptor, min(most, 3)))
    with HeldDirectory(DirectoryFiles(tmp_path), "") as held:
        assert held.read("file", limit=10) == b"0123456789"


_STRAYS: dict[str, tuple[str, str]] = {
    "repositories/outside": ("link", "error"),
    "repositories/acme/inside": ("link", "error"),
    f"{WEB}/_manifests/tags/1.5": ("link", "error"),
    f"{WEB}/_manifests/tags/1.4/index": ("file", "error"),
    f"{WEB}/_layers/sha512": ("link", "error"),
    f"{WEB}/_uploads": ("file", "error"),
    "repositories/filetags/_manifests/tags": ("file", "error"),
    "repositories/filemanifests/_manifests": ("file", "error"),
    "repositories/ACME": ("directory", "warning"),
    "blobs/md5": ("directory", "warning"),
    "blobs/sha512": ("link", "error"),
    "blobs/sha256/zz": ("directory", "warning"),
    f"blobs/sha256/ab/cd{'0' * 62}": ("directory", "warning"),
    f"blobs/sha256/ab/ab{'0' * 62}/data": ("directory", "error"),
}


@pytest.mark.parametrize("place", _STRAYS)
def test_val_149_entries_that_no_registry_writes_are_reported_and_not_followed(
    tree: Tree, tmp_path: Path, place: str
) -> None:
    kind, severity = _STRAYS[place]
    outside, path = Tree(tmp_path / "outside"), tree.v2 / place
    outside.put_image("acme/web", "secret", b"secret", layers=[])
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    if kind == "link":
        path.symlink_to(outside.v2 / "repositories/acme/web")
    elif kind == "file":
        path.write_text("x")
    else:
        (path / "0").mkdir(parents=True)

    assert tree.problems(failures=[]) == [Found("STO-07", severity, place)]


def test_val_149_files_that_no_registry_reads_are_one_note(tree: Tree) -> None:
    for name in ("a", "b", ".DS_Store"):
        write(tree.v2 / "blobs/sha256" / name, b"")

    assert tree.problems() == []
    assert [each for each in tree.problems(pedantic=True) if each.rule == "STO-07"] == [
        Found("STO-07", "note", "blobs/sha256")
    ]


def test_val_150_a_damaged_config_that_several_partitions_need_is_reported_once(tree: Tree) -> None:
    """There are more repositories than a partition has."""
    for number in range(120):
        tree.put_image(f"many/r{number}", "1", b"base")
    config = Path(config_of_base := str(tree.data(_config(tree, "many/r1"))))
    config.write_bytes(b"{}")
    age(config)
    damaged = Found("STO-02", "error", str(config.relative_to(tree.v2)), 2)

    assert [each for each in tree.problems() if each.rule == "STO-02"] == [damaged], config_of_base
    assert [each for each in tree.problems(blobs=True) if each.rule == "STO-02"] == [damaged]


def _config(tree: Tree, repository: str) -> str:
    digest = (tree.repository(repository) / "_manifests/tags/1/current/link").read_text()
    return tree.data(digest).read_text().partition('"digest": "')[2].partition('"')[0]


def test_val_151_a_link_is_not_counted_as_the_bytes_of_a_document(tree: Tree) -> None:
    with write(tree.repository("acme/web") / "_manifests/tags/huge/current/link", b"").open("wb") as link:
        link.truncate(5 << 30)
    write(tree.repository("acme/web") / "_layers" / GONE.replace(":", "/") / "link", b"x" * 900)

    assert [(each.rule, each.size) for each in tree.problems()] == [("STO-06", 0)] * 2


@pytest.mark.parametrize("is_deleted", [False, True])
def test_val_146_a_link_that_is_deleted_while_its_blob_is_looked_for_is_no_fault(
    tree: Tree, *, is_deleted: bool
) -> None:
    layer = Digest.of(b"in no manifest")
    link = tree.repository("acme/web") / f"_layers/sha256/{layer.encoded}/link"
    write(link, layer.encode())
    flaky = FlakyTree(tree)
    if is_deleted:
        FlakyFileSystem.deletes[f"{layer.encoded}/data?info"] = f"/storage/{link.relative_to(tree.path)}"
    found = [each.rule for each in flaky.problems(pedantic=True)]

    assert FlakyFileSystem.deletes == {}
    assert found.count("STO-01") == (not is_deleted)
