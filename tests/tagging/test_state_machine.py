"""Plans of random repositories are applied and undone while another client changes tags at any moment."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from dreg_client import Registry
from tests.faultserver import Host, network
from tests.foreign.registry import PlayedRegistry
from tests.foreign.traits import PROFILES
from tests.tagging import model
from tests.tagging.repositories import TAGS, Dated, repositories
from tests.tagging.someone import Change, changes
from tests.tagging.watched import REPOSITORY, Allowed, Watch

KINDS = ("olareg", "distribution", "gcr", "distribution3")
"""Registries that delete tags; only digests; digests without tags; tags, without a list of referrers."""
wishes = st.dictionaries(st.sampled_from(TAGS), st.none() | st.integers(0, 20), max_size=4)
HOSTS: dict[str, Host] = {}


@pytest.fixture(scope="module", autouse=True)
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with network(tmp_path_factory.mktemp("net")) as net:
        HOSTS.update({name: net.host(f"{name}.test", scheme="http", port=5000) for name in KINDS})
        yield


class ByModel(RuleBasedStateMachine):
    """The model's way to apply and undo, watched."""

    registry: PlayedRegistry
    graph: Dated

    @initialize(graph=repositories(), kind=st.sampled_from(KINDS))
    def start(self, graph: Dated, kind: str) -> None:
        host = HOSTS[kind]
        host.routes.clear()
        host.requests.clear()
        self.registry, self.graph = PlayedRegistry(host, PROFILES[kind]), graph
        self.registry.held[REPOSITORY] = graph.held(lists_referrers=self.registry.traits.lists_referrers)
        self.client = Registry(host.url, plain_http=True)

    def teardown(self) -> None:
        self.client.close()

    @rule(wanted=wishes, deleted=st.integers(0, 20), schedule=changes, later=changes)
    def apply_and_undo(
        self, wanted: dict[str, int | None], deleted: int, schedule: list[Change], later: list[Change]
    ) -> None:
        tags, made = dict(self.registry.held[REPOSITORY].tags), self.graph.made
        wishes = {tag: None if it is None else str(made[it % len(made)]["digest"]) for tag, it in wanted.items()}
        plan = model.plan_of(self.graph, tags, wishes, deleted)
        repository = self.client.repository(REPOSITORY)
        allowed = Allowed.by(plan, tags)
        with Watch(self.registry, self.graph, allowed, [*schedule]) as watch:
            outcome = model.apply(plan, repository, untags_first=self.registry.traits.keeps_tagged)
        assert not watch.faults, (plan, watch.faults)
        left = dict(self.registry.held[REPOSITORY].tags)
        with Watch(self.registry, self.graph, Allowed.to_undo(outcome.before), [*later]) as undone:
            model.undo(outcome, repository)
        assert not undone.faults, (plan, outcome, undone.faults)
        self.check(tags, left, watch.touched | undone.touched)

    def check(self, tags: dict[str, str], left: dict[str, str], touched: set[str]) -> None:
        now = self.registry.held[REPOSITORY].tags
        untouched = {tag for tag in {*tags, *left, *now} - touched if not tag.startswith("sha256-")}
        assert {tag: now.get(tag) for tag in untouched} == {tag: tags.get(tag) for tag in untouched}


ByModel.TestCase.settings = settings(
    max_examples=40, stateful_step_count=3, deadline=None, suppress_health_check=[*HealthCheck]
)
TestByModel = ByModel.TestCase
