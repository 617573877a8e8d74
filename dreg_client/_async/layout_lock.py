"""Wait for the locks of a layout (see `files/layout_lock.py`)."""

import random
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from dreg_client import errors
from dreg_client._async._compat import sleep
from dreg_client.files.layout_lock import CONTENT, INDEX, LockFile

PATIENCE: Final = 30.0
"""The most seconds to wait for a lock."""
_PAUSES: Final = (0.002, 0.02)
"""The shortest and the longest pause between two attempts. Pauses vary, so that no writer is always too late."""


@asynccontextmanager
async def writing_content(root: str) -> AsyncGenerator[None]:
    """Keep blobs from being deleted, together with other writers."""
    async with _locked(root, CONTENT, shared=True):
        yield


@asynccontextmanager
async def deleting_content(root: str, *, dry_run: bool = False) -> AsyncGenerator[None]:
    """Keep all writers out, to delete blobs. A dry run creates no lock file."""
    async with _locked(root, CONTENT, shared=False, creates=not dry_run):
        yield


@asynccontextmanager
async def changing_index(root: str) -> AsyncGenerator[None]:
    """Keep other writers from changing the index."""
    async with _locked(root, INDEX, shared=False):
        yield


@asynccontextmanager
async def _locked(root: str, name: str, *, shared: bool, creates: bool = True) -> AsyncGenerator[None]:
    """Hold a lock; raise LayoutLockedError if others do not release it within 30 seconds."""
    file = LockFile(root, name, creates=creates)
    try:
        until = time.monotonic() + PATIENCE
        while not file.try_lock(shared=shared):
            if time.monotonic() >= until:
                what = "deleting content of" if shared or name == INDEX else "writing"
                reason = f"is locked: another process or task has been {what} the layout for {PATIENCE:.0f} seconds"
                raise errors.LayoutLockedError(file.path, f"{reason}; try again when it has ended")
            await sleep(random.uniform(*_PAUSES))  # noqa: S311 (not a secret)
        yield
    finally:
        file.close()
