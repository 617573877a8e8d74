"""Manifests without a tag: in layouts, and in the lists of all manifests that Google's registries send."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dreg_client import DockerArchive, Layout, errors
from dreg_client.tagging.facts import EARLIEST
from tests.copying.graphs import Graph
from tests.doors import LIBRARIES, Door, repository
from tests.http.documents import OCI_INDEX, OCI_MANIFEST, served

ROOT = Path(__file__).parents[2]
A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
MADE, SENT = 1_700_000_000_000, 1_710_000_000_000


@pytest.fixture(params=[(LIBRARIES[0], False), (LIBRARIES[0], True)], ids=["threads", "asyncio"])
def door(request: pytest.FixtureRequest) -> Door:
    return Door(*request.param)


def untagged(registry: Any) -> Any:
    return repository(registry).source.untagged()


def manifest_list(registry: Any) -> Any:
    return repository(registry).source.manifest_list()


def listing(*pages: Any) -> Any:
    """A registry with these pages of a tag list."""

    def registry(request: Any) -> Any:
        number = int(dict(request.url.params).get("page", "0"))
        link = {"Link": f'</v2/acme/web/tags/list?page={number + 1}>; rel="next"'} if number + 1 < len(pages) else {}
        return served(json.dumps(pages[number]).encode(), "application/json", **link)

    return registry


def page(manifest: Any, **members: Any) -> dict[str, Any]:
    return {"name": "acme/web", "child": [], "tags": ["1.4"], "manifest": manifest, **members}


def test_manifests_without_a_tag_are_listed(door: Door) -> None:
    tagged = {"imageSizeBytes": "120", "layerId": "", "mediaType": OCI_INDEX, "tag": ["1.4"]}
    found = door.run(listing(page({A: tagged, B: {"mediaType": OCI_MANIFEST, "tag": []}})), untagged)

    assert [(each.digest, each.media_type, each.size) for each in found] == [(B, OCI_MANIFEST, 0)]
    assert len(door.seen) == 1


def test_manifests_are_collected_from_all_pages_each_once(door: Door) -> None:
    pages = [page({A: {"tag": []}, B: {}}), {"tags": ["2"]}, page({A: {"tag": ["2"]}, C: {"tag": None}})]
    found = door.run(listing(*pages), untagged)

    assert [(each.digest, each.media_type) for each in found] == [
        (B, "application/octet-stream"),
        (C, "application/octet-stream"),
    ], "the second page of A names a tag of it"
    assert len(door.seen) == 3


@pytest.mark.parametrize(("manifest", "found"), [({}, ()), (None, ())])
def test_an_empty_list_has_no_manifests(door: Door, manifest: Any, found: Any) -> None:
    assert door.run(listing(page(manifest)), untagged) == found


def test_a_registry_without_the_list_does_not_tell_them(door: Door) -> None:
    assert door.run(listing({"name": "acme/web", "tags": ["1.4"]}), untagged) is None
    assert door.run(listing({"name": "acme/web", "tags": []}), manifest_list) is None


def test_the_list_states_when_images_were_made_and_uploaded(door: Door) -> None:
    both = {"timeCreatedMs": str(MADE), "timeUploadedMs": SENT}
    entries = {A: both, B: {**both, "timeCreatedMs": "0"}, C: {"timeCreatedMs": "yesterday", "timeUploadedMs": True}}
    a, b, c = door.run(listing(page(entries)), manifest_list)

    assert a.created == datetime.fromtimestamp(MADE / 1000, UTC)
    assert a.uploaded == datetime.fromtimestamp(SENT / 1000, UTC)
    assert [each.date(EARLIEST) for each in (a, b, c)] == [a.created, b.uploaded, None]


@pytest.mark.parametrize(
    "manifest",
    [[], "x", {A: []}, {A: {"tag": "1.4"}}, {A: {"tag": [1]}}, {A: {"tag": {}}}, {A: {"mediaType": 1}}],
    ids=str,
)
def test_tag_80_a_tagged_manifest_is_not_mistaken_for_one_without_a_tag(door: Door, manifest: Any) -> None:
    with pytest.raises(errors.ProtocolError, match="manifest"):
        door.run(listing(page(manifest)), untagged)


def test_tag_80_an_entry_without_a_digest_is_skipped(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    assert door.run(listing(page({"sha256:short": {}, "": {}})), untagged) == ()
    assert "not a valid digest" in caplog.text


def test_tag_80_dates_out_of_range_are_unknown(door: Door) -> None:
    dates = ["9" * 18, "9" * 5000, "-1", "1e3", "\u0661", 1.5, None, [], {}]
    entries = {f"sha256:{number:064}": {"timeCreatedMs": date} for number, date in enumerate(dates)}

    assert {each.created for each in door.run(listing(page(entries)), manifest_list)} == {None}


def test_a_layout_lists_entries_without_a_name(tmp_path: Path) -> None:
    graph = Graph()
    child, alone, named, twice = (graph.image([graph.add(text.encode())]) for text in "abcd")
    outer = graph.index([graph.index([child])])
    graph.artifact([], subject=alone)
    graph.tag(named, "1.4")
    graph.tag(twice, "1.5")
    graph.entries += [child, alone, outer, twice]

    with Layout(graph.write(tmp_path / "layout")) as layout:
        found = layout.source.untagged()

    assert [each.digest for each in found or ()] == [alone["digest"], outer["digest"]]


def test_a_name_of_containerd_is_a_name(tmp_path: Path) -> None:
    graph = Graph()
    graph.entries.append({**graph.image([]), "annotations": {"io.containerd.image.name": "acme/web:1.4"}})

    with Layout(graph.write(tmp_path / "layout")) as layout:
        assert layout.source.untagged() == ()


def test_tag_81_a_damaged_index_hides_what_it_names_so_nothing_is_listed(tmp_path: Path) -> None:
    graph = Graph()
    child = graph.image([])
    index = graph.index([child])
    graph.entries += [child, index]
    folder = graph.write(tmp_path / "layout")
    (folder / "blobs" / index["digest"].replace(":", "/")).write_text("{")

    with Layout(folder) as layout, pytest.raises(errors.LayoutCorruptError, match="damaged"):
        layout.source.untagged()


def test_a_docker_archive_does_not_tell_them() -> None:
    with DockerArchive(ROOT / "fixtures/archives/web.docker.tar") as archive:
        assert archive.source.untagged() is None
