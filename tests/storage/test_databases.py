"""Storages that do not have what the server lists."""

import shutil
from pathlib import Path

import pytest

from dreg_client import RegistryStorage, errors, open_store, sync
from tests.storage.flaky import FlakyTree
from tests.storage.planted import Tree, write


@pytest.mark.parametrize("is_url", [False, True])
def test_val_142_the_storage_of_a_registry_with_a_database_is_not_read(
    tree: Tree, tmp_path: Path, *, is_url: bool
) -> None:
    """GitLab's registry has its tags and links there, so all blobs would look unreferenced."""
    write(tree.v2.parent / "lockfiles/database-in-use", b'{"version":1}')
    storage = FlakyTree(tree) if is_url else tree
    path = storage.name.removeprefix("registry-storage:")
    expected = r"lockfiles/database-in-use: .* in a database.*; read them through the registry"
    with pytest.raises(errors.LayoutError, match=expected):
        RegistryStorage(path)
    with pytest.raises(errors.LayoutError, match=expected):
        open_store(f"{storage.name}/acme/web")
    with pytest.raises(errors.LayoutError, match=expected):
        storage.problems()
    with pytest.raises(errors.LayoutError, match=expected):
        sync(storage.name, f"oci:{tmp_path / 'copy'}")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("kind", ["gone", "file", "link"])
def test_val_143_without_the_directory_of_repositories_no_blob_is_called_unreferenced(tree: Tree, kind: str) -> None:
    """As in a backup that is not complete."""
    place = tree.v2 / "repositories"
    shutil.rmtree(place)
    if kind == "file":
        place.write_text("x")
    elif kind == "link":
        place.symlink_to(place.name)
    failures = list[str]()

    assert tree.problems(failures=failures) == []
    assert [f"{place} is" in each for each in failures] == [True], failures


def test_a_storage_without_repositories_has_only_unreferenced_blobs(tree: Tree) -> None:
    shutil.rmtree(tree.v2 / "repositories/acme")

    assert {each.rule for each in tree.problems()} == {"STO-05"}
