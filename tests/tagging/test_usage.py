"""How much space tags use, over layouts and Debian's docker-registry."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from dreg_client import AsyncLayout, Usage, errors, open_store
from tests.copying.graphs import Graph
from tests.registries import RunningRegistry
from tests.tagging.stores import Dated, Push, Requests, digest_tag_of, pushed, subject_of


def usage(name: str) -> Usage:
    with open_store(name) as store:
        return store.usage()


def size_of(graph: Graph, *roots: str) -> int:
    return sum(len(graph.blobs[digest]) for digest in graph.closure(roots, referrers=True))


def test_each_blob_counts_once(push: Push) -> None:
    graph = Dated()
    one, two = graph.tagged("1", layer=1000 * "x"), graph.tagged("2", "2024-05-01T00:00:00Z", layer=1000 * "x")
    found = usage(push(graph))
    tags = sorted(found.tags, key=lambda it: it.tag)

    assert found.size == size_of(graph, one, two)
    assert [each.size for each in tags] == [size_of(graph, one), size_of(graph, two)]
    assert [each.shared_size for each in tags] == [1000, 1000]
    assert [each.freed_size for each in tags] == [size_of(graph, one) - 1000, size_of(graph, two) - 1000]
    assert (found.oldest, found.newest) == (datetime(2024, 5, 1, tzinfo=UTC),) * 2


def test_what_another_tag_needs_is_not_freed(push: Push) -> None:
    graph = Dated()
    platform = graph.dated()
    graph.tag(platform, "amd64")
    graph.tag(graph.index([platform, graph.dated(architecture="arm64")]), "multi")
    graph.tagged("1", layer="twice")
    graph.tagged("2", layer="twice")
    found = {each.tag: each for each in usage(push(graph)).tags}

    assert found["amd64"].freed_size == 0
    assert found["1"].other_tags == ("2",)
    assert found["1"].freed_size == 0
    assert found["multi"].freed_size is not None
    assert 0 < found["multi"].freed_size < (found["multi"].size or 0)


def test_platforms_have_their_own_sizes_and_dates(push: Push) -> None:
    graph = Dated()
    platforms = [graph.dated("2024-05-01T00:00:00Z", "a"), graph.dated("2024-05-02T00:00:00Z", "bb", "arm64")]
    index = graph.index(platforms)
    graph.tag(index, "multi")
    [found] = usage(push(graph)).tags

    assert [(str(each.platform), each.size) for each in found.platforms] == [
        ("linux/amd64", size_of(graph, platforms[0]["digest"])),
        ("linux/arm64", size_of(graph, platforms[1]["digest"])),
    ]
    assert found.size == found.freed_size == size_of(graph, index["digest"])
    assert (found.oldest, found.created) == (datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 2, tzinfo=UTC))


def test_referrers_and_digest_tags_are_freed_with_their_image(tmp_path: Path) -> None:
    graph = Dated()
    image = graph.dated()
    graph.tag(image, "1.4")
    graph.artifact([], subject=subject_of(image))
    signature = graph.signature("signature")
    graph.tag(signature, digest_tag_of(image))
    found = usage(f"oci:{graph.write(tmp_path / 'layout')}")

    [tag] = found.tags
    assert tag.freed_size == found.size == sum(map(len, graph.blobs.values()))
    assert found.digest_tags == (digest_tag_of(image),)


def test_an_image_with_a_tagged_referrer_is_not_freed(push: Push) -> None:
    graph = Dated()
    image = graph.dated()
    graph.tag(image, "1.4")
    graph.tag(graph.artifact([], subject=subject_of(image)), "sbom")
    found = {each.tag: each.freed_size for each in usage(push(graph)).tags}

    assert found["1.4"] == 0
    assert found["sbom"]


def test_a_tag_that_cannot_be_read_is_a_failure_and_nothing_else_stops(tmp_path: Path) -> None:
    graph = Dated()
    graph.tagged("1", layer="1")
    broken = graph.tagged("2", layer="2")
    graph.blobs[broken] = b"{}"
    layout = graph.write(tmp_path / "layout")

    async def read() -> Usage:
        async with AsyncLayout(layout) as store:
            return await store.usage()

    for found in (usage(f"oci:{layout}"), asyncio.run(read())):
        assert [each.tag for each in found.tags] == ["1"]
        assert found.tags[0].freed_size is None
        assert isinstance(found.failures["2"], errors.IntegrityError)


def test_nothing_is_requested_twice(registry: RunningRegistry, tmp_path: Path) -> None:
    graph = Dated()
    for tag in ("1", "2", "3"):
        graph.tagged(tag, "2024-05-01T00:00:00Z", layer="same")
    name, requests = pushed(graph, registry, tmp_path), Requests()
    with open_store(name, on_event=requests) as store:
        store.usage()

    assert sorted(requests.all) == sorted({*requests.all})
    assert len(requests.made("HEAD")) == 3
    assert len(requests.made("GET manifests/sha256:")) == len(requests.made("GET blobs/")) == 1


def test_the_image_that_would_free_the_most_is_first_even_with_several_tags(push: Push) -> None:
    graph = Dated()
    graph.tagged("small", layer="x")
    large = graph.tagged("large", layer=5000 * "x")
    graph.tag(graph.dated(layer=5000 * "x"), "latest")
    graph.tagged("middle", layer=100 * "x")
    found = usage(push(graph)).tags

    assert {each.tag for each in found[:2]} == {"large", "latest"}
    assert [each.tag for each in found[2:]] == ["middle", "small"]
    assert [each.freed_size for each in found[:2]] == [0, 0]
    assert {each.image_freed_size for each in found[:2]} == {size_of(graph, large) - (found[0].shared_size or 0)}
    assert found[2].image_freed_size == found[2].freed_size
