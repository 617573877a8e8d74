"""Files that killed downloads left behind, and that no download can finish."""

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
"""A download that cannot be resumed; one that can is called `.sha256-....part`, without such a number."""
_swept: Final[dict[Path, float]] = {}


def sweep(folder: Path) -> None:
    """Delete our partial files of more than a day ago, at most once an hour in each folder; never fail."""
    if time.monotonic() - _swept.get(folder, -_PAUSE) < _PAUSE:
        return
    if len(_swept) >= _MOST_FOLDERS:
        _swept.clear()
    _swept[folder] = time.monotonic()
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if _PART.fullmatch(entry.name) and _is_stale(entry):
                    Path(entry.path).unlink()
                    log.info("%s: deleted; it is what a download left that was killed", entry.path)


def _is_stale(entry: "os.DirEntry[str]") -> bool:
    found = entry.stat(follow_symlinks=False)
    is_ours = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return entry.is_file(follow_symlinks=False) and is_ours and time.time() - found.st_mtime > _OLD
