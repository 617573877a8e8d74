"""The names of failures, and explanations of plans that failed."""

from pathlib import Path

import pytest

from dreg_client import ChangesResult, RepositoryChanges, errors, plan
from dreg_client.models.frozen import FrozenDict
from dreg_client.values.digest import Digest

FIRST, SECOND = errors.DregError("the first"), errors.DregError("the second")


def test_a_name_in_a_layout_may_look_like_a_whole_reference() -> None:
    failed = FrozenDict({"acme/web:1.4": FIRST, Digest.of(b""): SECOND})
    result = ChangesResult((RepositoryChanges("oci:web", failed=failed),))

    assert result.failures == {"oci:web:acme/web:1.4": FIRST, f"oci:web@{Digest.of(b'')}": SECOND}


def test_failures_of_two_parts_of_a_repository_are_all_there() -> None:
    parts = [RepositoryChanges("oci:web", failed=FrozenDict({"1.4": each})) for each in (FIRST, SECOND)]

    assert ChangesResult(tuple(parts)).failures == {"oci:web:1.4": FIRST, "oci:web:1.4 (2)": SECOND}


def test_an_explanation_says_why_nothing_was_planned(tmp_path: Path) -> None:
    stores = [f"oci:{tmp_path / name}" for name in ("first", "second")]
    planner = plan(stores).prune("*")

    with pytest.raises(ValueError, match="nothing to explain before make"):
        planner.explain("1.4")
    found = planner.make()

    reasons = [failure.reason for each in found.repositories for failure in each.failures]
    assert planner.explain("1.4") == tuple(
        f"{store}: nothing was planned: {reason}" for store, reason in zip(stores, reasons, strict=True)
    )
