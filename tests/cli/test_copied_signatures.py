"""What `dreg copy` and `dreg sync` tell of signatures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.copying.test_signatures import signed

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("home")


def test_the_command_line_tells_what_was_not_copied(dreg: Run, tmp_path: Path) -> None:
    source = f"oci:{signed('1', '2').graph.write(tmp_path / 'here')}"
    options = ["--platform", "linux/amd64", "--platform", "linux/arm64", "--referrers"]
    told = "2 signatures and other referrers are not copied: they refer to indexes copied only in part"

    copied = dreg("copy", source, f"oci:{tmp_path}/there", "--all-tags", *options)
    one = dreg("copy", f"{source}:1", f"oci:{tmp_path}/one", *options)
    synced = dreg("sync", source, f"oci:{tmp_path}/synced", *options)
    planned = dreg("sync", source, f"oci:{tmp_path}/planned", *options, "--dry-run")
    as_json = dreg("sync", source, f"oci:{tmp_path}/synced", *options, "--format", "json")

    assert (copied.code, one.code, synced.code, as_json.code) == (0, 0, 0, 0)
    assert f"dreg: {told}: sha256:" in copied.err
    assert "dreg: 1 signature or other referrer is not copied: it refers to an index copied only in part" in one.err
    assert f"dreg: {source}: {told}\n" in synced.err
    assert f"dreg: {source}: {told}\n" in planned.err
    (printed,) = json.loads(as_json.out)["repositories"]
    assert len(printed["uncopiedReferrers"]) == 2
    assert printed["failed"] == []
