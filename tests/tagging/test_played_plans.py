"""Plans over registries that are played: what random plans have found, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Digest, Registry, Repository, apply_plan, errors, undo
from dreg_client._sync import referrers_checks, referrers_tag, untag
from tests.faultserver import Heard, network
from tests.foreign.registry import Held, PlayedRegistry, plain
from tests.tagging.repositories import Dated
from tests.tagging.watched import REPOSITORY


@dataclass
class Played:
    """A registry with images, and its repository."""

    registry: PlayedRegistry
    repository: Repository
    journal: Path

    @property
    def held(self) -> Held:
        return self.registry.held[REPOSITORY]

    def apply(self, planner: Any) -> Any:
        """Make a plan, and apply it."""
        return apply_plan(planner.make(), stores=[self.repository], journal=self.journal)

    def undo(self) -> Any:
        return undo(self.journal, stores=[self.repository])


class Plays:
    """Starts registries."""

    def __init__(self, net: Any, folder: Path) -> None:
        self._net, self._folder, self._clients = net, folder, list[Registry]()

    def __call__(self, profile: str, graph: Dated, **traits: Any) -> Played:
        registry = plain(self._net, profile, **traits)
        registry.held[REPOSITORY] = graph.held(lists_referrers=registry.traits.lists_referrers)
        client = Registry(registry.host.url, plain_http=True)
        self._clients.append(client)
        return Played(registry, client.repository(REPOSITORY), self._folder / f"{profile}.jsonl")

    def close(self) -> None:
        for client in self._clients:
            client.close()


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plays]:
    for module in (untag, referrers_tag, referrers_checks):
        monkeypatch.setattr(module, "sleep", lambda _: None)
    (tmp_path / "net").mkdir()
    with network(tmp_path / "net") as net:
        plays = Plays(net, tmp_path)
        yield plays
        plays.close()


@pytest.mark.parametrize("profile", ["olareg", "distribution3"])
def test_tag_82_a_list_of_referrers_does_not_need_the_referrer_that_is_deleted(play: Plays, profile: str) -> None:
    graph = Dated()
    image = graph.dated([], 0, None)
    first, second = (graph.referrer(image, number) for number in range(2))
    graph.tag(image, "1.4")
    played = play(profile, graph)
    result = played.apply(played.repository.plan().delete_manifest(Digest(first["digest"])))

    assert not result.failures
    assert [each.digest for each in played.repository.referrers(image["digest"])] == [second["digest"]]
    played.undo()
    assert {each.digest for each in played.repository.referrers(image["digest"])} == {first["digest"], second["digest"]}


def test_tag_83_what_another_client_has_set_meanwhile_does_not_stop_the_rest_of_undo(play: Plays) -> None:
    graph = Dated()
    image, other = graph.dated([], 0, None), graph.dated([], 1, None)
    graph.tag(image, "rc1")
    graph.tag(other, "1.4")
    signature = f"{image['digest'].replace(':', '-')}.sig"
    graph.tag(graph.signature("signature"), signature)
    played = play("olareg", graph)
    signed = played.held.tags[signature]
    played.apply(played.repository.plan().prune("rc*"))
    assert {*played.held.tags} == {"1.4"}
    played.held.tags["rc1"] = other["digest"]
    result = played.undo()

    assert [type(each) for each in result.failures.values()] == [errors.ConflictError]
    assert played.held.tags == {"1.4": other["digest"], "rc1": other["digest"], signature: signed}
    assert image["digest"] in played.held.manifests


def test_tag_84_a_tag_that_moves_while_a_placeholder_is_prepared_is_not_deleted(play: Plays) -> None:
    graph = Dated()
    image, other = graph.dated([], 0, None), graph.dated([], 1, None)
    graph.tag(image, "rc1")
    graph.tag(image, "1.4")
    graph.tag(other, "1.3")
    played = play("distribution", graph)
    plan = played.repository.plan().untag("rc1").make()

    def move(heard: Heard) -> None:
        # The request after the one that the registry does not support.
        if heard.method == "GET" and heard.path.endswith("/manifests/rc1"):
            played.held.tags["rc1"] = other["digest"]
            played.registry.before = lambda _: None

    played.registry.before = move
    result = apply_plan(plan, stores=[played.repository], journal=played.journal)

    assert [type(each) for each in result.failures.values()] == [errors.ConflictError]
    assert played.held.tags["rc1"] == other["digest"]
