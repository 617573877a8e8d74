# Generated from dreg_client/_async/undo.py by tools/generate_sync.py. Do not edit.
"""Undo the changes of a plan of tags, by their journal."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Unpack, overload

from dreg_client import errors
from dreg_client._sync.change_record import ChangeRecord
from dreg_client._sync.changes_journal import Journal, journal_to_undo
from dreg_client._sync.in_order import in_order
from dreg_client._sync.plan_stores import PlanStores
from dreg_client._sync.ports import Destination
from dreg_client._sync.referrers_checks import checked_together
from dreg_client._sync.restoring import Restoring
from dreg_client._sync.store import Store
from dreg_client._sync.sync_run import REPOSITORIES_AT_ONCE, SyncRun, in_run
from dreg_client._sync.tag_changes import TagChanges
from dreg_client.copying.options import CopyOptions
from dreg_client.protocol.content import RawManifest
from dreg_client.tagging.journal import Attempts
from dreg_client.tagging.plan import (
    AddTag,
    CopyTag,
    MoveTag,
    RepositoryTagPlan,
    RestoreManifest,
    TagChange,
    TagPlan,
    Untag,
)
from dreg_client.tagging.plan_names import check_names
from dreg_client.tagging.result import ChangesResult, RepositoryChanges
from dreg_client.tagging.undoing import undoing
from dreg_client.values.arguments import check_flag
from dreg_client.values.digest import Digest


@overload
def undo(
    journal: str | os.PathLike[str],
    *,
    stores: Iterable[Store] = (),
    dry_run: Literal[False] = False,
    **options: Unpack[CopyOptions],
) -> ChangesResult: ...
@overload
def undo(
    journal: str | os.PathLike[str],
    *,
    stores: Iterable[Store] = (),
    dry_run: Literal[True],
    **options: Unpack[CopyOptions],
) -> TagPlan: ...
def undo(
    journal: str | os.PathLike[str],
    *,
    stores: Iterable[Store] = (),
    dry_run: bool = False,
    **options: Unpack[CopyOptions],
) -> ChangesResult | TagPlan:
    """Undo the changes that `apply_plan` has made, by their journal, the last ones first.

    A tag is put back only if it is still as the journal left it; otherwise, it is a `ConflictError` of the result.
    Manifests that were deleted are put back before their tags, from the journal. A registry accepts them as long as it
    has their blobs: run its garbage collection later. Images that were copied from another repository lose the tag that
    they got, but stay, and so do signatures that were copied with them.

    The journal also records what was undone. After an interruption, call it again: the rest is undone.

    Args:
        journal: The file.
        stores: Open stores to use for the repositories and layouts of the journal that have the same address. The
            others are opened by their names.
        dry_run: Whether to only return the changes that would be made. No request is sent.
        **options: The options of `copy` for registries. `deadline` is the time for everything. `on_event` also gets a
            `Changed` event for each change.

    Returns:
        What was changed, and what failed; with `dry_run`, a plan of what would be changed. If it has a
        `RestoreManifest`, only `undo` can make it.

    Raises:
        ConfigError: It is not a journal, or is in use. Or its plan has a name that is not valid, or it has a step that
            is not a change of its plan.
        FileError: The journal does not exist, or cannot be read or written.

    Example:
        result = undo("changes.jsonl")
        print(len(result.done), *result.failures.values())
    """
    check_flag("dry_run", dry_run)
    with journal_to_undo(journal) as opened:
        if opened.record.start is not None:
            check_names(opened.record.start.contents, str(journal))
        parts = _parts(opened)
        if dry_run:
            return TagPlan(repositories=tuple(part.plan for part in parts))

        def carry_out(run: SyncRun) -> ChangesResult:
            undone = partial(_undone, run, PlanStores(stores, run), opened)
            return ChangesResult(tuple(in_order(undone, parts, at_a_time=REPOSITORIES_AT_ONCE)))

        return in_run(options, carry_out)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is undone in a repository: the changes, and what each of them undoes."""

    plan: RepositoryTagPlan
    undone: Mapping[TagChange, Attempts]

    def manifests(self, change: TagChange) -> dict[Digest, RawManifest]:
        """Return the manifests that the journal has for a change."""
        return {digest: kept.manifest() for digest, kept in self.undone[change].manifests.items()}

    def tags(self, change: TagChange) -> Mapping[str, Digest]:
        """Return the tags that were deleted, with their digests."""
        return self.undone[change].tags


def _parts(journal: Journal) -> list[_Part]:
    """Return what is to be undone, by repository."""
    found: dict[str, dict[TagChange, Attempts]] = {}
    for each in journal.record.to_undo():
        if isinstance(each.change, CopyTag) and each.change.missing:
            continue  # signatures that were copied stay
        found.setdefault(each.repository, {})[undoing(each.change, each.tags)] = each
    return [
        _Part(RepositoryTagPlan(repository=name, changes=_sorted([*changes])), changes)
        for name, changes in found.items()
    ]


def _sorted(changes: Sequence[TagChange]) -> tuple[TagChange, ...]:
    order = ("restore", "tag", "move", "untag")
    return tuple(sorted(changes, key=lambda change: order.index(change.action)))


def _undone(run: SyncRun, stores: PlanStores, journal: Journal, part: _Part) -> RepositoryChanges:
    name, numbers = part.plan.repository, {change: each.number for change, each in part.undone.items()}
    record = ChangeRecord(name, journal, emit=run.totals.of_next(), lost=run.lost, undoes=numbers)
    failure: errors.DregError | None = None
    try:
        with run.place(name), stores.destination(name, is_new=False) as destination, checked_together():
            _undo_all(destination, record, part)
    except errors.DregError as fault:
        run.lost.add(fault)
        failure = fault
    return replace(record.result(part.plan.changes, {}), failure=failure)


def _undo_all(destination: Destination, record: ChangeRecord, part: _Part) -> None:
    restored = [each for each in part.plan.changes if isinstance(each, RestoreManifest)]
    Restoring(destination, record, part.manifests, part.tags).restore_all(restored)
    new = [each for each in part.plan.changes if isinstance(each, AddTag | MoveTag)]
    kept: dict[Digest, RawManifest] = {}
    for each in new:
        try:
            kept |= part.manifests(each)
        except errors.DregError as failure:  # the journal was changed
            record.fail(each, failure)
    changes = TagChanges(destination, record, kept)
    changes.write_all(new)
    changes.delete_all([each for each in part.plan.changes if isinstance(each, Untag)])
