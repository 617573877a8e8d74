"""A plan is made, applied and undone, and all of it is checked."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dreg_client import ChangesResult, apply_plan, errors, undo
from dreg_client.tagging.plan import CopyTag, DeleteManifest, RepositoryTagPlan, TagPlan
from tests.foreign.registry import Held
from tests.tagging.repositories import Dated
from tests.tagging.someone import Change
from tests.tagging.watched import REFERRERS_TAG, Allowed
from tests.tagging.watched_layouts import incomplete
from tests.tagging.wishes import Wish


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

    def watch(self, allowed: Allowed, schedule: list[Change]) -> Any:
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

    def applied(self, plan: TagPlan, before: Held, schedule: list[Change], journal: Path) -> Any:
        [part] = plan.repositories
        assert not part.failures
        is_first = not journal.exists()
        with self.watch(Allowed.by(part, before.tags), schedule) as watch:
            saved = TagPlan.from_json(plan.to_json())
            result = apply_plan(saved, stores=[self.store], journal=journal, on_event=watch)
        self.report = plan, result
        assert not watch.faults, (plan, watch.faults)
        check_outcomes(part, result)
        if not watch.made and is_first and not is_kept(result):
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


def named(tags: dict[str, str], *watches: Any) -> dict[str, str]:
    """The tags that another client did not change, without lists of referrers, which may be written anew."""
    touched = {tag for watch in watches for tag in watch.touched}
    return {tag: it for tag, it in tags.items() if tag not in touched and not REFERRERS_TAG.fullmatch(tag)}


def check_outcomes(plan: RepositoryTagPlan, result: ChangesResult) -> None:
    """Check that each change has one outcome, and that only other clients made any fail."""
    [found] = result.repositories
    subjects = [each.subject for each in (*found.done, *found.already)] + [*found.failed]
    assert sorted(subjects) == sorted(each.subject for each in plan.changes)
    assert found.failure is None
    others = [each for each in found.failed.values() if not isinstance(each, errors.ConflictError)]
    # What follows from a conflict: the last tag of an image is not deleted before it has its new one.
    assert all("did not get the tag" in str(each) for each in others) or is_kept(result), found.failed


def is_kept(result: ChangesResult) -> bool:
    """Whether the registry keeps a manifest because an index without a tag names it."""
    return any("GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE" in str(each) for each in result.failures.values())


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
