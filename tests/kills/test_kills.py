"""Commands that write are killed at random moments; for many more kills: `python -m tests.kills --kills 1000`."""

import os
import random
import shutil
import sys
from pathlib import Path

from tests.commands import run_limited
from tests.registries import ROOT

KILLS = 20
MOUNT = 'mount -t tmpfs -o size=6m tmpfs "$0" && exec "$@"'


def small_disk(folder: Path) -> list[str]:
    """What makes a folder a small disk of its own, for a command; nothing where the system does not allow it."""
    words = ["unshare", "-Urm", "sh", "-c", MOUNT, str(folder)]
    if not shutil.which("unshare") or run_limited([*words, "true"], capture_output=True, check=False).returncode:
        return []
    return words


def test_lay_90_lay_91_what_is_killed_leaves_a_destination_as_before_or_complete(tmp_path: Path) -> None:
    seed = 1 if os.environ.get("CI") else random.randrange(10**6)  # noqa: S311 (no secret)
    disk = small_disk(tmp_path)
    command = [sys.executable, "-m", "tests.kills", "--kills", str(KILLS), "--seed", str(seed)]
    command += ["--disk", str(tmp_path)] if disk else []

    done = run_limited([*disk, *command], capture_output=True, text=True, check=False, cwd=ROOT)

    assert done.returncode == 0, done.stdout + done.stderr
