"""What changed between making a plan and applying it."""

from collections.abc import Mapping

from dreg_client.copying.sync_options import SyncChoice
from dreg_client.copying.sync_plan import RepositoryPlan
from dreg_client.copying.tag_filter import TagFilter
from dreg_client.errors import ConflictError, DregError
from dreg_client.values.digest import Digest
from dreg_client.values.platform import Platform


def choice_of_plan(plan: RepositoryPlan) -> SyncChoice:
    """Return what to compare again."""
    planned = {each.tag for each in plan.copies} | {each.tag for each in plan.removals}
    if plan.removals or plan.referrers:  # skipped tags show that the list of the source is not empty
        planned.update(each.tag for each in plan.skips)
    return SyncChoice(
        tags=TagFilter(where=planned.__contains__),
        prune=bool(plan.removals),
        allow_empty=plan.allow_empty,
        platforms=tuple(map(Platform.from_name, plan.platforms)),
        referrers=plan.referrers,
    )


def changed_copies(
    plan: RepositoryPlan, sources: Mapping[str, Digest], current: Mapping[str, Digest], wanted: Mapping[str, Digest]
) -> dict[str, ConflictError]:
    """Return the tags that must not be copied, and why.

    Args:
        plan: The plan.
        sources: The digests of the source.
        current: The digests of the destination.
        wanted: The digests that the destination is to have.
    """
    changed: dict[str, ConflictError] = {}
    for each in plan.copies:
        now, there = sources.get(each.tag), current.get(each.tag)
        if now != each.digest:
            changed[each.tag] = _changed("source", each.tag, each.digest, now)
        elif there not in {each.replaces, wanted.get(each.tag)}:
            changed[each.tag] = _changed("destination", each.tag, each.replaces, there)
    return changed


def changed_removals(plan: RepositoryPlan, removals: Mapping[str, Digest]) -> dict[str, ConflictError]:
    """Return the tags that must not be removed, because they name another manifest than planned."""
    found = ((each, removals.get(each.tag)) for each in plan.removals)
    return {
        each.tag: _changed("destination", each.tag, each.digest, now)
        for each, now in found
        if now is not None and now != each.digest
    }


def planned_failures(plan: RepositoryPlan) -> dict[str | None, DregError]:
    """Return what could not be compared when the plan was made, by tag; by None if it is the whole repository."""
    advice = "this was so when the plan was made; make a new plan"
    unknown: dict[str | None, DregError] = {None: DregError(f"{plan.not_planned}; make a new plan")}
    failures = {each.tag: DregError(f"{each.reason}; {advice}") for each in plan.failures}
    return unknown if plan.is_unknown else failures


def _changed(where: str, tag: str, then: Digest | None, now: Digest | None) -> ConflictError:
    verb = f"names {now}" if now else "does not exist"
    what = f"the tag {tag} of the {where} {verb} now, but {'named ' + then if then else 'did not exist'} in the plan"
    return ConflictError(f"{what}; nothing was changed; make a new plan")
