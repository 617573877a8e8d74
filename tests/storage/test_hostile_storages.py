"""Storages that someone made to mislead a check, and servers that write at the same time."""

import json
import os
import shutil
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from dreg_client import Digest
from dreg_client.errors.problems import Problem
from dreg_client.files.registry_storage import StorageTree, open_storage
from dreg_client.files.rooted import DirectoryFiles, Entry, ListedFiles, Status
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.storage.references import ReferenceReader
from dreg_client.partitions.storage.reports import unreferenced
from dreg_client.partitions.storage.repository import RepositoryCheck
from dreg_client.validation.digest_set import DigestSet
from dreg_client.validation.dumps import LineRules
from dreg_client.validation.referenced_digests import ReferencedDigests
from dreg_client.validation.storage_reading import StoredBlobs
from dreg_client.values.reference import RepositoryName
from tests.storage.planted import GONE, Found, Tree, write

TERABYTE = 1 << 40
PEDANTIC = PartitionRules(LineRules(pedantic=True))
WEB = "repositories/acme/web"
SECRET = "a secret of another user"


class _Changing(ListedFiles):
    """A storage that a server changes after a directory was listed, once."""

    def __init__(self, path: Path, listed: str, change: Callable[[], object]) -> None:
        self._files, self.name = DirectoryFiles(path), str(path)
        self._listed, self._changes = listed if listed.startswith("blobs") else f"{WEB}/{listed}", [change]

    def entries(self, place: str) -> list[Entry]:
        found = self._files.entries(place)
        if place == self._listed and self._changes:
            self._changes.pop()()
        return found

    def open(self, *parts: str) -> BinaryIO:
        return self._files.open(*parts)

    def status(self, place: str) -> Status | None:
        return self._files.status(place)

    def directory(self, name: str) -> str | None:
        return self._files.directory(name)

    def below(self, place: str) -> Iterator[tuple[str, bool]]:
        return self._files.below(place)


class _ChangingLater(_Changing):
    """The same, changed when it is asked for the status of a file."""

    def status(self, place: str) -> Status | None:
        if place == self._listed and self._changes:
            self._changes.pop()()
        return super().status(place)


class _ChangingOnRead(_Changing):
    """The same, changed when a file is read."""

    def open(self, *parts: str) -> BinaryIO:
        if "/".join(parts) == self._listed and self._changes:
            self._changes.pop()()
        return super().open(*parts)


class _Recording(RepositoryCheck):
    """A check that records what is assigned to its attributes."""

    def __setattr__(self, name: str, value: object) -> None:
        self.__dict__.setdefault("assigned", []).append(value)
        super().__setattr__(name, value)


def problems_of(
    tree: Tree, place: str, change: Callable[[], object], kind: type[_Changing] = _Changing
) -> list[Problem]:
    """Return what is found if the storage changes after a directory was listed, or as `kind` does."""
    storage = StorageTree(kind(tree.v2, place, change), str(tree.path))
    with StoredBlobs(storage) as blobs:
        check = RepositoryCheck(storage, RepositoryName("acme/web"), blobs, ReferencedDigests(), PEDANTIC)
        return [problem for found in check.reports() for problem in found.report.problems]


def rules_of(tree: Tree, place: str, change: Callable[[], object], kind: type[_Changing] = _Changing) -> list[str]:
    """Return the rules that are broken then."""
    return [problem.rule for problem in problems_of(tree, place, change, kind) if problem.rule != "MAN-08"]


@pytest.mark.parametrize("content", [b"x" * 100_000, SECRET.encode(), b"sha256:" + b"A" * 64, b"\xff\x00\x1b[31m"])
def test_val_75_a_link_that_is_large_or_no_digest(tree: Tree, content: bytes) -> None:
    layer = Digest.of(b"layer one")
    place = f"{WEB}/_layers/{layer.replace(':', '/')}/link"
    write(tree.v2 / place, content)

    assert tree.problems() == [Found("STO-06", "error", place)], "the bytes of a link are not those of a document"


