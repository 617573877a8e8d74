"""Policies over the catalog of a registry and over layouts."""

import asyncio
import socket
from pathlib import Path

import pytest

from dreg_client import TagPolicy, UnsupportedError, aplan_policy, errors, plan_policy, sync
from tests.raw_server import answer, speaking
from tests.registries import ROOT, RunningRegistry

RELEASES = ROOT / "fixtures/layouts/releases"
RULES = """
[[policy.rules]]
action = "prune"
include = ["pr-*"]
exclude = ["pr-103"]
delete = false
"""


def policy(*repositories: str, more: str = "", rules: str = RULES) -> TagPolicy:
    return TagPolicy.parse(f"[[policy]]\nrepositories = {[*repositories]!r}\n{more}\n{rules}")


@pytest.fixture
def team(open_registry: RunningRegistry) -> str:
    """A registry with three repositories of a team."""
    for name in ("web", "api", "archive/old"):
        sync(f"oci:{RELEASES}", f"{open_registry.address}/team/{name}", tags=["pr-*", "1.4.*"])
    return open_registry.address


def test_a_glob_chooses_from_the_catalog_of_a_registry(team: str) -> None:
    found = plan_policy(policy(f"{team}/team/*", more='exclude-repositories = ["team/archive/*"]')).make()

    assert [each.repository for each in found.repositories] == [f"{team}/team/api", f"{team}/team/web"]
    assert [change.subject for change in found.repositories[0].changes] == ["pr-101", "pr-102"]


def test_rules_of_several_entries_apply_in_order(team: str) -> None:
    keep = '[[policy.rules]]\naction = "keep"\ninclude = ["pr-101"]\n'
    first = policy(f"{team}/team/web", rules=keep)
    both = TagPolicy(policy=(*first.policy, *policy(f"{team}/team/w*", f"{team}/team/api").policy))

    planner = plan_policy(both)
    found = {each.repository: [it.subject for it in each.changes] for each in planner.make().repositories}

    assert found == {f"{team}/team/web": ["pr-102"], f"{team}/team/api": ["pr-101", "pr-102"]}
    assert any("kept" in sentence for sentence in planner.explain("pr-101"))


def test_rules_that_are_added_apply_last(team: str) -> None:
    planner = plan_policy(policy(f"{team}/team/web")).tag("pr-101", to="1.4.2")

    assert [str(change).split()[:2] for change in planner.make().changes] == [["move", "pr-101"], ["untag", "pr-102"]]


def test_one_repository_that_fails_is_a_failure_of_the_plan(team: str, tmp_path: Path) -> None:
    found = plan_policy(policy(f"oci:{tmp_path}/absent", f"{team}/team/api")).make()

    assert [(len(each.changes), len(each.failures)) for each in found.repositories] == [(0, 1), (2, 0)]


def test_the_async_planner_makes_the_same_plan(team: str) -> None:
    chosen = policy(f"{team}/team/*", f"oci:{RELEASES}")

    async def make() -> object:
        return await aplan_policy(chosen).make()

    assert asyncio.run(make()) == plan_policy(chosen).make()


def test_a_registry_without_a_catalog_says_what_to_do() -> None:
    def registry(_head: bytes, connection: socket.socket) -> bool:
        connection.sendall(answer(b"", "405 Method Not Allowed"))
        return True

    with speaking(registry) as server, pytest.raises(UnsupportedError) as caught:
        plan_policy(policy(f"localhost:{server.port}/team/*"), credentials=None).make()

    assert str(caught.value).endswith("name its repositories in the policy one by one, without globs")


def test_a_glob_that_matches_no_repository_is_a_failure(team: str) -> None:
    chosen = f"{team}/team/*"
    made = plan_policy(policy(chosen, f"{team}/taem/*")).make()
    found = {each.repository: [failure.reason for failure in each.failures] for each in made.repositories}
    advice = f"list its repositories with: dreg repos {team}"
    assert found.pop(f"{team}/taem/*") == [f"{team} has no repository that matches taem/*; {advice}"]
    assert found
    assert not any(found.values())

    with pytest.raises(errors.NotFoundError, match=r"has no repository that matches taem/\*"):
        plan_policy(policy(f"{team}/taem/*")).make()
