"""Names of storages: where the path ends, what is wrong with them, and shell completion."""

import shutil
from pathlib import Path
from typing import Any

import fsspec
import pytest

from dreg_client import Registry, RegistryStorage, open_image, open_store, plan
from dreg_client.errors import (
    InvalidReferenceError,
    LayoutCorruptError,
    MissingLibraryError,
    NotFoundError,
    UnsupportedError,
)
from dreg_client.files.store_path import named_store
from dreg_client.values.store_name import StoreName, repository_of
from tests.storage.planted import Tree

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize("root", ["", "/", "/docker/registry/v2", "/docker/registry/v2/"])
@pytest.mark.parametrize(
    ("image", "repository", "reference"),
    [
        ("acme/web", "acme/web", "latest"),
        ("acme/web:1.4", "acme/web", "1.4"),
        (f"acme/web@{DIGEST}", "acme/web", DIGEST),
        (f"acme/web:1.4@{DIGEST}", "acme/web", DIGEST),
        ("docker/registry/v3", "docker/registry/v3", "latest"),
    ],
)
def test_the_path_is_the_longest_beginning_that_is_a_storage(
    tree: Tree, root: str, image: str, repository: str, reference: str
) -> None:
    path = f"{tree.path}{root}"
    name = named_store(f"registry-storage:{path.rstrip('/')}/{image}")

    assert (name.path, name.repository) == (path.rstrip("/"), repository)
    assert (name.digest or name.tag) == reference
    assert named_store(str(name)) == name
    assert repository_of(name) == f"registry-storage:{path.rstrip('/')}/{repository}"
    whole = named_store(f"registry-storage:{path}")
    assert (whole.path, whole.repository, whole.tag) == (path, None, None)


def test_a_path_may_have_colons_and_at_signs(tree: Tree, tmp_path: Path) -> None:
    moved = shutil.move(tree.path, tmp_path / f"a:b@{DIGEST}")
    with open_image(f"registry-storage:{moved}/acme/web:1.4") as image:
        assert image.tag == "1.4"


def test_a_storage_in_a_directory_of_another_one_is_found(tree: Tree) -> None:
    """The longest path counts, although `inner` could be the name of a repository in the outer storage."""
    inner = Tree(tree.path / "inner")
    inner.put_image("acme/inner", "1", b"layer")
    with open_store(f"registry-storage:{tree.path}/inner/acme/inner") as store:
        assert store.tags() == ("1",)


@pytest.mark.parametrize(
    ("rest", "error", "said"),
    [
        (
            "",
            InvalidReferenceError,
            "expected a repository: .*/REPOSITORY; list them with: dreg repos registry-storage:",
        ),
        (":1.4", InvalidReferenceError, "a repository between the path and ':'"),
        ("/UPPER:1", InvalidReferenceError, "lower-case letters, as in 'upper'"),
        ("/acme/web:", InvalidReferenceError, "not a valid tag"),
        ("/acme/web@sha256:1", InvalidReferenceError, "a digest after @"),
        ("/../storage/acme/web", InvalidReferenceError, None),
        ("/acme/none:1", NotFoundError, "has no repository acme/none; list the repositories with: dreg repos"),
        ("/acme/web:2", NotFoundError, "has no tag '2'; list the tags there are with: dreg tags registry-storage:"),
        (f"/acme/web@{DIGEST}", NotFoundError, "has no manifest sha256:abab.*; the repository has no link to it"),
        ("x/acme/web:1", NotFoundError, "does not exist, or has no docker/registry/v2"),
    ],
)
def test_a_wrong_name_says_what_to_do(tree: Tree, rest: str, error: type[Exception], said: str | None) -> None:
    if said is None:
        assert open_store(f"registry-storage:{tree.path}{rest}").tags() == ("1.4",)  # a path, not a repository
        return
    with pytest.raises(error, match=said):
        open_image(f"registry-storage:{tree.path}{rest}")


def test_a_storage_that_is_opened_as_something_else_says_what_it_is(tree: Tree) -> None:
    for path in (tree.path, tree.v2):
        with pytest.raises(
            LayoutCorruptError, match=f"is the storage of a registry; open it as registry-storage:{path}$"
        ):
            open_store(f"oci:{path}")
        with pytest.raises(
            InvalidReferenceError, match=f"a store prefix before a path, such as registry-storage:{path}$"
        ):
            open_store(str(path))
    with pytest.raises(NotFoundError, match="has no docker/registry/v2, which every storage has"):
        RegistryStorage(tree.path / "docker")


@pytest.mark.parametrize("is_url", [False, True])
def test_a_storage_is_never_changed(tree: Tree, is_url: bool) -> None:
    source = f"file://{tree.path}" if is_url else str(tree.path)
    with pytest.raises(
        UnsupportedError, match="the storage of a registry is only read; change it through the registry"
    ):
        plan([f"registry-storage:{source}/acme/web"]).untag("1.4").make()
    with open_store(f"registry-storage:{source}/acme/web") as store:
        with pytest.raises(UnsupportedError, match="the storage of a registry is only read"):
            plan([store]).untag("1.4").make()
        assert store.source.writable is None
        assert not hasattr(store, "put_manifest")


