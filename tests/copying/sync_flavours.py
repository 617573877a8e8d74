"""Synchronisation by threads and by asyncio."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dreg_client import SyncPlan, SyncResult, aapply_sync, aplan_sync, apply_sync, async_sync, plan_sync, sync


class Syncs:
    """The three functions.

    Attributes:
        sync: `sync`, or `async_sync` in an event loop of its own.
        plan: `plan_sync`.
        apply: `apply_sync`.
    """

    sync: Callable[..., SyncResult]
    plan: Callable[..., SyncPlan]
    apply: Callable[..., SyncResult]

    def __init__(self, sync: Any, plan: Any, apply: Any) -> None:
        self.sync, self.plan, self.apply = sync, plan, apply


def by_tasks(function: Any) -> Any:
    async def run(*arguments: Any, **named: Any) -> Any:
        return await function(*arguments, **named)

    return lambda *arguments, **named: asyncio.run(run(*arguments, **named))


THREADS = Syncs(sync, plan_sync, apply_sync)
TASKS = Syncs(*map(by_tasks, (async_sync, aplan_sync, aapply_sync)))
both = pytest.mark.parametrize("run", [THREADS, TASKS], ids=["threads", "asyncio"])
