"""The watch of a registry notices what must not happen."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dreg_client import Digest, Registry
from dreg_client.tagging.plan import DeleteManifest, RepositoryTagPlan, TagChange, Untag
from tests.faultserver import Network, network
from tests.foreign.registry import plain
from tests.tagging import model
from tests.tagging.repositories import Dated
from tests.tagging.someone import Change
from tests.tagging.watched import REPOSITORY, Allowed, Watch


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    with network(tmp_path) as up:
        yield up


def faults(
    net: Network, changes: list[TagChange], schedule: list[Change], graph: Dated, *, careless: bool
) -> list[str]:
    """What the watch notices while the model applies changes."""
    registry = plain(net, "olareg")
    registry.held[REPOSITORY] = graph.held(lists_referrers=True)
    plan = RepositoryTagPlan(repository="olareg.test:5000/acme/web", changes=tuple(changes))
    watch = Watch(registry, graph, Allowed.by(plan, graph.tags), schedule)
    with Registry(registry.host.url, plain_http=True) as client, watch:
        model.apply(plan, client.repository(REPOSITORY), careless=careless)
    return watch.faults


def two_images() -> Dated:
    graph = Dated()
    graph.tag(graph.dated([], 0, None), "rc1")
    graph.tag(graph.dated([], 1, None), "1.4")
    return graph


@pytest.mark.parametrize("careless", [False, True])
def test_a_tag_that_was_moved_is_not_deleted(net: Network, careless: bool) -> None:
    graph = two_images()
    untag = Untag(tag="rc1", digest=Digest(graph.tags["rc1"]))

    assert bool(faults(net, [untag], [Change("tag", "rc1", 1, 0)], graph, careless=careless)) is careless


@pytest.mark.parametrize("kind", ["tag", "index", "refer"])
@pytest.mark.parametrize("careless", [False, True])
def test_an_image_that_is_needed_is_not_deleted(net: Network, kind: str, careless: bool) -> None:
    graph = two_images()
    delete = DeleteManifest(digest=Digest(graph.tags["rc1"]), tags=("rc1",))
    change = Change(kind, "dev", 0, 0)  # type: ignore[arg-type]

    assert bool(faults(net, [delete], [change], graph, careless=careless)) is careless


def test_a_tag_that_the_plan_does_not_name_is_not_written(net: Network) -> None:
    graph = two_images()
    registry = plain(net, "olareg")
    registry.held[REPOSITORY] = graph.held(lists_referrers=True)
    watch = Watch(registry, graph, Allowed(), [])
    with Registry(registry.host.url, plain_http=True) as client, watch:
        client.repository(REPOSITORY).tag("1.4", "latest")
        client.repository(REPOSITORY).untag("rc1")

    assert len(watch.faults) == 2
