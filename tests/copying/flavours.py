"""Copies by threads and by asyncio."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dreg_client import CopyResult, acopy, copy

Copy = Callable[..., CopyResult]


def by_tasks(*arguments: Any, **named: Any) -> CopyResult:
    async def run() -> CopyResult:
        return await acopy(*arguments, **named)

    return asyncio.run(run())


both = pytest.mark.parametrize("copied", [copy, by_tasks], ids=["threads", "asyncio"])
