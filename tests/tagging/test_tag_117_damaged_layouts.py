"""A damaged manifest in a layout fails its own tags, and protects the others from being deleted."""

from pathlib import Path

import pytest

from dreg_client import AddTag, Untag, open_store
from tests.tagging.stores import Dated

DAMAGES = ["cut off", "not JSON", "a directory"]


def damaged(damage: str, path: Path) -> str:
    """A layout with one good image, one damaged one, and one that has two tags."""
    graph = Dated()
    graph.tagged("good", layer="good")
    bad = graph.tagged("bad", layer="bad")
    for tag in ("1", "2"):
        graph.tag(graph.dated(layer="twice"), tag)
    graph.write(path)
    blob = path / "blobs" / bad.replace(":", "/")
    raw = blob.read_bytes()
    if damage == "a directory":
        blob.unlink()
        blob.mkdir()
    else:
        blob.write_bytes(raw[:-5] if damage == "cut off" else b"[" * len(raw))
    return f"oci:{path}"


@pytest.mark.parametrize("damage", DAMAGES)
def test_tag_117_the_space_of_the_other_tags_is_known(damage: str, tmp_path: Path) -> None:
    with open_store(damaged(damage, tmp_path / "layout")) as store:
        found = store.usage()

    assert {each.tag for each in found.tags} == {"good", "1", "2"}
    assert [*found.failures] == ["bad"]
    assert all(each.size for each in found.tags)
    assert {each.freed_size for each in found.tags} <= {None, 0}


@pytest.mark.parametrize("damage", DAMAGES)
def test_tag_117_nothing_is_deleted_but_tags_are_changed(damage: str, tmp_path: Path) -> None:
    with open_store(damaged(damage, tmp_path / "layout")) as store:
        planner = store.plan().tag("new", to="2").prune(["good", "1"])
        [found] = planner.make().repositories

    assert [type(each) for each in found.changes] == [AddTag, Untag]
    [kept] = found.kept
    assert kept.tag == "good"
    assert kept.reason.startswith("no image is deleted, because a manifest cannot be read: ")
