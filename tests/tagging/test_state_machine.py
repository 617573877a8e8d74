"""Plans of random repositories are made, applied and undone while another client changes tags at any moment."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from dreg_client import ChangesResult, Layout, Registry, apply_plan, errors, undo
from dreg_client._sync import referrers_checks, referrers_tag, untag
from dreg_client.tagging.plan import CopyTag, DeleteManifest, RepositoryTagPlan, TagPlan
from tests.faultserver import Host, network
from tests.foreign.registry import Held, PlayedRegistry
from tests.foreign.traits import PROFILES
from tests.tagging import model
from tests.tagging.repositories import TAGS, Dated, repositories
from tests.tagging.someone import Change, changes
from tests.tagging.watched import REFERRERS_TAG, REPOSITORY, Allowed, Watch
from tests.tagging.watched_layouts import LayoutWatch, held_by, incomplete
from tests.tagging.wishes import Wish, wishes

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


class Applying:
    """Plans are made, applied and undone; each in the presence of another client."""

    graph: Dated

    @property
    def held(self) -> Held:
        raise NotImplementedError

    @property
    def store(self) -> Any:
        """The open repository or layout."""
        raise NotImplementedError

    def watch(self, allowed: Allowed, schedule: list[Change]) -> Watch | LayoutWatch:
        raise NotImplementedError

    def apply_and_undo(
        self, wished: list[Wish], schedule: list[Change], later: list[Change], is_repeated: bool
    ) -> None:
        before = Held(tags=dict(self.held.tags), manifests=dict(self.held.manifests))
        plan = self.planned(wished)
        if plan is None or plan.is_empty:
            return
        with TemporaryDirectory() as folder:
            journal = Path(folder, "changes.jsonl")
            watch = self.applied(plan, before, schedule, journal)
            if is_repeated:
                watch.made += self.applied(plan, before, [], journal).made
            self.undone(plan, before, later, journal, watch)

    def planned(self, wished: list[Wish]) -> TagPlan | None:
        """The plan; None if it contradicts what there is."""
        planner = self.store.plan()
        for wish in wished:
            wish.add_to(planner, self.graph)
        try:
            return planner.make()  # type: ignore[no-any-return]
        except (errors.ConflictError, errors.NotFoundError):
            return None

    def applied(self, plan: TagPlan, before: Held, schedule: list[Change], journal: Path) -> Watch | LayoutWatch:
        [part] = plan.repositories
        assert not part.failures
        is_first = not journal.exists()
        with self.watch(Allowed.by(part, before.tags), schedule) as watch:
            saved = TagPlan.from_json(plan.to_json())
            result = apply_plan(saved, stores=[self.store], journal=journal, on_event=watch)
        self.report = plan, result
        assert not watch.faults, (plan, watch.faults)
        check_outcomes(part, result)
        if not watch.made and is_first:
            assert not result.failures, (plan, result.failures)
            check_applied(part, before, self.held)
        self.check_complete()
        return watch

    def undone(self, plan: TagPlan, before: Held, later: list[Change], journal: Path, applied: Any) -> None:
        [part] = plan.repositories
        allowed = Allowed.by(part, before.tags)
        with self.watch(Allowed.to_undo(allowed.tags), later) as watch:
            result = undo(journal, stores=[self.store], on_event=watch)
        assert not watch.faults, (self.report, watch.faults)
        assert {type(each) for each in result.failures.values()} <= {errors.ConflictError}, (plan, result.failures)
        assert named(self.held.tags, applied, watch) == named(before.tags, applied, watch), (self.report, result)
        lost = {*before.manifests} - {*self.held.manifests}
        assert not [it for it in lost if it in self.graph.documents], (plan, result)
        self.check_complete()

    def check_complete(self) -> None:
        """Check that everything that tags lead to is there."""
        missing = incomplete(self.held.tags, self.held)
        assert all(map(REFERRERS_TAG.fullmatch, missing)), missing


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


def named(tags: dict[str, str], *watches: Watch) -> dict[str, str]:
    """The tags that another client did not change, without lists of referrers, which may be written anew."""
    touched = {tag for watch in watches for tag in watch.touched}
    return {tag: it for tag, it in tags.items() if tag not in touched and not REFERRERS_TAG.fullmatch(tag)}


def check_outcomes(plan: RepositoryTagPlan, result: ChangesResult) -> None:
    """Check that each change has one outcome, and that only other clients made any fail."""
    [found] = result.repositories
    subjects = [each.subject for each in (*found.done, *found.already)] + [*found.failed]
    assert sorted(subjects) == sorted(each.subject for each in plan.changes)
    assert found.failure is None
    assert {type(each) for each in found.failed.values()} <= {errors.ConflictError}, found.failed


def check_applied(plan: RepositoryTagPlan, before: Held, after: Held) -> None:
    """Check that exactly what a plan says was done."""
    expected = dict(before.tags)
    gone = set[str]()
    for change in plan.changes:
        match change:
            case DeleteManifest():
                gone |= {change.digest, *change.platforms, *change.referrers}
                for tag in (*change.tags, *change.digest_tags):
                    expected.pop(tag)
            case _ if change.action == "untag":
                del expected[change.tag]
            case _:
                assert not isinstance(change, CopyTag)
                expected[change.tag] = change.digest  # type: ignore[union-attr]
    lists = {tag for tag in {*expected, *after.tags} if REFERRERS_TAG.fullmatch(tag)}
    assert {tag: it for tag, it in after.tags.items() if tag not in lists} == {
        tag: it for tag, it in expected.items() if tag not in lists
    }
    assert not gone & {*after.manifests}
    for digest in gone:
        assert digest.replace(":", "-") not in after.tags
    for tag in lists & {*after.tags}:
        raw, _ = after.manifests[after.tags[tag]]
        listed = {it["digest"] for it in json.loads(raw)["manifests"]}
        assert listed == {*after.referrers(tag.replace("-", ":"))}


FEW = settings(max_examples=40, stateful_step_count=3, deadline=None, suppress_health_check=[*HealthCheck])
TestByModel = ByModel.TestCase
TestByModel.settings = settings(FEW, max_examples=20)
TestByRequests = ByRequests.TestCase
TestByRequests.settings = FEW
TestByChanges = ByChanges.TestCase
TestByChanges.settings = FEW
