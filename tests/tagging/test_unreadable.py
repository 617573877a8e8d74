"""What cannot be read is a failure of its tag, is left as it is, and protects all manifests."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from dreg_client import DeleteManifest, TagPlan, Untag
from tests.copying.graphs import CONFIG, INDEX, MANIFEST, Descriptor, Graph
from tests.doors import LIBRARIES, Door, repository
from tests.http.documents import refusal, served
from tests.tagging.stores import Dated, subject_of

NOW = datetime(2024, 6, 1, tzinfo=UTC)
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture(params=[False, True], ids=["threads", "asyncio"])
def door(request: pytest.FixtureRequest) -> Door:
    return Door(LIBRARIES[0], request.param)


def serving(graph: Graph, others: Mapping[str, Answer] | None = None) -> Callable[[Any], Answer]:
    """A registry with a graph, and other answers for some paths below the repository."""
    tags = {
        it["annotations"]["org.opencontainers.image.ref.name"]: it["digest"]
        for it in graph.entries
        if "annotations" in it
    }

    def answer(request: Any) -> Answer:
        kind, _, name = request.url.path.removeprefix("/v2/acme/web/").partition("/")
        if (other := (others or {}).get(f"{kind}/{name}")) is not None:
            return other
        if kind == "tags":
            return served(json.dumps({"name": "acme/web", "tags": [*tags]}).encode(), "application/json")
        if kind == "referrers":
            return served(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode(), INDEX)
        digest = tags.get(name, name)
        if digest not in graph.blobs:
            return refusal(404, "MANIFEST_UNKNOWN")
        raw = graph.blobs[digest]
        media_type = json.loads(raw).get("mediaType", "application/octet-stream") if kind == "manifests" else CONFIG
        status, headers, body = served(raw, media_type, Docker_Content_Digest=digest)
        return status, headers, b"" if request.method == "HEAD" else body

    return answer


def planned(door: Door, graph: Graph, others: Mapping[str, Answer], change: Callable[[Any], Any]) -> TagPlan:
    found = door.run(serving(graph, others), lambda registry: change(repository(registry).plan()).make(now=NOW))
    assert isinstance(found, TagPlan)
    return found


def prune(planner: Any) -> Any:
    return planner.prune("nightly-*", older_than="1d")


def nightly(**others: str) -> Dated:
    graph = Dated()
    graph.tagged("nightly-1", "2024-05-01T00:00:00Z", layer="nightly")
    for tag, layer in others.items():
        graph.tagged(tag, "2024-05-01T00:00:00Z", layer=layer)
    return graph


def protected(made: TagPlan, unread: str) -> None:
    """Check that nothing is deleted, and that it is said why."""
    assert made.is_empty
    [found] = made.repositories
    assert found.failures
    [kept] = [each for each in found.kept if each.tag == "nightly-1"]
    assert kept.reason == f"no image is deleted, because {unread} cannot be read"


def test_tag_50_nothing_is_deleted_if_a_tag_cannot_be_read(door: Door) -> None:
    made = planned(door, nightly(stable="1"), {"manifests/stable": refusal(400, "TAG_INVALID")}, prune)

    protected(made, "stable")
    assert [each.tag for each in made.repositories[0].failures] == ["stable"]


def test_tag_50_a_tag_is_still_removed_from_an_image_that_keeps_another_one(door: Door) -> None:
    graph = nightly(stable="1")
    graph.tag(graph.dated("2024-05-01T00:00:00Z", "nightly"), "kept")
    [found] = planned(door, graph, {"manifests/stable": refusal(400, "TAG_INVALID")}, prune).changes

    assert isinstance(found, Untag)
    assert (found.tag, found.other_tags) == ("nightly-1", ("kept",))


def test_tag_51_nothing_is_deleted_if_an_index_cannot_be_read(door: Door) -> None:
    graph = nightly()
    index = graph.index([graph.dated()])
    graph.tag(index, "1.4")
    for broken in (b'{"schemaVersion": 2, "manifests": 1}', b"{", b"null"):
        protected(planned(door, graph, {f"manifests/{index['digest']}": served(broken, INDEX)}, prune), "1.4")


def test_tag_51_nothing_is_deleted_if_an_index_in_an_index_cannot_be_read(door: Door) -> None:
    graph = nightly()
    inner = graph.index([graph.dated()])
    graph.tag(graph.index([inner]), "1.4")

    protected(planned(door, graph, {f"manifests/{inner['digest']}": refusal(400)}, prune), inner["digest"][:19])


def test_tag_51_an_image_that_only_an_index_names_protects_nothing(door: Door) -> None:
    graph = nightly()
    platform = graph.dated(layer="platform")
    graph.tag(graph.index([platform]), "1.4")
    made = planned(door, graph, {f"manifests/{platform['digest']}": served(b"{}", MANIFEST)}, prune)

    assert [change.subject for change in made.changes] == [graph.entries[0]["digest"]]
    assert [each.tag for each in made.repositories[0].failures] == ["1.4"]


def test_tag_52_nothing_is_deleted_if_indexes_are_nested_too_deep(door: Door) -> None:
    graph = nightly()
    made: Descriptor = graph.dated(layer="platform")
    for _ in range(11):
        made = graph.index([made])
    graph.tag(made, "1.4")
    found = planned(door, graph, {}, prune)

    assert found.is_empty
    assert "nested" in found.repositories[0].failures[0].reason


def test_tag_53_nothing_is_deleted_if_its_referrers_cannot_be_listed(door: Door) -> None:
    graph = nightly()
    [image] = [it["digest"] for it in graph.entries]

    protected(planned(door, graph, {f"referrers/{image}": served(b"[]", INDEX)}, prune), "nightly-1")


def test_tag_54_a_tag_that_is_listed_but_does_not_exist_changes_nothing(door: Door) -> None:
    made = planned(door, nightly(gone="1"), {"manifests/gone": refusal(404, "MANIFEST_UNKNOWN")}, prune)

    assert len(made.changes) == 1
    assert not made.repositories[0].failures


def test_tag_55_a_tag_whose_config_cannot_be_read_is_left_as_it_is(door: Door) -> None:
    graph = Dated()
    graph.tagged("nightly-1", "2024-05-01T00:00:00Z", layer="1")
    graph.tagged("nightly-2", "2024-05-02T00:00:00Z", layer="2")
    config = json.loads(graph.blobs[graph.entries[1]["digest"]])["config"]["digest"]
    made = planned(door, graph, {f"blobs/{config}": served(b"other bytes", CONFIG)}, prune)

    assert [change.subject for change in made.changes] == [graph.entries[0]["digest"]]
    assert [each.tag for each in made.repositories[0].failures] == ["nightly-2"]


@pytest.mark.parametrize(
    "date", ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "1979-12-31T23:59:60Z", "1980-01-01T00:00:00Z"]
)
def test_tag_56_dates_before_1980_are_unknown(door: Door, date: str) -> None:
    graph = Dated()
    graph.tagged("nightly-1", date)
    made = planned(door, graph, {}, prune)

    assert made.is_empty
    assert [each.tag for each in made.repositories[0].kept] == ["nightly-1"]


@pytest.mark.parametrize("date", ["9999-12-31T23:59:60Z", "9999-12-31T23:59:59-23:59"])
def test_tag_56_dates_in_the_future_are_not_old(door: Door, date: str) -> None:
    graph = Dated()
    graph.tagged("nightly-1", date)

    assert planned(door, graph, {}, prune).is_empty


def test_tag_57_platforms_that_do_not_exist_are_left_out(door: Door) -> None:
    graph = nightly()
    missing = {**graph.dated(layer="missing")}
    index = graph.index([graph.dated("2024-05-01T00:00:00Z", "platform"), missing])
    graph.tag(index, "nightly-2")
    del graph.blobs[missing["digest"]]
    made = planned(door, graph, {}, prune)

    assert {change.subject for change in made.changes} == {graph.entries[0]["digest"], index["digest"]}
    assert missing["digest"] not in made.to_json()


def test_tag_58_a_list_of_referrers_that_names_itself_is_read_once(door: Door) -> None:
    graph = nightly()
    image = graph.entries[0]
    entries = [{**subject_of(image)}]
    listed = served(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode(), INDEX)
    made = planned(door, graph, {f"referrers/{image['digest']}": listed}, prune)

    [found] = made.changes
    assert isinstance(found, DeleteManifest)
    assert (found.digest, found.referrers) == (image["digest"], ())


@pytest.mark.parametrize("annotations", [["x"], "x", {"org.opencontainers.image.created": 1}])
def test_tag_59_annotations_of_a_manifest_list_are_no_dates(door: Door, annotations: Any) -> None:
    graph = Dated()
    entry = {**graph.dated(), "platform": {"os": "linux", "architecture": "amd64"}}
    kind = "application/vnd.docker.distribution.manifest.list.v2+json"
    body = {"schemaVersion": 2, "mediaType": kind, "manifests": [entry], "annotations": annotations}
    graph.tag(graph.add(json.dumps(body).encode(), kind), "nightly-1")
    made = planned(door, graph, {}, prune)

    assert made.is_empty
    assert [each.tag for each in made.repositories[0].kept] == ["nightly-1"]
