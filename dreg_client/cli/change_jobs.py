"""Plan changes of tags, and apply them if --yes is given."""

import shlex
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from dreg_client.cli.change_output import (
    for_users_of_dreg,
    put_changes,
    put_explanation,
    put_failures,
    put_kept,
    put_tag_plan,
)
from dreg_client.cli.change_progress import ChangeProgress
from dreg_client.cli.interruption import reporting_interruption
from dreg_client.cli.logging import show_log
from dreg_client.cli.registry_options import copy_options

if TYPE_CHECKING:
    from dreg_client._sync.policy_planner import PolicyPlanner
    from dreg_client.cli.change_options import Wanted
    from dreg_client.copying.options import CopyOptions
    from dreg_client.tagging.plan import CopyTag, TagPlan
    from dreg_client.tagging.planned_tags import PlannedTags
    from dreg_client.tagging.policy import TagPolicy
    from dreg_client.tagging.result import ChangesResult

_ADVICE: Final = "to make these changes, add --yes"
_GARBAGE: Final = "a registry's garbage collection, or dreg gc in a layout, deletes what nothing needs"
Make = Callable[["CopyOptions"], "TagPlan"]
"""A function that makes a plan; it is given the options of registries."""


def run_plan(make: Make, wanted: "Wanted", *, advice: str = "") -> int:
    """Make a plan, save and apply it as wanted, and print the outcome; return the exit code.

    `advice` says how to apply a plan that is only printed (default: with --yes).
    """
    with _registry_options(_interrupted(wanted.journal)) as (options, progress):
        plan = for_users_of_dreg(make(options))
        if wanted.plan_file is not None:
            from dreg_client.files.atomic import write_whole

            write_whole(wanted.plan_file, [plan.to_json().encode()])
        if wanted.is_applied:
            return _apply(plan, wanted, options, progress)
    if wanted.plan_file is not None:
        advice = f"to make these changes: dreg apply {shlex.quote(wanted.plan_file)} --yes"
    return put_tag_plan(plan, wanted, advice or _ADVICE)


def _apply(plan: "TagPlan", wanted: "Wanted", options: "CopyOptions", progress: ChangeProgress) -> int:
    from dreg_client._sync.apply_plan import apply_plan

    with progress.changing(len(plan.changes)):
        result = apply_plan(plan, journal=wanted.journal, **options)
    put_kept(plan, wanted)
    return put_changes(result, wanted, _advice(result, wanted.journal))


def _advice(result: "ChangesResult", journal: str | None) -> str:
    """Return what can be done after changes were made, or were not."""
    advice = [f"to undo this: {_undoing(journal)}"] if journal is not None and result.done else []
    if len(result.failures) > len(result.conflicts):
        advice.append(_continuing(journal))
    if result.conflicts:
        advice.append("to decide about conflicts, make a new plan")
    return "; ".join(advice)


def run_undo(journal: str, wanted: "Wanted") -> int:
    """Undo what a journal records, or only print what would be undone; return the exit code."""
    from dreg_client._sync.undo import undo

    Path(journal).stat()  # otherwise, a file that does not exist would be one that cannot be read
    with _registry_options(f"to continue: {_undoing(journal)}") as (options, progress):
        plan = undo(journal, dry_run=True, **options)
        if wanted.is_applied:
            with progress.changing(len(plan.changes)):
                result = undo(journal, **options)
            again = f"to try again: {_undoing(journal)}"
            code = put_changes(result, wanted, again if len(result.failures) > len(result.conflicts) else "")
        else:
            code = put_tag_plan(plan, wanted, _ADVICE)
    _put_what_stays(journal, plan, wanted)
    return code


def _put_what_stays(journal: str, undone: "TagPlan", wanted: "Wanted") -> None:
    """Say what was copied from other repositories and is not removed with its tag."""
    from dreg_client.cli.output import put_error

    if wanted.is_quiet or wanted.output != "text" or undone.is_empty:
        return
    copies = _copies(
        journal, {(each.repository, change.subject) for each in undone.repositories for change in each.changes}
    )
    if not copies:
        return
    others = ", and so do their signatures and digest tags" if any(each.referrers for each in copies) else ""
    put_error(f"dreg: images that were copied stay, without their new tags{others}; {_GARBAGE}")


def _copies(journal: str, undone: set[tuple[str, str]]) -> "list[CopyTag]":
    """Return the copies in a journal's plan that are undone."""
    from dreg_client.tagging.journal import JournalLine, StartLine
    from dreg_client.tagging.plan import CopyTag

    with Path(journal).open("rb") as opened:
        start = JournalLine.model_validate_json(opened.readline()).root
    repositories = start.contents.repositories if isinstance(start, StartLine) else ()
    changes = ((each.repository, change) for each in repositories for change in each.changes)
    return [change for name, change in changes if isinstance(change, CopyTag) and (name, change.tag) in undone]


