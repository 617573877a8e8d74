"""CVE-2025-47290, CVE-2026-39822: containerd, Go os.Root

Between the look at a path and its opening, a folder of it became a link.

A file is opened from its folder's descriptor, no link is followed on the way, and what was opened is looked at then.

LAY-01
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dreg_client import Digest, errors
from tests.advisories.scenes import fails

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder


@pytest.mark.parametrize("name", ["blobs", "blobs/sha256", "the blob"])
def test_what_is_swapped_just_before_it_is_opened_is_not_read(
    build: "LayoutBuilder", monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    entry = build.tag("1.4", build.image())
    layout = build.layout()
    place = build.file(entry) if name == "the blob" else build.path / name
    opens = os.open

    def swapping(path: Any, *rest: Any, **more: Any) -> int:
        if Path(os.fsdecode(path)).name == place.name and not place.is_symlink():
            place.rename(build.path.parent / "moved")
            place.symlink_to(build.path.parent / "moved")
        return opens(path, *rest, **more)

    monkeypatch.setattr(os, "open", swapping)
    fails(errors.UnsafePathError, lambda: layout.get_blob(Digest(entry["digest"])))
    assert place.is_symlink(), "the swap did not happen"
