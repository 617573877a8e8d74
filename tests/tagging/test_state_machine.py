"""Plans of random repositories are made, applied and undone while another client changes tags at any moment."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from dreg_client import Layout, Registry
from dreg_client._sync import referrers_checks, referrers_tag, untag
from tests.faultserver import Host, network
from tests.foreign.registry import Held, PlayedRegistry
from tests.foreign.traits import PROFILES
from tests.tagging import model
from tests.tagging.applying import Applying, named
from tests.tagging.repositories import TAGS, Dated, repositories
from tests.tagging.someone import Change, changes
from tests.tagging.watched import REPOSITORY, Allowed, Watch
from tests.tagging.watched_layouts import LayoutWatch, held_by
from tests.tagging.wishes import wishes

KINDS = ("olareg", "distribution", "gcr", "distribution3")
"""Registries that delete tags; only digests; digests without tags; tags, without a list of referrers."""
HOSTS: dict[str, Host] = {}
names = st.dictionaries(st.sampled_from(TAGS), st.none() | st.integers(0, 20), max_size=4)


@pytest.fixture(scope="module", autouse=True)
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Registries that respond at once; the client does not wait for changes that come late."""
    with network(tmp_path_factory.mktemp("net")) as net, pytest.MonkeyPatch.context() as patch:
        for module in (untag, referrers_tag, referrers_checks):
            patch.setattr(module, "sleep", lambda _: None)
        HOSTS.update({name: net.host(f"{name}.test", scheme="http", port=5000) for name in KINDS})
        yield


class Machine(RuleBasedStateMachine):
    """A repository of a registry, and a client of it."""

    registry: PlayedRegistry
    graph: Dated
    client: Registry | None = None

    @initialize(graph=repositories(), kind=st.sampled_from(KINDS))
    def start(self, graph: Dated, kind: str) -> None:
        host = HOSTS[kind]
        host.routes.clear()
        host.requests.clear()
        self.registry, self.graph = PlayedRegistry(host, PROFILES[kind]), graph
        self.registry.held[REPOSITORY] = graph.held(lists_referrers=self.registry.traits.lists_referrers)
        self.client = Registry(host.url, plain_http=True)

    def teardown(self) -> None:
        if self.client is not None:
            self.client.close()

    @property
    def held(self) -> Held:
        return self.registry.held[REPOSITORY]

    def watch(self, allowed: Allowed, schedule: list[Change]) -> Watch:
        return Watch(self.registry, self.graph, allowed, [*schedule])


class ByModel(Machine):
    """The model applies plans, and undoes them."""

    @rule(wanted=names, deleted=st.integers(0, 20), schedule=changes, later=changes)
    def apply_and_undo(
        self, wanted: dict[str, int | None], deleted: int, schedule: list[Change], later: list[Change]
    ) -> None:
        assert self.client is not None
        tags, made = dict(self.held.tags), self.graph.made
        wishes = {tag: None if it is None else str(made[it % len(made)]["digest"]) for tag, it in wanted.items()}
        plan = model.plan_of(self.graph, tags, wishes, deleted)
        repository = self.client.repository(REPOSITORY)
        with self.watch(Allowed.by(plan, tags), schedule) as watch:
            outcome = model.apply(plan, repository, untags_first=self.registry.traits.keeps_tagged)
        assert not watch.faults, (plan, watch.faults)
        with self.watch(Allowed.to_undo(outcome.before), later) as undone:
            model.undo(outcome, repository)
        assert not undone.faults, (plan, outcome, undone.faults)
        assert named(self.held.tags, watch, undone) == named(tags, watch, undone)


class ByRequests(Applying, Machine):
    """A repository of a registry; another client makes its changes before any request."""

    @rule(wished=wishes, schedule=changes, later=changes, is_repeated=st.booleans())
    def apply_and_undo(self, **drawn: Any) -> None:
        super().apply_and_undo(**drawn)

    @property
    def held(self) -> Held:
        return self.registry.held[REPOSITORY]

    @property
    def store(self) -> Any:
        assert self.client is not None
        return self.client.repository(REPOSITORY)

    def watch(self, allowed: Allowed, schedule: list[Change]) -> Watch:
        return Watch(self.registry, self.graph, allowed, [*schedule])


class ByChanges(Applying, RuleBasedStateMachine):
    """A layout; another client makes its changes between any two changes."""

    folder: TemporaryDirectory[str] | None = None

    @initialize(graph=repositories())
    def start(self, graph: Dated) -> None:
        self.folder, self.graph = TemporaryDirectory(), graph
        self.path = graph.write(Path(self.folder.name, "layout"))
        self.layout = Layout(self.path)

    def teardown(self) -> None:
        if self.folder is not None:
            self.layout.close()
            self.folder.cleanup()

    @rule(wished=wishes, schedule=changes, later=changes, is_repeated=st.booleans())
    def apply_and_undo(self, **drawn: Any) -> None:
        super().apply_and_undo(**drawn)

    @property
    def held(self) -> Held:
        return held_by(self.path)

    @property
    def store(self) -> Layout:
        return self.layout

    def watch(self, allowed: Allowed, schedule: list[Change]) -> LayoutWatch:
        return LayoutWatch(self.path, self.graph, allowed, [*schedule])


FEW = settings(max_examples=40, stateful_step_count=3, deadline=None, suppress_health_check=[*HealthCheck])
TestByModel = ByModel.TestCase
TestByModel.settings = settings(FEW, max_examples=20)
TestByRequests = ByRequests.TestCase
TestByRequests.settings = FEW
TestByChanges = ByChanges.TestCase
TestByChanges.settings = FEW
