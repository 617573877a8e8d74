"""What a plan says besides its changes: notes, what is kept, and what is not known."""

from pathlib import Path

import pytest

from dreg_client import MoveTag, Untag, apply_plan, plan, undo
from dreg_client.errors import ConflictError
from tests.tagging.stores import NOW, Dated, Push, nightlies


def test_other_tags_of_a_moved_tag_are_known_only_if_all_digests_were_read(push: Push) -> None:
    graph = Dated()
    old, new = graph.tagged("1.4.1", layer="old"), graph.tagged("1.4.2", layer="new")
    graph.tag(graph.dated(layer="old"), "latest")
    name = push(graph)

    [found] = plan([name]).move("latest", to="1.4.2").make().changes
    assert found == MoveTag(tag="latest", digest=new, replaces=old, other_tags=None)
    assert str(found) == f"move latest from {old[:19]} to {new[:19]}"
    [found] = plan([name]).prune("nightly-*").move("latest", to="1.4.2").make().changes
    assert isinstance(found, MoveTag)
    assert found.other_tags == ("1.4.1",)


def test_undo_does_not_say_that_a_tag_is_the_last_one(push: Push, tmp_path: Path) -> None:
    graph = Dated()
    new = graph.tagged("1.4.2", layer="new")
    name, journal = push(graph), tmp_path / "changes.jsonl"
    apply_plan(plan([name]).tag("1.4", to="1.4.2").make(), journal=journal)

    [found] = undo(journal, dry_run=True).changes
    assert found == Untag(tag="1.4", digest=new, other_tags=None)
    assert str(found) == f"untag 1.4 ({new[:19]}: the image stays)"


def test_a_rule_that_matches_no_tag_is_a_note(push: Push) -> None:
    name = push(nightlies(2))

    [found] = plan([name]).keep("relase-*").prune("nightly-*", keep_last=1).prune("nightly-1").make().repositories
    assert found.notes == ("rule 1 (keep relase-*) matches no tag",)
    assert not found.failures


def test_a_rule_that_matches_in_one_of_several_repositories_is_no_mistake(push: Push, tmp_path: Path) -> None:
    other = Dated()
    other.tagged("1.4")
    names = [push(nightlies(2)), f"oci:{other.write(tmp_path / 'other')}"]

    made = plan(names).keep("1.*").prune("nightly-*", keep_last=1).keep("v*").make()
    assert [each.notes for each in made.repositories] == [("rule 3 (keep v*) matches no tag",), ()]


def test_an_image_without_a_date_is_kept_and_reported_by_keep_rules(push: Push) -> None:
    graph = nightlies(1)
    none = graph.tagged("nightly-2", None)
    planner = plan([push(graph)]).keep("*", newer_than="1d").prune("*", older_than="1d")

    [found] = planner.make(now=NOW).repositories
    assert [(each.tag, each.digest, each.reason) for each in found.kept] == [
        ("nightly-2", none, "it is not known when it was made")
    ]
    assert planner.explain("nightly-2")[0] == "rule 1 (keep *): kept: it is not known when it was made"


def test_an_index_that_gets_a_tag_needs_its_platforms(push: Push) -> None:
    graph = Dated()
    image = graph.dated()
    graph.tag(image, "pr-1")
    index = graph.index([image])
    graph.tag(index, "multi")
    name = push(graph)
    apply_plan(plan([name]).untag("multi").make())

    planner = plan([name]).prune("pr-*").tag("1.4", to=index["digest"])
    _, found = planner.make().changes
    assert str(found) == f"untag pr-1 ({image['digest'][:19]}, needed by the index 1.4: the image stays)"
    with pytest.raises(ConflictError, match=r"the index 1\.4 needs it"):
        plan([name]).untag("pr-1").tag("1.4", to=index["digest"]).delete_manifest(image["digest"]).make()
