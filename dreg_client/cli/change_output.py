"""Print plans that change tags, and what was changed."""

import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from dreg_client.cli.advice import for_command_line
from dreg_client.cli.change_sentences import name_text, sentence, totals
from dreg_client.cli.output import counted, put, put_error, put_json, visible
from dreg_client.cli.shown_problems import put_item_failure

if TYPE_CHECKING:
    from dreg_client.cli.change_options import Wanted
    from dreg_client.tagging.plan import TagChange, TagPlan
    from dreg_client.tagging.result import ChangesResult, RepositoryChanges

WOULD_CHANGE: Final = 9
"""The exit code of a dry run that would change something, if --exit-code is given."""
_STYLES: Final = {"move": "yellow", "untag": "red", "delete": "bold red"}


def for_users_of_dreg(plan: "TagPlan") -> "TagPlan":
    """Return a plan with options and commands in place of arguments and methods of Python."""
    repositories = (
        each.model_copy(update={name: _reworded(getattr(each, name)) for name in ("kept", "failures")})
        for each in plan.repositories
    )
    return plan.model_copy(update={"repositories": tuple(repositories)})


def _reworded(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(entry.model_copy(update={"reason": for_command_line(entry.reason)}) for entry in entries)


def put_tag_plan(plan: "TagPlan", wanted: "Wanted", advice: str) -> int:
    """Print a plan that is not applied; return the exit code. `advice` says how to apply it."""
    is_text = wanted.output == "text"
    if not is_text:
        put(plan.to_json().removesuffix("\n"))
    elif not wanted.is_quiet:
        _put_changes((each.repository, each.changes) for each in plan.repositories)
    put_kept(plan, wanted)
    failed = put_failures(plan)
    if is_text and not wanted.is_quiet:
        text = f"would {what}" if (what := totals(plan.changes, done=False)) else "nothing to change"
        put_error(f"dreg: {text}{_rest(plan, failed)}" + (f"; {visible(advice)}" if what and advice else ""))
    if failed:
        return 1
    return WOULD_CHANGE if wanted.exit_code and not plan.is_empty else 0


def _rest(plan: "TagPlan", failed: int) -> str:
    kept = sum(len(each.kept) for each in plan.repositories)
    return (f"; {kept} kept" if kept else "") + (f"; {failed} failed" if failed else "")


def put_kept(plan: "TagPlan", wanted: "Wanted") -> None:
    """Write notes to standard error, and which tags are kept although a rule would remove them, by reason.

    JSON output has them in the plan.
    """
    from dreg_client.errors.stores import listed

    if wanted.is_quiet or wanted.output != "text":
        return
    for each in plan.repositories:
        for note in each.notes:
            put_error(f"dreg: warning: {name_text(each.repository)}: {visible(note)}")
        reasons: dict[str, list[str]] = defaultdict(list)
        for kept in each.kept:
            reasons[kept.reason].append(name_text(kept.tag))
        for reason, tags in reasons.items():
            put_error(f"dreg: {name_text(each.repository)}: kept {listed(tags)}: {visible(for_command_line(reason))}")


def put_failures(plan: "TagPlan") -> int:
    """Write to standard error what could not be read; return how many there are."""
    from dreg_client.copying.sync_result import name_in

    failed = [(each, failure) for each in plan.repositories for failure in each.failures]
    for each, failure in failed:
        name = name_in(each.repository, failure.tag)
        reason = visible(for_command_line(failure.reason))
        put_error(f"dreg: {reason}" if reason.startswith(visible(name)) else f"dreg: {name_text(name)}: {reason}")
    return len(failed)


def _put_changes(repositories: "Iterable[tuple[str, tuple[TagChange, ...]]]") -> None:
    """Print the changes: as a table on a terminal, otherwise as a line each, with the repository."""
    if sys.stdout.isatty():
        _put_tables([*repositories])
        return
    put(*(f"{name_text(repository)}: {sentence(change)}" for repository, changes in repositories for change in changes))


def _put_tables(repositories: "list[tuple[str, tuple[TagChange, ...]]]") -> None:
    # rich is imported only here: importing it takes longer than a short run.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    console = Console(highlight=False, markup=False, emoji=False, color_system=None if is_plain else "auto")
    for repository, changes in repositories:
        if not changes:
            continue
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for change in changes:
            verb, _, rest = sentence(change).partition(" ")
            table.add_row(Text(verb, style=_STYLES.get(change.action, "green")), Text(rest))
        with console.capture() as captured:
            console.print(Text(name_text(repository), style="bold"), soft_wrap=True)
            console.print(table)
        put(*(line.rstrip() for line in captured.get().splitlines()))


def put_changes(result: "ChangesResult", wanted: "Wanted", advice: str = "") -> int:
    """Print what was changed; return the exit code. `advice` says what can be done now."""
    from dreg_client.cli.error_messages import exit_code_of_several

    is_text = wanted.output == "text"
    if not is_text:
        put_json({"repositories": [*map(_plain, result.repositories)]})
    elif not wanted.is_quiet:
        _put_changes((each.repository, each.done) for each in result.repositories)
    failed = result.failures.items()
    codes = {put_item_failure(failure, as_json=not is_text, source=name) for name, failure in failed}
    if is_text and not wanted.is_quiet:
        put_error(f"dreg: {_outcome(result)}" + (f"; {visible(advice)}" if advice else ""))
    some_succeeded = any(each.done or each.already for each in result.repositories)
    return exit_code_of_several(codes | {0}) if some_succeeded and codes else exit_code_of_several(codes)


def _outcome(result: "ChangesResult") -> str:
    already = sum(len(each.already) for each in result.repositories)
    failed, conflicts = len(result.failures), len(result.conflicts)
    text = totals(result.done, done=True) or ("changed nothing" if already or failed else "nothing to change")
    text += f"; {already} already done" if already else ""
    if failed:
        text += f"; {failed} failed" + (f" ({counted(conflicts, 'conflict')})" if conflicts else "")
    return text


def _plain(each: "RepositoryChanges") -> dict[str, Any]:
    from dreg_client.cli.error_messages import plain_failure

    return {
        "repository": each.repository,
        "done": [*map(_plain_change, each.done)],
        "already": [*map(_plain_change, each.already)],
        "failed": [{"subject": subject, **plain_failure(failure)} for subject, failure in each.failed.items()],
        "failure": None if each.failure is None else plain_failure(each.failure),
    }


def _plain_change(change: "TagChange") -> dict[str, Any]:
    return change.model_dump(mode="json", by_alias=True)


def put_explanation(found: "Mapping[tuple[str, str], tuple[str, ...]]", wanted: "Wanted") -> None:
    """Print which rules did what with tags, by repository and tag."""
    if wanted.output == "json":
        put_json(
            [{"repository": name, "tag": tag, "sentences": [*sentences]} for (name, tag), sentences in found.items()]
        )
        return
    for (name, tag), sentences in found.items():
        put(*(f"{name_text(f'{name}:{tag}')}: {visible(sentence)}" for sentence in sentences))