@pytest.mark.parametrize("kind", ["pipe", "directory", "outside", "loop"])
def test_val_75_a_link_that_is_not_a_regular_file(tree: Tree, tmp_path: Path, kind: str) -> None:
    """It is neither waited for, nor followed."""
    layer = Digest.of(b"layer one")
    place = f"{WEB}/_layers/{layer.replace(':', '/')}/link"
    link = tree.v2 / place
    link.unlink()
    write(tmp_path / "outside", layer.encode())
    makers: dict[str, Callable[[], object]] = {
        "pipe": lambda: os.mkfifo(link),
        "directory": link.mkdir,
        "outside": lambda: link.symlink_to(tmp_path / "outside"),
        "loop": lambda: link.symlink_to(link.name),
    }
    makers[kind]()

    assert tree.problems() == [Found("STO-06", "error", place)]


def test_val_76_directories_that_lead_out_of_the_storage_are_not_followed(tree: Tree, tmp_path: Path) -> None:
    outside = Tree(tmp_path / "outside")
    outside.put_image("acme/web", "1.4", SECRET.encode(), config={"mediaType": SECRET})
    outside.put_upload("acme/web", b"1", SECRET)
    (tree.v2 / "repositories/evil").symlink_to(outside.repository("acme"))
    (tree.repository("acme/web") / "_uploads").symlink_to(outside.repository("acme/web") / "_uploads")
    (tree.repository("acme/web/_manifests/tags") / "evil").symlink_to(outside.repository("acme/web"))
    (tree.v2 / "blobs/sha512").symlink_to(outside.v2 / "blobs/sha256")

    assert tree.problems(blobs=True, failures=(failures := [])) == [
        Found("STO-07", "error", place)
        for place in ("blobs/sha512", f"{WEB}/_manifests/tags/evil", f"{WEB}/_uploads", "repositories/evil")
    ]
    assert ["repositories/evil is a symbolic link" in each for each in failures] == [True], "it may have manifests"


def test_a_manifest_that_is_read_does_not_take_back_that_another_one_was_not(tree: Tree) -> None:
    """Threads read them at the same time: only an assignment that each of them may repeat cannot undo another one."""
    tree.data(tree.put_image("acme/web", "1.5", b"another")).write_bytes(b"{")
    storage, reach = StorageTree(DirectoryFiles(tree.v2), str(tree.path)), ReferencedDigests()
    with StoredBlobs(storage) as blobs:
        check = _Recording(storage, RepositoryName("acme/web"), blobs, reach)
        check.__dict__["assigned"].clear()
        assert [it.rule for found in check.reports() for it in found.report.errors] == ["STO-02"]

    assert check.__dict__["assigned"] == [False]


def test_val_77_of_a_tag_that_moves_while_it_is_read_it_is_not_known_what_it_leads_to(tree: Tree) -> None:
    """It named a manifest that is not there. What it names now was found before, as one without a tag."""
    layer = Digest.of(b"layer one")
    current = tree.repository("acme/web") / "_manifests/tags/1.4/current/link"
    named = current.read_bytes()
    tree.data(layer).unlink()
    current.write_text(GONE)
    place = f"_manifests/revisions/{GONE.replace(':', '/')}/link"

    found = problems_of(tree, place, lambda: current.write_bytes(named), _ChangingOnRead)

    assert [it.found for it in found if it.rule == "STO-01"] == [f"a link to {layer}, which is gone"]


def test_val_77_what_vanishes_while_it_is_checked_is_not_reported(tree: Tree) -> None:
    """A tag, a manifest, a layer, an upload: they were listed, and are gone when they are read."""
    web, layer = tree.repository("acme/web"), Digest.of(b"layer two")
    old = tree.put_image("acme/web", "old", b"old layer")
    tree.put_upload("acme/web", b"1", "2026-01-01T00:00:00Z")

    def collect() -> None:
        shutil.rmtree(web / "_layers" / layer.replace(":", "/"))
        shutil.rmtree(tree.data(layer).parent)

    assert rules_of(tree, "_manifests/tags", lambda: shutil.rmtree(web / "_manifests/tags/old")) == ["STO-04"]
    assert rules_of(tree, "_uploads", lambda: shutil.rmtree(web / "_uploads")) == []

    def delete() -> None:
        shutil.rmtree(web / "_manifests/revisions" / old.replace(":", "/"))
        shutil.rmtree(tree.data(old).parent)

    assert rules_of(tree, "_manifests/revisions/sha256", delete) == []
    assert rules_of(tree, "_layers/sha256", collect) == ["LYT-04"], "the manifest that names the layer is still there"


