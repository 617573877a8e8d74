"""VAL-60 to VAL-70: the storage of a registry, by hostile hands and while a server is writing it."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from dreg_client import AsyncRegistryStorage, RegistryStorage, copy, errors, open_store
from dreg_client.validation.referenced_digests import ReferencedDigests
from dreg_client.validation.storage_blobs import BlobEntries
from dreg_client.values.digest import Digest
from dreg_client.values.store_name import StoreName
from tests.hostile.stores import Store
from tests.hostile.ways import WAYS
from tests.storage.planted import Tree, write

LAYER = b"layer one"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path / "storage")
    made.put_image("acme/web", "1.4", LAYER)
    return made


@pytest.fixture(params=WAYS)
def store(request: pytest.FixtureRequest, tree: Tree) -> Store:
    return Store(request.param, f"{tree.name}/acme/web")


def _current(tree: Tree) -> Path:
    return tree.repository("acme/web") / "_manifests/tags/1.4/current/link"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "contains nothing; a link must contain a digest, and nothing else"),
        (b"../../../../etc/passwd", 'contains "../../../../etc/passwd"'),
        (b"sha256:../../../../../../etc/passwd", "a link must contain a digest"),
        (b"sha256:" + b"A" * 64, f"contains sha256:{'A' * 64} in upper case"),
        (b"\xff\xfe\x1b[2J", r'contains "\udcff\udcfe\u001b[2J"'),
        (b"sha256:" + b"0" * (8 << 20), "contains 8388615 bytes"),
    ],
    ids=["empty", "path", "path in a digest", "upper case", "escapes", "large"],
)
def test_val_60_a_link_that_contains_no_digest(store: Store, tree: Tree, content: bytes, said: str) -> None:
    _current(tree).write_bytes(content)

    found = store.manifest("1.4")
    assert found.kind is errors.LayoutCorruptError
    assert str(_current(tree)) in found.text
    assert said.replace("\\\\", "\\") in found.text.replace("\\\\", "\\")
    assert "STO-06" in found.text
    assert "\x1b" not in found.text


@pytest.mark.parametrize("target", ["absolute", "relative", "directory"])
def test_val_61_links_of_the_file_system_lead_outside(store: Store, tree: Tree, tmp_path: Path, target: str) -> None:
    """Neither a link, the bytes of a blob, nor a directory of a repository is read through them."""
    outside = write(tmp_path / "outside/data", LAYER)
    data = tree.data(Digest.of(LAYER))
    if target == "directory":
        data.unlink()
        data.parent.rmdir()
        data.parent.symlink_to(outside.parent)
    else:
        data.unlink()
        data.symlink_to(outside if target == "absolute" else os.path.relpath(outside, data.parent))
    found = store.blob(Digest.of(LAYER), tmp_path / "out")

    assert found.kind is errors.UnsafePathError
    assert not (tmp_path / "out").exists()
    (tree.v2 / "repositories/linked").symlink_to(tmp_path)
    (tree.v2 / "repositories/again").symlink_to(tree.v2 / "repositories")
    with RegistryStorage(tree.path) as storage:
        assert [*storage.catalog()] == ["acme/web"]


def test_val_62_other_bytes_than_the_digest(store: Store, tree: Tree, tmp_path: Path) -> None:
    """Of a manifest, of a layer, and what is copied."""
    manifest = Digest(_current(tree).read_text())
    tree.data(Digest.of(LAYER)).write_bytes(b"layer two")
    assert store.blob(Digest.of(LAYER), tmp_path / "out").kind is errors.DigestMismatchError
    with pytest.raises(errors.DigestMismatchError):
        copy(f"{store.name}:1.4", f"oci:{tmp_path / 'copy'}")

    tree.data(manifest).write_bytes(tree.data(manifest).read_bytes().replace(b"layer", b"lawyer"))
    assert store.manifest("1.4").kind is errors.DigestMismatchError
    assert store.manifest(manifest).kind is errors.DigestMismatchError
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["link", "data"])
def test_val_63_a_pipe_in_place_of_a_file(store: Store, tree: Tree, name: str) -> None:
    place = _current(tree) if name == "link" else tree.data(_current(tree).read_text())
    place.unlink()
    os.mkfifo(place)

    assert store.manifest("1.4").kind is errors.UnsafePathError


def test_val_64_names_that_no_repository_tag_or_digest_can_have(tree: Tree) -> None:
    """They are not listed, and nothing below them is looked at."""
    image = _current(tree).read_text()
    for name in ("UPPER", "a b", "new\nline", "\udcff", "x" * 252, "-a", "_b", "..."):
        (tree.v2 / "repositories/acme" / name / "_layers").mkdir(parents=True)
        (tree.v2 / "repositories/acme" / name / "below/_layers").mkdir(parents=True)
        tree.tag("acme/web", f"+{name}", image)
        (tree.repository("acme/web") / "_manifests/revisions/sha256" / name).mkdir()
        (tree.v2 / "blobs" / name / "ab").mkdir(parents=True)
    with RegistryStorage(tree.path) as storage:
        web = storage.repository("acme/web")
        assert [*storage.catalog()] == ["acme/web"]
        assert web.tags() == ("1.4",)
        assert web.source.untagged() == ()
        parts = BlobEntries(storage.tree, ReferencedDigests()).parts()
        assert sum(len(names) for _, _, names in parts) == 3


@pytest.mark.parametrize("reference", ["..", "../x", "1.4/../1.4", "sha256:../../x", "1.4\n"])
def test_val_65_references_that_are_paths(tree: Tree, reference: str) -> None:
    with RegistryStorage(tree.path) as storage:
        with pytest.raises(errors.NotFoundError):
            storage.repository("acme/web").get_manifest(reference)
        with pytest.raises(errors.InvalidReferenceError):
            storage.repository(f"acme/{reference}")


def test_val_66_a_server_writes_at_the_same_time(tree: Tree) -> None:
    """Distribution 2 empties a link before it writes it, and removes directories while they are listed."""
    images = [_current(tree).read_bytes(), tree.put_image("acme/web", "1.5", b"another").encode()]
    tree.tag("acme/web/other", "x", images[0].decode())
    ends = threading.Event()

    def push() -> None:
        while not ends.is_set():
            for image in images:
                _current(tree).write_bytes(image)
            tree.tag("acme/web/other", "x", images[0].decode())
            link = tree.repository("acme/web/other") / "_manifests/tags/x"
            for path in sorted(link.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            link.rmdir()

    pushing = threading.Thread(target=push)
    pushing.start()
    try:
        with RegistryStorage(tree.path) as storage:
            web, other = storage.repository("acme/web"), storage.repository("acme/web/other")
            for _ in range(500):
                assert web.resolve("1.4").digest.encode() in images
                assert set(other.tags()) <= {"x"}
                assert {*storage.catalog()} <= {"acme/web", "acme/web/other"}
    finally:
        ends.set()
        pushing.join()


@pytest.mark.parametrize("url", ["s3://me:secret@bucket/x/acme/web", "ftp://me:secret@host/docker/registry/v2/acme"])
def test_val_67_a_password_in_a_url(store: Store, url: str) -> None:
    store.name = f"registry-storage:{url}"
    with pytest.raises(errors.InvalidReferenceError, match="a URL without a password") as raised:
        open_store(store.name)
    assert "secret" not in str(raised.value)
    with pytest.raises(errors.InvalidReferenceError):
        StoreName.parse(store.name)


class _Failing(MemoryFileSystem):
    """A file system whose errors are its own, and contain secrets."""

    protocol = "failing"
    cachable = False
    failure: Exception = RuntimeError("access denied for key=secret")

    def _fail(self, *_: object, **__: object) -> Any:
        raise self.failure

    ls = cat_file = _open = info = isdir = _fail


@pytest.mark.parametrize("failure", [RuntimeError("no"), PermissionError("no"), TimeoutError(), ZeroDivisionError("x")])
def test_val_68_errors_of_remote_file_systems(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec.register_implementation("failing", _Failing, clobber=True)
    monkeypatch.setattr(_Failing, "failure", failure)
    name = "registry-storage:failing://x/docker/registry/v2/acme/web:1.4"
    actions: list[Callable[[], object]] = [
        lambda: open_store(name),
        lambda: RegistryStorage("failing://x"),
        lambda: asyncio.run(_first("failing://x")),
    ]
    for action in actions:
        with pytest.raises(errors.LayoutError, match="cannot be read"):
            action()


async def _first(path: str) -> object:
    async with AsyncRegistryStorage(path) as storage:
        return [name async for name in storage.catalog()]


def test_val_69_a_blob_that_is_gone(store: Store, tree: Tree, tmp_path: Path) -> None:
    """The error says that the repository has a link to it, unlike for a blob that it never had."""
    tree.data(Digest.of(LAYER)).unlink()
    found = store.blob(Digest.of(LAYER), tmp_path / "out")
    assert found.kind is errors.NotFoundError
    assert "its bytes are gone (STO-01)" in found.text

    never = store.blob(Digest.of(b"never"), tmp_path / "out")
    assert never.kind is errors.NotFoundError
    assert "has no link to it" in never.text


def test_val_70_directories_nested_very_deep(tree: Tree) -> None:
    """The longest name of a repository is read; what is deeper is not looked at."""
    longest = "/".join("a" * 128)
    tree.put_image(longest, "1", LAYER)
    (tree.repository(longest) / "a/_layers").mkdir(parents=True)

    with RegistryStorage(tree.path) as storage:
        assert [*storage.catalog()] == [longest, "acme/web"]
        assert storage.repository(longest).get_manifest("1").layers  # type: ignore[union-attr]
