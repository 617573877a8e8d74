"""Print the plans and the results of `dreg sync`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dreg_client.cli.advice import for_command_line
from dreg_client.cli.copy_result import plain_descriptor, uncopied
from dreg_client.cli.output import counted, put, put_error, put_result, visible
from dreg_client.cli.shown_problems import put_item_failure

if TYPE_CHECKING:
    from dreg_client.copying.result import Transferred
    from dreg_client.copying.sync_plan import RepositoryPlan, SyncPlan
    from dreg_client.copying.sync_result import RepositorySync, SyncResult


def put_plan(plan: "SyncPlan", output: str) -> int:
    """Print a plan; return the exit code."""
    from dreg_client.values.sizes import byte_size

    if output == "json":
        put(plan.to_json().removesuffix("\n"))
    else:
        put(*(line for each in plan.repositories for line in _plan_lines(each)))
    _put_problems(plan)
    if output == "text":
        copies, skips, removals = (
            sum(len(getattr(each, name)) for each in plan.repositories) for name in ("copies", "skips", "removals")
        )
        failed = sum(len(each.failures) for each in plan.repositories)
        manifests = sum(each.manifests.count for each in plan.repositories)
        size = _size_text(manifests, byte_size(plan.size))
        what = f"would copy {counted(copies, 'tag')} ({size}); {skips} already there, {removals} to remove"
        put_error(f"dreg: {what}" + (f", {failed} failed" if failed else ""))
    return int(any(each.failures for each in plan.repositories))


def _put_problems(plan: "SyncPlan") -> None:
    """Write to standard error what could not be compared, and why no tag is removed."""
    from dreg_client.copying.sync_result import distinct_names

    failed = [(each, failure) for each in plan.repositories for failure in each.failures]
    names = distinct_names([(each.source, each.destination, failure.tag) for each, failure in failed])
    for each in plan.repositories:
        _put_note(each.source, each.not_pruned)
        if each.uncopied_referrers:
            put_error(f"dreg: {visible(f'{each.source}: {uncopied(each.uncopied_referrers)}')}")
        if each.not_planned:
            put_error(f"dreg: {visible(f'{each.source} to {each.destination}: {each.not_planned}')}")
    for (_, failure), name in zip(failed, names, strict=True):
        put_error(f"dreg: {visible(_named(name, failure.reason))}")


def for_users_of_dreg(plan: "SyncPlan") -> "SyncPlan":
    """Return a plan with options and commands in place of arguments and methods of Python."""
    repositories = (
        each.model_copy(
            update={
                "not_pruned": for_command_line(each.not_pruned),
                "not_planned": for_command_line(each.not_planned),
                "failures": tuple(
                    it.model_copy(update={"reason": for_command_line(it.reason)}) for it in each.failures
                ),
            }
        )
        for each in plan.repositories
    )
    return plan.model_copy(update={"repositories": tuple(repositories)})


def _plan_lines(plan: "RepositoryPlan") -> Iterator[str]:
    for copy in plan.copies:
        verb = "replace" if copy.replaces else "copy"
        yield visible(f"{verb}  {plan.destination}:{copy.tag}@{copy.becomes or copy.digest}")
    yield from _removals(plan)


def _removals(plan: "RepositoryPlan") -> Iterator[str]:
    return (visible(f"remove  {plan.destination}:{each.tag}@{each.digest}") for each in plan.removals)


def show_removals(plan: "SyncPlan") -> bool:
    """Write the tags to remove, and what failed, to standard error, if there are any; return whether there are."""
    lines = [line for each in plan.repositories for line in _removals(each)]
    if lines:
        _put_problems(plan)
    for line in lines:
        put_error(line)
    return bool(lines)


def put_sync(result: "SyncResult", output: str) -> int:
    """Print a result; return the exit code."""
    from dreg_client.values.sizes import byte_size

    put_result(output, {"repositories": [*map(_plain, result.repositories)]}, _lines(result))
    for each in result.repositories:
        _put_note(each.source, each.not_pruned)
        if each.uncopied_referrers and output == "text":
            put_error(f"dreg: {visible(f'{each.source}: {uncopied(each.uncopied_referrers)}')}")
        for tag in each.removed if output == "text" else ():
            put_error(f"dreg: {visible(f'removed {each.destination}:{tag}')}")
    for name, failure in result.failures.items():
        put_item_failure(failure, as_json=output == "json", source=name)
    if output == "text":
        _put_unmatched(result)
        size = _size_text(sum(each.manifests.count for each in result.repositories), byte_size(result.size))
        what = f"copied {counted(result.copied, 'tag')} ({size}); {result.skipped} already there"
        put_error(f"dreg: {what}, {result.removed} removed, {len(result.failures)} failed")
    return int(bool(result.failures))


def _lines(result: "SyncResult") -> Iterator[str]:
    for each in result.repositories:
        for tag, digest in each.copied.items():
            yield visible(f"{each.destination}:{tag}@{digest}")


def _put_note(source: str, not_pruned: str) -> None:
    if not_pruned:
        reason = for_command_line(not_pruned)
        put_error(f"dreg: {visible(f'{source}: no tag was removed, because {reason}')}")


def _put_unmatched(result: "SyncResult") -> None:
    """Write to standard error in which repositories there is nothing to synchronise."""
    from dreg_client.errors.stores import listed

    if not result.repositories:
        put_error("dreg: there is no repository that matches")
    nothing = [
        each.source
        for each in result.repositories
        if not (each.copied or each.skipped or each.removed or each.failures or each.not_pruned)
    ]
    if nothing:
        put_error(f"dreg: {visible(f'there is no tag that matches in {listed(nothing)}')}")


def _named(name: str, reason: str) -> str:
    message = for_command_line(reason)
    return message if message.startswith(name) else f"{name}: {message}"


def _size_text(manifests: int, size: str) -> str:
    return f"{counted(manifests, 'manifest')}, {size}" if manifests else size


def _plain(done: "RepositorySync") -> dict[str, Any]:
    from dreg_client.cli.error_messages import plain_failure

    return {
        "source": done.source,
        "destination": done.destination,
        "copied": dict(done.copied),
        "skipped": done.skipped,
        "removed": list(done.removed),
        "failed": [{"tag": tag, **plain_failure(failure)} for tag, failure in done.failures.items()],
        "notPruned": for_command_line(done.not_pruned),
        "uncopiedReferrers": [plain_descriptor(each) for each in done.uncopied_referrers],
        **{name: _size(getattr(done, name)) for name in ("blobs", "mounted", "manifests")},
    }


def _size(transferred: "Transferred") -> dict[str, int]:
    return {"count": transferred.count, "size": transferred.size}
