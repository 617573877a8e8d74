# Generated from dreg_client/_async/apply_plan.py by tools/generate_sync.py. Do not edit.
"""Apply plans of tags: each change only if everything is still as the plan says."""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar, Unpack

from dreg_client import errors
from dreg_client._sync.change_record import ChangeRecord
from dreg_client._sync.changes_journal import Journal, journal_of_plan
from dreg_client._sync.in_order import in_order
from dreg_client._sync.plan_stores import PlanStores
from dreg_client._sync.referrers_checks import checked_together
from dreg_client._sync.store import Store
from dreg_client._sync.sync_run import REPOSITORIES_AT_ONCE, SyncRun, in_run
from dreg_client._sync.tag_changes import NewTag, TagChanges
from dreg_client._sync.tag_copies import TagCopies
from dreg_client._sync.tag_deletions import TagDeletions
from dreg_client._sync.uncopied import Removal, Uncopied
from dreg_client.copying.options import CopyOptions
from dreg_client.tagging.plan import (
    AddTag,
    CopyTag,
    DeleteManifest,
    MoveTag,
    RepositoryTagPlan,
    RestoreManifest,
    TagChange,
    TagPlan,
    Untag,
)
from dreg_client.tagging.plan_names import check_names
from dreg_client.tagging.result import ChangesResult, RepositoryChanges

_ADVICE: Final = "this was so when the plan was made; make a new plan"
_ONLY_UNDO: Final = "a plan cannot restore manifests, because it does not contain them; use undo, with the journal"
C = TypeVar("C", AddTag, MoveTag, CopyTag, Untag, DeleteManifest, RestoreManifest)


def apply_plan(
    plan: TagPlan,
    *,
    stores: Iterable[Store] = (),
    journal: str | os.PathLike[str] | None = None,
    **options: Unpack[CopyOptions],
) -> ChangesResult:
    """Apply a plan of tags.

    Each change is made only if everything is still as the plan says. Directly before a tag is written or deleted, a
    HEAD request shows what it names; a layout checks this while it is locked. Registries have no conditional requests,
    so another client can still change the tag in the moment between these two requests. Before manifests are deleted,
    all tags and the indexes that they lead to are read again. A reading of up to 249 tags serves one deletion, and a
    larger one serves a deletion for every 125 tags. Everything else that can be read before it is. What another client
    does in a registry between this reading and the last deletion that it serves is not seen. What another client has
    changed is a `ConflictError` of the result. One failure does not stop the other changes.

    Before a repository is changed, a HEAD request for each copy of its images shows that the copy is still there, even
    if an earlier run made it. What could not be copied, or is no longer there, stays in its source. If a copy was to
    include referrers, nothing of its source is deleted.

    Copies are made first, then new and moved tags, then tags are deleted, then manifests. So an image that gets another
    tag is never without one, even if the process is killed. Four repositories are changed at a time, with at most eight
    changes of each.

    Args:
        plan: The plan.
        stores: Open stores to use for the repositories and layouts of the plan that have the same address. The others
            are opened by their names.
        journal: A file to which each change is written before it is made, with what undoes it. If it exists, and is the
            journal of the same plan, the changes that were not made yet are made. To undo the changes, pass the file to
            `undo`; to continue without the plan, to `resume_plan`.
        **options: The options of `copy` for registries. `deadline` is the time for the whole plan. `on_event` also
            gets a `Changed` event for each change.

    Returns:
        What was changed, and what failed.

    Raises:
        ConfigError: The journal belongs to another plan, is not a journal, or is in use. Or the plan has a name that is
            not valid, such as a repository without its registry.
        FileError: The journal cannot be read or written.

    Source: distribution-spec, "Pushing manifests", "Deleting tags", "Deleting Manifests".

    Example:
        result = apply_plan(plan, journal="changes.jsonl")
        print(len(result.done), *result.failures.values())
    """
    check_names(plan)
    with ExitStack() as stack:
        opened: Journal | None = None
        if journal is not None:
            opened = stack.enter_context(journal_of_plan(journal, plan))
        return apply_recorded(plan, opened, stores, options)


def apply_recorded(
    plan: TagPlan, journal: Journal | None, stores: Iterable[Store], options: CopyOptions
) -> ChangesResult:
    """Apply a plan, with its journal, which is open."""

    def carry_out(run: SyncRun) -> ChangesResult:
        opened = PlanStores(stores, run)
        return Application(run, opened, journal, Uncopied(plan, opened)).apply(plan)

    return in_run(options, carry_out)


