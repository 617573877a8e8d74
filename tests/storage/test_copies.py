"""Copies from a storage with layers that are gone or cut."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dreg_client import Digest, Registry, copy, errors, open_store, plan_sync, sync
from tests.registries import running
from tests.storage.planted import Tree

LAYER = Digest.of(b"layer two")
Damage = Callable[[Path], object]
DAMAGES: dict[str, tuple[Damage, type[errors.DregError]]] = {
    "gone": (lambda data: shutil.rmtree(data.parent), errors.NotFoundError),
    "cut": (lambda data: data.write_bytes(b"layer"), errors.SizeMismatchError),
    "a directory": (lambda data: (data.unlink(), data.mkdir()), errors.UnsafePathError),
}


@pytest.fixture(params=DAMAGES)
def damaged(request: pytest.FixtureRequest, tree: Tree) -> type[errors.DregError]:
    """Damage a layer of the first image; return the error. Another repository has a whole image."""
    tree.put_image("acme/whole", "1", b"another layer")
    damage, expected = DAMAGES[request.param]
    damage(tree.data(LAYER))
    return expected


@pytest.mark.parametrize("dry_run", [True, False])
def test_nothing_of_an_image_is_copied_if_a_layer_is_damaged(
    tree: Tree, tmp_path: Path, damaged: type[errors.DregError], *, dry_run: bool
) -> None:
    to = tmp_path / "copy"
    with pytest.raises(damaged):
        copy(f"{tree.name}/acme/web:1.4", f"oci:{to}", dry_run=dry_run)

    assert [path for path in to.rglob("*") if path.is_file() and "blobs" in path.parts] == []


def test_the_other_images_are_copied_and_the_repository_is_not_made(
    tree: Tree, tmp_path: Path, damaged: type[errors.DregError]
) -> None:
    (tmp_path / "registry").mkdir()
    with running(tmp_path / "registry") as registry:
        plan = plan_sync(tree.name, registry.address)
        done = sync(tree.name, registry.address)
        with Registry(registry.url) as served:
            assert [*served.catalog()] == ["acme/whole"]

    assert [[each.tag for each in planned.copies] for planned in plan.repositories] == [[], ["1"]]
    assert [[each.tag for each in planned.failures] for planned in plan.repositories] == [["1.4"], []]
    assert [[*each.copied] for each in done.repositories] == [[], ["1"]]
    [failed] = [failure for each in done.repositories for failure in each.failed.values()]
    assert isinstance(failed, damaged)


def test_a_layer_that_the_destination_has_need_not_be_in_the_storage(tree: Tree, tmp_path: Path) -> None:
    to = f"oci:{tmp_path / 'copy'}"
    tree.put_image("acme/web", "1.3", b"layer two")
    copy(f"{tree.name}/acme/web:1.3", f"{to}:1.3")
    shutil.rmtree(tree.data(LAYER).parent)
    copy(f"{tree.name}/acme/web:1.4", f"{to}:1.4")

    with open_store(to) as layout:
        assert layout.get_blob(layout.get_image("1.4").manifest.layers[1]) == b"layer two"


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_layout_is_opened_in_the_same_way(tree: Tree, tmp_path: Path, *, dry_run: bool) -> None:
    layout, to = tmp_path / "layout", tmp_path / "copy"
    copy(f"{tree.name}/acme/web:1.4", f"oci:{layout}")
    (layout / "blobs/sha256" / LAYER.encoded).unlink()
    with pytest.raises(errors.NotFoundError):
        copy(f"oci:{layout}:1.4", f"oci:{to}", dry_run=dry_run)

    assert [path for path in to.rglob("*") if path.is_file() and "blobs" in path.parts] == []
