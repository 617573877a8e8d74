"""CVE-2025-47290, CVE-2026-39822: containerd, Go os.Root

Between checking a path and opening it, one of its directories was replaced by a link.

A file is opened relative to the open directory that contains it. dreg-client itself resolves links, below the root of
the store, and checks the file after opening it.

LAY-01
"""

from typing import TYPE_CHECKING

import pytest

from dreg_client import Digest, errors
from tests.advisories.scenes import fails
from tests.hostile.stores import swap_before_opening

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder


@pytest.mark.parametrize("name", ["blobs", "blobs/sha256", "the blob"])
def test_what_is_swapped_just_before_it_is_opened_is_not_read(
    build: "LayoutBuilder", monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    entry = build.tag("1.4", build.image())
    layout = build.layout()
    place = build.file(entry) if name == "the blob" else build.path / name
    swap_before_opening(monkeypatch, place, build.path.parent / "moved")
    fails(errors.UnsafePathError, lambda: layout.get_blob(Digest(entry["digest"])))
    assert place.is_symlink(), "the swap did not happen"