@dataclass(slots=True)
class _Part:
    """The plan of a repository while it is applied.

    Attributes:
        plan: The plan.
        record: What becomes of its changes.
        failure: Why nothing can be changed.
    """

    plan: RepositoryTagPlan
    record: ChangeRecord
    failure: errors.DregError | None = None

    def changes(self, kind: type[C]) -> list[C]:
        """Return the changes of a kind that have no outcome yet, in order."""
        return [each for each in self.plan.changes if isinstance(each, kind) and not self.record.is_over(each)]

    def result(self) -> RepositoryChanges:
        """Return what was done. What could not be read when the plan was made is also a failure of the result."""
        failures = {each.tag: errors.DregError(f"{each.reason}; {_ADVICE}") for each in self.plan.failures}
        whole = self.failure or failures.pop(None, None)
        of_tags = {tag: failure for tag, failure in failures.items() if tag is not None}
        return replace(self.record.result(self.plan.changes, of_tags), failure=whole)


class Application:
    """The application of a plan.

    Args:
        run: What all repositories share.
        stores: The stores of the plan.
        journal: The journal; None for none.
        uncopied: What is not removed, because it was not copied.
    """

    def __init__(self, run: SyncRun, stores: PlanStores, journal: Journal | None, uncopied: Uncopied) -> None:
        self._run, self._stores, self._journal, self._uncopied = run, stores, journal, uncopied

    def apply(self, plan: TagPlan) -> ChangesResult:
        """Make all changes. Everything is copied before anything is deleted where it is copied from."""
        parts = [_Part(each, self._record(each)) for each in plan.repositories]
        by_name: dict[str, list[_Part]] = {}
        for part in parts:
            by_name.setdefault(part.plan.repository, []).append(part)
        groups = [*by_name.values()]
        in_order(partial(self._in_turn, self._copy), groups, at_a_time=REPOSITORIES_AT_ONCE)
        self._note_uncopied(parts)
        in_order(partial(self._in_turn, self._change), groups, at_a_time=REPOSITORIES_AT_ONCE)
        return ChangesResult(tuple(part.result() for part in parts))

    def _record(self, plan: RepositoryTagPlan) -> ChangeRecord:
        emit = self._run.totals.of_next()
        record = ChangeRecord(plan.repository, self._journal, emit=emit, lost=self._run.lost)
        record.skip_made(plan.changes)
        return record

    def _in_turn(self, step: Callable[[_Part], None], parts: Sequence[_Part]) -> None:
        """Take a step for each plan of a repository, one after the other."""
        for part in parts:
            if part.failure is not None:
                continue
            try:
                with self._run.place(part.plan.repository):
                    step(part)
            except errors.DregError as failure:
                self._run.lost.add(failure)
                part.failure = failure

    def _copy(self, part: _Part) -> None:
        """Copy what comes from other repositories."""
        if not (copies := part.changes(CopyTag)):
            return
        groups: dict[tuple[str, bool], list[CopyTag]] = {}
        for change in copies:
            groups.setdefault((change.source, change.referrers), []).append(change)
        with self._stores.destination(part.plan.repository, is_new=True) as destination:
            for (name, referrers), changes in groups.items():
                try:
                    with self._stores.source(name) as source:
                        made = TagCopies(self._run, source, destination, part.record, referrers=referrers)
                        made.copy_all(changes)
                        self._uncopied.add(name, made.lost)
                except errors.DregError as failure:
                    self._fail(part, changes, failure)

    def _note_uncopied(self, parts: Sequence[_Part]) -> None:
        for part in parts:
            for change in part.plan.changes:
                if isinstance(change, CopyTag) and (part.failure is not None or change in part.record.failed):
                    self._uncopied.add_failed(part.plan.repository, change)

    def _change(self, part: _Part) -> None:
        """Add and move tags, then delete tags, then delete manifests."""
        self._fail(part, part.changes(RestoreManifest), errors.UnsupportedError(_ONLY_UNDO))
        new: list[NewTag] = [*part.changes(AddTag), *part.changes(MoveTag)]
        if new:
            with self._stores.destination(part.plan.repository, is_new=False) as destination:
                TagChanges(destination, part.record).write_all(new)
        self._protect(part)
        untags, deletions = part.changes(Untag), part.changes(DeleteManifest)
        if not (untags or deletions):
            return
        with self._stores.destination(part.plan.repository, is_new=False) as destination:
            TagChanges(destination, part.record).delete_all(untags, part.plan.changes)
            with checked_together():
                TagDeletions(destination, part.record).delete_all(deletions)

    def _protect(self, part: _Part) -> None:
        """Keep what could not be copied to another repository, or is no longer there."""
        removals: list[Removal] = [*part.changes(Untag), *part.changes(DeleteManifest)]
        self._uncopied.check(part.plan.repository, removals)
        for change in removals:
            if (reason := self._uncopied.reason_to_keep(part.plan.repository, change)) is not None:
                part.record.fail(change, reason)

    def _fail(self, part: _Part, changes: Iterable[TagChange], failure: errors.DregError) -> None:
        for change in changes:
            if not part.record.is_over(change):
                part.record.fail(change, failure)
