# Generated from dreg_client/_async/resume_plan.py by tools/generate_sync.py. Do not edit.
"""Continue plans of tags by their journals alone."""

import os
from collections.abc import Iterable
from typing import Literal, Unpack, overload

from dreg_client._sync.apply_plan import apply_recorded
from dreg_client._sync.changes_journal import journal_to_resume
from dreg_client._sync.store import Store
from dreg_client.copying.options import CopyOptions
from dreg_client.tagging.plan import TagPlan
from dreg_client.tagging.plan_names import check_names
from dreg_client.tagging.result import ChangesResult
from dreg_client.values.arguments import check_flag


@overload
def resume_plan(
    journal: str | os.PathLike[str],
    *,
    stores: Iterable[Store] = (),
    dry_run: Literal[False] = False,
    **options: Unpack[CopyOptions],
) -> ChangesResult: ...
@overload
def resume_plan(
    journal: str | os.PathLike[str],
    *,
    stores: Iterable[Store] = (),
    dry_run: Literal[True],
    **options: Unpack[CopyOptions],
) -> TagPlan: ...
def resume_plan(
    journal: str | os.PathLike[str],
    *,
    stores: Iterable[Store] = (),
    dry_run: bool = False,
    **options: Unpack[CopyOptions],
) -> ChangesResult | TagPlan:
    """Continue a plan of tags that was interrupted, by its journal.

    The journal contains the plan. The changes that were not made yet are made, as by `apply_plan` with the same plan
    and the same journal.

    Args:
        journal: The file.
        stores: Open stores to use for the repositories and layouts of the plan that have the same address. The others
            are opened by their names.
        dry_run: Whether to only return the changes that are left. No request is sent.
        **options: The options of `copy` for registries. `deadline` is the time for the rest of the plan. `on_event`
            also gets a `Changed` event for each change.

    Returns:
        What was changed, and what failed; changes that were made before are `already`. With `dry_run`, a plan of the
        changes that are left.

    Raises:
        ConfigError: It is not a journal, its changes were undone, or it is in use. Or its plan has a name that is not
            valid.
        FileError: The journal does not exist, or cannot be read or written.

    Source: distribution-spec, "Pushing manifests", "Deleting tags", "Deleting Manifests".

    Example:
        result = resume_plan("changes.jsonl")
        print(len(result.done), *result.failures.values())
    """
    check_flag("dry_run", dry_run)
    with journal_to_resume(journal) as (opened, plan):
        check_names(plan, str(journal))
        if dry_run:
            return opened.record.left_of(plan)
        return apply_recorded(plan, opened, stores, options)
