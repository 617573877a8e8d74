"""Plan and carry out what `dreg sync` is to do."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dreg_client.cli.copy_progress import CopyProgress
from dreg_client.cli.interruption import reporting_interruption
from dreg_client.cli.logging import show_log
from dreg_client.cli.output import put_error
from dreg_client.cli.registry_options import copy_options
from dreg_client.cli.sync_output import for_users_of_dreg, put_plan, put_sync, show_removals

if TYPE_CHECKING:
    from dreg_client.copying.options import CopyOptions
    from dreg_client.copying.sync_options import SyncOptions
    from dreg_client.copying.sync_plan import SyncPlan
    from dreg_client.copying.sync_result import SyncResult
    from dreg_client.values.store_name import StoreName

Jobs = list[tuple["StoreName | str", "StoreName | str", "SyncOptions"]]
"""What to synchronise: sources, destinations and options."""


def read_text(path: str, most: int) -> str:
    """Read a text file of at most `most` bytes.

    Raises:
        ConfigError: It is longer, or is not UTF-8.
    """
    from dreg_client.errors import ConfigError

    with Path(path).open("rb") as opened:
        raw = opened.read(most + 1)
    if len(raw) > most:
        raise ConfigError(f"{path} is longer than {most} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not valid UTF-8") from None


def run_jobs(jobs: Jobs, output: str, *, plan_file: str | None, dry_run: bool, confirmed: bool) -> int:
    """Synchronise everything, or only plan it; print the outcome and return the exit code."""
    prunes = any(options.get("prune") for _, _, options in jobs)
    is_planned = dry_run or plan_file is not None
    if prunes and not (confirmed or is_planned or _can_ask()):
        advice = "to see the tags first, use --dry-run; to carry them out later, save a plan with --plan FILE"
        raise click.UsageError(f"--prune requires --yes where dreg cannot ask for confirmation; {advice}")
    if not is_planned and (confirmed or not prunes):
        return put_sync(_synced(jobs), output)
    plan = for_users_of_dreg(_plan(jobs))
    if plan_file is not None:
        from dreg_client.files.atomic import write_whole

        write_whole(plan_file, [plan.to_json().encode()])
    if is_planned:
        return put_plan(plan, output)
    if show_removals(plan) and not click.confirm("Remove these tags?", err=True):
        put_error("dreg: nothing was copied or removed")
        return 1
    return put_sync(_applied(plan), output)


def apply_plan(path: str, output: str, *, dry_run: bool) -> int:
    """Carry out a plan in a file, or only print it; return the exit code."""
    from dreg_client.copying.plan_model import MAX_PLAN
    from dreg_client.copying.sync_plan import SyncPlan

    plan = SyncPlan.from_json(read_text(path, MAX_PLAN), path)
    return put_plan(plan, output) if dry_run else put_sync(_applied(plan), output)


def _can_ask() -> bool:
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr.isatty())


@contextmanager
def _registry_options() -> Generator["CopyOptions", None, None]:
    """Yield the options of registries, while progress is shown."""
    show_log()
    with CopyProgress(is_atomic=False) as progress, reporting_interruption(progress.outcome):
        yield copy_options(progress.listen)


def _merged(registries: "CopyOptions", options: "SyncOptions") -> "SyncOptions":
    return {**registries, **options}


def _plan(jobs: Jobs) -> "SyncPlan":
    from dreg_client._sync.sync import plan_sync
    from dreg_client._sync.sync_jobs import SyncJob, plan_all

    with _registry_options() as registries:
        if len(jobs) > 1:
            return plan_all([SyncJob(*job) for job in jobs], registries)
        ((source, destination, options),) = jobs
        return plan_sync(source, destination, **_merged(registries, options))


def _synced(jobs: Jobs) -> "SyncResult":
    from dreg_client._sync.sync import sync
    from dreg_client._sync.sync_jobs import SyncJob, sync_all

    with _registry_options() as registries:
        if len(jobs) > 1:
            return sync_all([SyncJob(*job) for job in jobs], registries)
        ((source, destination, options),) = jobs
        return sync(source, destination, **_merged(registries, options))


def _applied(plan: "SyncPlan") -> "SyncResult":
    from dreg_client._sync.sync import apply_sync

    with _registry_options() as registries:
        return apply_sync(plan, **registries)
