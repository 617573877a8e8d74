"""What downloads that were killed left behind: files that nobody will give a name any more."""

import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from dreg_client._logging import log

_OLD: Final = 24 * 3600.0
_PAUSE: Final = 3600.0
_MOST_FOLDERS: Final = 1000
_PART: Final = re.compile(r"\..+\.[0-9a-f]{16}\.part", re.DOTALL)
"""A download that nobody can go on with; one that is kept for that is `.sha256-....part`, and has no such number."""
_swept: Final[dict[Path, float]] = {}


def sweep(folder: Path) -> None:
    """Delete parts of ours that nobody wrote to for a day, in a folder once an hour at most; nothing fails by it."""
    if time.monotonic() - _swept.get(folder, -_PAUSE) < _PAUSE:
        return
    if len(_swept) >= _MOST_FOLDERS:
        _swept.clear()
    _swept[folder] = time.monotonic()
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _PART.fullmatch(entry.name):
                _sweep_one(entry)


def _sweep_one(entry: "os.DirEntry[str]") -> None:
    with suppress(OSError):
        found = entry.stat(follow_symlinks=False)
        is_ours = not hasattr(os, "getuid") or found.st_uid == os.getuid()
        if entry.is_file(follow_symlinks=False) and is_ours and time.time() - found.st_mtime > _OLD:
            Path(entry.path).unlink()
            log.info("%s: deleted; it is what a download left that was killed", entry.path)