def test_val_77_a_link_that_is_deleted_while_its_blob_is_looked_for_is_not_reported(tree: Tree) -> None:
    layer = tree.put_blob(b"no manifest names it")
    link = tree.link("acme/web", "_layers", layer)
    data = str(tree.data(layer).relative_to(tree.v2))

    def delete() -> None:
        link.unlink()
        tree.data(layer).unlink()

    assert rules_of(tree, data, delete, _ChangingLater) == []
    tree.link("acme/web", "_layers", layer)
    assert rules_of(tree, "", lambda: None) == ["STO-01"], "if only the blob is gone"


def test_val_78_what_is_pushed_while_it_is_checked_is_not_reported(tree: Tree) -> None:
    """The tag is listed after its manifest was pushed, which was not there when manifests were listed."""

    def push() -> None:
        tree.put_image("acme/web", "new", b"new layer")

    assert rules_of(tree, "_manifests/revisions/sha256", push) == []


def test_val_78_a_manifest_that_is_pushed_meanwhile_keeps_the_blobs_that_it_needs(tree: Tree) -> None:
    """The blob is old: it was pushed long ago, and its manifest was deleted."""
    old = tree.put_blob(b"an old layer")
    storage, now = open_storage(tree.path), time.time()
    references = ReferenceReader(storage, ReferencedDigests()).read()
    assert [found.report.digest for found in unreferenced(storage, references, now, PartitionRules())] == [old]
    tree.put_image("acme/new", "1", b"an old layer")

    assert [*unreferenced(storage, references, now, PartitionRules())] == []


def test_val_79_a_sparse_blob_of_a_terabyte_is_not_read(tree: Tree) -> None:
    layer = Digest.of(b"layer one")
    with tree.data(layer).open("wb") as file:
        file.truncate(TERABYTE)

    assert tree.problems(blobs=True) == [
        Found("LYT-05", "error", str(tree.data(layer).relative_to(tree.v2)), TERABYTE),
        Found("STO-02", "error", str(tree.data(layer).relative_to(tree.v2))),
    ]


def test_val_80_a_manifest_that_is_too_large_is_not_read(tree: Tree) -> None:
    octets = b" " * (4 << 20) + b"{}"
    digest = tree.put_blob(octets)
    tree.link("acme/web", "_manifests/revisions", digest)

    tree.put_blob(b"unreferenced, or named by the manifest")
    failures = list[str]()

    assert tree.problems(failures=failures) == [Found("GEN-05", "error", f"acme/web@{digest}", len(octets))]
    assert ["4194306 bytes, more than a manifest may have" in each for each in failures] == [True]


@pytest.mark.parametrize("started", ["", "x" * 100_000, "0000-01-01T00:00:00Z", "yesterday", "2026-13-01T00:00:00Z"])
def test_val_81_an_upload_that_does_not_state_when_it_began(tree: Tree, started: str) -> None:
    place = tree.put_upload("acme/web", b"12", started)
    os.utime(place / "data", (0, 0))

    assert [(each.rule, each.severity, each.size) for each in tree.problems()] == [("STO-04", "warning", 2)]


def test_val_81_an_upload_of_the_future_is_young(tree: Tree) -> None:
    """The clocks of two machines differ."""
    tree.put_upload("acme/web", b"12", "9999-12-31T23:59:60Z")

    assert tree.problems() == []


def test_val_82_manifests_that_cannot_be_parsed_keep_what_they_name(tree: Tree) -> None:
    """Otherwise a blob that an old or broken manifest needs would be called unreferenced."""
    layer = tree.put_blob(b"of schema 1")
    tree.link("acme/web", "_layers", layer)
    raw = json.dumps({"schemaVersion": 1, "fsLayers": [{"blobSum": layer}], "tag": 7}).encode() + b"]"
    digest = tree.put_blob(raw)
    tree.link("acme/web", "_manifests/revisions", digest)

    assert {each.rule for each in tree.problems()} == {"GEN-01"}


def test_val_83_the_digests_of_a_large_storage_take_little_memory() -> None:
    digests, count = DigestSet(), 200_000
    tracemalloc.start()
    for number in range(count):
        digests.add(Digest.of(number.to_bytes(4, "big")))
    size, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(digests) == count
    assert size / count < 60
    assert peak / count < 70
    assert Digest.of(bytes(4)).encoded in digests.part("sha256", Digest.of(bytes(4)).encoded[:2])
    assert GONE.encoded not in digests.part("sha256", GONE.encoded[:2])
