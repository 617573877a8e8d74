# Generated from dreg_client/_async/layout_lock.py by tools/generate_sync.py. Do not edit.
"""Wait for the locks of a layout (see `files/layout_lock.py`)."""

import random
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from dreg_client import errors
from dreg_client._sync._compat import sleep
from dreg_client.files.layout_lock import CONTENT, INDEX, LockFile

PATIENCE: Final = 30.0
"""The most seconds to wait for a lock."""
_PAUSES: Final = (0.002, 0.02)
"""The shortest and the longest pause between two attempts. Pauses vary, so that no writer is always too late."""


@contextmanager
def writing_content(root: str) -> Generator[None]:
    """Keep blobs from being deleted, together with other writers."""
    with _locked(root, CONTENT, shared=True):
        yield


@contextmanager
def deleting_content(root: str, *, dry_run: bool = False) -> Generator[None]:
    """Keep all writers out, to delete blobs. A dry run creates no lock file."""
    with _locked(root, CONTENT, shared=False, creates=not dry_run):
        yield


@contextmanager
def changing_index(root: str) -> Generator[None]:
    """Keep other writers from changing the index."""
    with _locked(root, INDEX, shared=False):
        yield


@contextmanager
def _locked(root: str, name: str, *, shared: bool, creates: bool = True) -> Generator[None]:
    """Hold a lock; raise LayoutLockedError if others do not release it within 30 seconds."""
    file = LockFile(root, name, creates=creates)
    try:
        until = time.monotonic() + PATIENCE
        while not file.try_lock(shared=shared):
            if time.monotonic() >= until:
                what = "deleting content of" if shared or name == INDEX else "writing"
                reason = f"is locked: another process or thread has been {what} the layout for {PATIENCE:.0f} seconds"
                raise errors.LayoutLockedError(file.path, f"{reason}; try again when it has ended")
            sleep(random.uniform(*_PAUSES))  # noqa: S311 (not a secret)
        yield
    finally:
        file.close()
