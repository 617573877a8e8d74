"""Signatures and plans of images of which some platforms are mirrored."""

from pathlib import Path
from typing import Any

from tests.copying.graphs import names
from tests.copying.sync_flavours import Syncs, both
from tests.copying.test_signatures import TWO, signed, tag_about


@both
def test_with_platforms_signatures_go_with_their_image_although_the_source_has_them(run: Syncs, tmp_path: Path) -> None:
    made, disk = signed("1.3", "1.4"), tmp_path / "disk"
    options: Any = {"platforms": TWO, "referrers": True}
    run.sync(f"oci:{made.graph.write(tmp_path / 'here')}", f"oci:{disk}", **options)
    made.graph.entries = [it for it in made.graph.entries if "1.3" not in it.get("annotations", {}).values()]

    run.sync(f"oci:{made.graph.write(tmp_path / 'later')}", f"oci:{disk}", prune=True, **options)

    assert names(disk).keys() == {"1.4", *map(tag_about, made.digests_of("1.4"))}


@both
def test_a_plan_names_the_digest_of_the_index_that_will_be_written(run: Syncs, tmp_path: Path) -> None:
    source, disk = f"oci:{signed('1.4').graph.write(tmp_path / 'here')}", tmp_path / "disk"

    (planned,) = run.plan(source, f"oci:{disk}", platforms=TWO).repositories[0].copies
    run.sync(source, f"oci:{disk}", platforms=TWO)

    assert planned.becomes == names(disk)["1.4"]
    assert planned.digest == names(tmp_path / "here")["1.4"]
