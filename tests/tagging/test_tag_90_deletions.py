"""Deletions in one repository take turns: distribution 2.8 leaves tags behind if two are carried out at a time."""

from pathlib import Path

import pytest

from dreg_client import Registry, copy
from tests.registries import ROOT, RunningRegistry


@pytest.mark.parametrize("delete", [False, True], ids=["tags", "images"])
def test_tag_90_tags_that_were_deleted_at_the_same_time_are_not_listed(
    registry: RunningRegistry, delete: bool, tmp_path: Path
) -> None:
    name = f"acme/{tmp_path.name}"[:60]
    copy(f"oci:{ROOT}/fixtures/layouts/releases", f"{registry.address}/{name}", tags="all")

    with Registry(registry.url) as opened:
        repository = opened.repository(name)
        planner = repository.plan().prune(["nightly-*", "pr-*"], delete=delete)
        result = planner.apply(planner.make())

        assert (len(result.done), dict(result.failures)) == (15, {})
        assert [tag for tag in repository.iter_tags() if tag.startswith(("nightly-", "pr-"))] == []
