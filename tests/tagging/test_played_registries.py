"""The registries that are played for plans of tags delete, list and refuse as the real ones do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Digest, Registry, copy, errors
from tests.copying.graphs import Graph
from tests.faultserver import Heard, Network, network
from tests.foreign.registry import PlayedRegistry, plain


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    (tmp_path / "net").mkdir()
    with network(tmp_path / "net") as up:
        yield up


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    graph = Graph()
    child = graph.image([graph.add(b"a")])
    graph.tag(graph.index([child]), "1.4")
    graph.tag(graph.image([graph.add(b"b")]), "1.3")
    return graph.write(tmp_path / "layout")


def filled(net: Network, layout: Path, profile: str, **more: Any) -> PlayedRegistry:
    registry = plain(net, profile, **more)
    copy(f"oci:{layout}", f"{registry.name}/acme/web", tags="all", plain_http=True)
    registry.host.requests.clear()
    return registry


def opened(registry: PlayedRegistry) -> Registry:
    return Registry(registry.host.url, plain_http=True)


@pytest.mark.parametrize(("profile", "status"), [("olareg", 202), ("distribution3", 202), ("distribution", 400)])
def test_a_tag_is_deleted_and_its_manifest_stays(net: Network, layout: Path, profile: str, status: int) -> None:
    registry = filled(net, layout, profile)
    held = registry.held["acme/web"]
    before = {*held.manifests}
    with opened(registry) as client:
        client.repository("acme/web").untag("1.4")

    assert (*held.tags,) == ("1.3",)
    assert {*held.manifests} == before
    assert len(registry.made("DELETE")) == (1 if status == 202 else 3), "the tag, a digest to probe, a placeholder"


def test_a_registry_without_deletion_refuses_all_of_it(net: Network, layout: Path) -> None:
    registry = filled(net, layout, "undeletable")
    held = registry.held["acme/web"]
    with opened(registry) as client:
        web = client.repository("acme/web")
        with pytest.raises(errors.UnsupportedError):
            web.untag("1.4")
        with pytest.raises(errors.UnsupportedError):
            web.delete_manifest(Digest(held.tags["1.4"]))

    assert {*held.tags} == {"1.3", "1.4"}


def test_google_keeps_manifests_that_a_tag_or_an_index_names(net: Network, layout: Path) -> None:
    registry = filled(net, layout, "gcr")
    held = registry.held["acme/web"]
    index = Digest(held.tags["1.4"])
    [child] = held.named(index)
    with opened(registry) as client:
        web = client.repository("acme/web")
        with pytest.raises(errors.RegistryError, match="GOOGLE_MANIFEST_DANGLING_TAG"):
            web.delete_manifest(index)
        web.untag("1.4")
        with pytest.raises(errors.RegistryError, match="GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE"):
            web.delete_manifest(child)
        web.delete_manifest(index)
        web.delete_manifest(child)

    assert [*held.manifests] == [held.tags["1.3"]]


@pytest.mark.parametrize(("profile", "found"), [("gcr", 2), ("gar", 2), ("distribution3", None)])
def test_google_lists_manifests_without_a_tag(net: Network, layout: Path, profile: str, found: int | None) -> None:
    registry = filled(net, layout, profile)
    held = registry.held["acme/web"]
    index = held.tags["1.4"]
    held.uploaded[index] = 1_700_000_000_000
    del held.tags["1.4"]
    with opened(registry) as client:
        source = client.repository("acme/web").source
        untagged, listed = source.untagged(), source.manifest_list()

    assert (untagged and len(untagged)) == found
    if listed is not None:
        assert {str(each.digest): each.uploaded and each.uploaded.year for each in listed}[index] == 2023


def test_tags_are_listed_in_pages(net: Network, layout: Path) -> None:
    registry = filled(net, layout, "olareg", page=2)
    held = registry.held["acme/web"]
    held.tags |= {f"t{number}": held.tags["1.3"] for number in range(5)}
    with opened(registry) as client:
        assert client.repository("acme/web").tags() == tuple(sorted(held.tags))

    assert len(registry.made("GET", "/tags/")) == 4


def test_another_client_changes_what_is_held_before_a_request(net: Network, layout: Path) -> None:
    registry = filled(net, layout, "olareg")
    held = registry.held["acme/web"]

    def move(heard: Heard) -> None:
        if heard.method == "PUT":
            held.tags["latest"] = held.tags["1.3"]

    registry.before = move
    with opened(registry) as client:
        web = client.repository("acme/web")
        web.tag("1.4", "1.4.2")
        assert web.resolve("latest").digest == held.tags["1.3"]