def test_a_url_of_a_local_file_is_a_path(tree: Tree) -> None:
    """So links that lead outside are not followed there either."""
    with RegistryStorage(f"file://{tree.path}") as storage:
        assert storage.tree.files.name == str(tree.v2)
        assert [*storage.catalog()] == ["acme/web"]


def test_the_path_in_a_url_ends_as_on_a_disk(tree: Tree) -> None:
    fsspec.filesystem("memory").put(f"{tree.path}/", "/names/below/", recursive=True)

    for path in ("memory://names/below", "memory://names/below/docker/registry/v2"):
        with open_image(f"registry-storage:{path}/acme/web:1.4") as image:
            assert image.tag == "1.4"
        with RegistryStorage(path) as storage:
            assert [*storage.repositories()] == ["acme/web"]
            assert storage.name == path
    with pytest.raises(NotFoundError, match=r"memory://names/other.* has no registry storage"):
        open_store("registry-storage:memory://names/other/acme/web")


def test_the_library_for_a_url_that_is_missing_is_named() -> None:
    with pytest.raises(MissingLibraryError, match="pip install gcsfs"):
        open_store("registry-storage:gs://bucket/docker/registry/v2/acme/web")
    assert StoreName.parse("registry-storage:gs://b/docker/registry/v2/acme/web:1").repository == "acme/web"


def test_repositories_share_a_storage_that_stays_open(tree: Tree) -> None:
    with RegistryStorage(tree.path) as storage:
        with storage.repository("acme/web") as web:
            assert web.tags() == ("1.4",)
        assert storage.repository("web", "acme").tags() == ("1.4",)
        assert repr(storage) == f"RegistryStorage({str(tree.path)!r})"
    with pytest.raises(Exception, match="is closed"):
        web.tags()


# --- the tree as distribution 3 writes it


def test_a_tree_of_distribution_3(tree: Tree) -> None:
    """It writes the same paths. Files are written under `NAME.UUID.tmp` and renamed, and tags are deleted one by one.

    A blob that was pushed by its sha512 digest is stored by its sha256 digest, to which the link leads.
    """
    from dreg_client import Digest

    long = Digest.of(b"layer by sha512", "sha512")
    tree.link("acme/web", "_layers", long, content=tree.put_blob(b"layer by sha512"))
    current = tree.repository("acme/web") / "_manifests/tags/1.4/current"
    (current / "link.3f2504e0-4f89-11d3-9a0c-0305e82c3301.tmp").write_bytes(b"sha256:")
    tree.put_image("acme/web", "deleted", b"x")
    shutil.rmtree(tree.repository("acme/web") / "_manifests/tags/deleted")

    with RegistryStorage(tree.path) as storage:
        web = storage.repository("acme/web")
        assert web.tags() == ("1.4",)
        assert web.get_blob(long) == b"layer by sha512"
        [untagged] = web.source.untagged() or ()
        assert web.get_manifest(untagged).digest == untagged.digest


# --- the command line


def test_shells_complete_repositories_and_tags(tree: Tree) -> None:
    tree.put_image("acme/web", "1.5", b"x")
    tree.put_image("acme/api", "2", b"x")
    start = f"registry-storage:{tree.path}"

    assert _completed("registry-s") == ["registry-storage:"]
    assert _completed(f"registry-storage:{tree.path.parent}/sto") == [f"registry-storage:{tree.path}/"]
    assert _completed(f"{start}/") == [f"{start}/acme/api", f"{start}/acme/web"]
    assert _completed(f"{start}/acme/w") == [f"{start}/acme/web"]
    assert _completed(f"{start}/acme/web:") == [f"{start}/acme/web:1.4", f"{start}/acme/web:1.5"]
    assert _completed(f"{start}/acme/web:1.5") == [f"{start}/acme/web:1.5"]
    assert _completed(f"{start}/acme/none:") == []
    assert _completed("registry-storage:s3://bucket/") == []


def _completed(text: str) -> list[str]:
    import click

    from dreg_client.cli.completed_names import store_names

    return [item.value for item in store_names(click.Context(click.Command("tags")), text)]


def test_a_registry_has_what_its_storage_has(tree: Tree, own_registry: Any) -> None:
    """A tree that the test wrote is served by docker-registry."""
    assert tree.path == own_registry.root / "storage"
    with Registry(own_registry.url) as registry, RegistryStorage(tree.path) as storage:
        served, stored = registry.repository("acme/web"), storage.repository("acme/web")
        assert served.get_manifest("1.4") == stored.get_manifest("1.4")
        assert served.get_config("1.4") == stored.get_config("1.4")
