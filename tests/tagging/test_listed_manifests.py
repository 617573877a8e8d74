"""Plans of registries that list all manifests, with their dates (GCR and GAR)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dreg_client import DeleteManifest, TagPlan, Untag
from tests.copying.graphs import Descriptor
from tests.doors import LIBRARIES, Door, repository
from tests.http.documents import served
from tests.tagging.stores import Dated, subject_of
from tests.tagging.test_unreadable import Answer, serving

NOW = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.fixture(params=[False, True], ids=["threads", "asyncio"])
def door(request: pytest.FixtureRequest) -> Door:
    return Door(LIBRARIES[0], request.param)


def milliseconds(text: str) -> str:
    return str(int(datetime.fromisoformat(text).timestamp() * 1000))


def listed(graph: Dated, made: list[Descriptor], **uploaded: str) -> Answer:
    """The tag list of a registry that lists all manifests; `uploaded` are dates by tag."""
    tags = {
        it["annotations"]["org.opencontainers.image.ref.name"]: it["digest"]
        for it in graph.entries
        if "annotations" in it
    }
    entries: dict[str, Any] = {}
    for each in made:
        own = [tag for tag, digest in tags.items() if digest == each["digest"]]
        dates = [milliseconds(uploaded[tag]) for tag in own if tag in uploaded]
        entries[each["digest"]] = {
            "mediaType": each["mediaType"],
            "tag": own,
            "timeUploadedMs": max(dates, default=None),
        }
    body = {"name": "acme/web", "tags": [*tags], "child": [], "manifest": entries}
    return served(json.dumps(body).encode(), "application/json")


def planned(door: Door, graph: Dated, answer: Answer, **options: Any) -> TagPlan:
    handler = serving(graph, {"tags/list": answer})
    found = door.run(handler, lambda registry: repository(registry).plan().prune("nightly-*", **options).make(now=NOW))
    assert isinstance(found, TagPlan)
    return found


def test_images_without_a_date_are_as_old_as_their_upload(door: Door) -> None:
    graph = Dated()
    made = [graph.dated("1970-01-01T00:00:00Z", layer) for layer in ("old", "new", "unknown")]
    for each, tag in zip(made, ("nightly-old", "nightly-new", "nightly-unknown"), strict=True):
        graph.tag(each, tag)
    answer = listed(
        graph, made, **{"nightly-old": "2024-05-01T00:00:00+00:00", "nightly-new": "2024-05-31T00:00:00+00:00"}
    )
    found = planned(door, graph, answer, older_than="14d")

    assert [change.subject for change in found.changes] == [made[0]["digest"]]
    assert [each.tag for each in found.repositories[0].kept] == ["nightly-unknown"]


def test_manifests_without_a_tag_are_pruned_if_nothing_needs_them(door: Door) -> None:
    graph = Dated()
    platform, left = graph.dated("2024-01-01T00:00:00Z", "platform"), graph.dated("2024-01-01T00:00:00Z", "left")
    index = graph.index([platform])
    graph.tag(index, "1.4")
    old_platform = graph.dated("2024-01-01T00:00:00Z", "old platform")
    old_index = graph.index([old_platform])
    sbom = graph.artifact([], subject=subject_of(index))
    orphan = graph.artifact([], subject={**subject_of(index), "digest": f"sha256:{64 * '0'}"}, annotations={"a": "b"})
    answer = listed(graph, [platform, left, index, old_platform, old_index, sbom, orphan])
    found = planned(door, graph, answer, older_than="14d", untagged=True)

    assert {change.subject for change in found.changes} == {left["digest"], old_index["digest"]}
    [deleted] = [it for it in found.changes if isinstance(it, DeleteManifest) and it.digest == old_index["digest"]]
    assert deleted.platforms == (old_platform["digest"],)
    assert [each.tag for each in found.repositories[0].kept] == [orphan["digest"]]


def test_tag_120_an_image_in_an_index_without_a_tag_only_loses_its_tag(door: Door) -> None:
    """GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE"""
    graph = Dated()
    platform = graph.dated("2024-01-01T00:00:00Z", "platform")
    graph.tag(platform, "nightly-1")
    index = graph.index([platform])
    found = planned(door, graph, listed(graph, [platform, index]))

    [change] = found.changes
    assert isinstance(change, Untag)
    assert change.needed_by == f"the index {index['digest'][:19]}"