def continue_journal(journal: str, wanted: "Wanted") -> int:
    """Make the changes of a journal's plan that were not made yet, or only print them; return the exit code."""
    from dreg_client._sync.resume_plan import resume_plan

    with _registry_options(_interrupted(journal)) as (options, progress):
        left = resume_plan(journal, dry_run=True, **options)
        if not wanted.is_applied:
            return put_tag_plan(left, wanted, f"to make these changes: {_resuming(journal)}")
        with progress.changing(len(left.changes)):
            result = resume_plan(journal, **options)
        return put_changes(result, wanted, _advice(result, journal))


@contextmanager
def _registry_options(continuing: str) -> Generator[tuple["CopyOptions", ChangeProgress], None, None]:
    """Yield the options of registries, while progress is shown. `continuing` says how to continue if interrupted."""
    show_log()
    with (
        ChangeProgress(continuing) as progress,
        reporting_interruption(progress.outcome),
    ):
        yield copy_options(progress.listen), progress


def _interrupted(journal: str | None) -> str:
    """Return how to continue after an interruption, and how to undo what was done."""
    return _continuing(journal) + (f"; to undo them: {_undoing(journal)}" if journal is not None else "")


def _continuing(journal: str | None) -> str:
    """Return how to make the changes that were not made. A journal contains its plan."""
    if journal is None:
        return "to make the others, run the command again"
    return f"to continue: {_resuming(journal)}"


def _resuming(journal: str) -> str:
    return f"dreg apply {shlex.quote(journal)} --yes"


def _undoing(journal: str) -> str:
    return f"dreg undo {shlex.quote(journal)} --yes"


def apply_file(path: str, wanted: "Wanted") -> int:
    """Apply a plan or a policy, continue a journal, or only print what would be changed; return the exit code."""
    if _is_journal(path):
        if wanted.journal not in {None, path}:
            raise click.UsageError("--journal cannot be used with a journal: what is done is recorded in that file")
        return continue_journal(path, wanted)
    text = _text_of(path)
    if not text.strip():
        from dreg_client.errors import ConfigError

        raise ConfigError(f"{path} is empty; name a plan, a policy or a journal")
    if not text.lstrip().startswith("{"):
        return _run_policy(text, path, wanted, advice=_ADVICE)
    from dreg_client.tagging.plan import TagPlan

    plan = TagPlan.from_json(text, path)
    if not wanted.is_applied:
        return put_tag_plan(plan, wanted, _ADVICE)
    with _registry_options(_interrupted(wanted.journal)) as (options, progress):
        return _apply(plan, wanted, options, progress)


def _is_journal(path: str) -> bool:
    """Return whether a file begins as a journal does, or is one that was cut off there."""
    from dreg_client.tagging.journal import HEAD

    with Path(path).open("rb") as opened:
        start = opened.read(len(HEAD))
    return start != b"" and HEAD.startswith(start)


def _text_of(path: str) -> str:
    from dreg_client.cli.sync_jobs import read_text
    from dreg_client.copying.plan_model import MAX_PLAN

    return read_text(path, MAX_PLAN)


def plan_policy(path: str, wanted: "Wanted") -> int:
    """Print what a policy would change; return the exit code."""
    advice = f"to make these changes: dreg apply {shlex.quote(path)} --yes"
    return _run_policy(_text_of(path), path, wanted, advice=advice)


def explain_policy(path: str, tag: str, wanted: "Wanted") -> int:
    """Print which rules of a policy did what with the tags that a name or a glob means; return the exit code."""
    policy = _policy(_text_of(path), path)
    with _registry_options(_interrupted(None)) as (options, _):
        planner = _policy_planner(policy, options)
        plan = for_users_of_dreg(planner.make())
        tags = {name: _named(planned, tag) for name, planned in planner.planned.items()}
        found = {(name, each): planner.planned[name].explain(each) for name, named in tags.items() for each in named}
    failed = put_failures(plan)
    if not found and not failed:
        from dreg_client.errors import NotFoundError

        raise NotFoundError(f"tag {tag}", path, "all repositories of the policy were read")
    put_explanation(found, wanted)
    return int(failed > 0)


def _named(planned: "PlannedTags", tag: str) -> list[str]:
    """Return the tags of a repository that a name or a glob means."""
    return [tag] if planned.knows(tag) else planned.known(tag)


def _run_policy(text: str, path: str, wanted: "Wanted", *, advice: str) -> int:
    policy = _policy(text, path)
    return run_plan(lambda options: _policy_planner(policy, options).make(), wanted, advice=advice)


def _policy(text: str, path: str) -> "TagPolicy":
    from dreg_client.errors import ConfigError
    from dreg_client.tagging.policy import MAX_POLICY, TagPolicy

    if text.lstrip().startswith("{"):
        advice = f"to show a plan that was saved, run: dreg apply {shlex.quote(path)}"
        raise ConfigError(f"{path} is not a policy, which is a TOML file; {advice}")
    if len(text) > MAX_POLICY:
        raise ConfigError(f"{path} is longer than {MAX_POLICY} bytes")
    return TagPolicy.parse(text, path)


def _policy_planner(policy: "TagPolicy", options: "CopyOptions") -> "PolicyPlanner":
    from dreg_client._sync.policy_planner import PolicyPlanner

    return PolicyPlanner(policy, **options)
