"""The planned state of tags, explicit changes, and the difference to what was read."""

from typing import Any

import pytest

from dreg_client.errors import ConflictError
from dreg_client.tagging.explicit import DeleteDigest, RemoveTag, SetTag
from dreg_client.tagging.planned_tags import Difference, PlannedTags
from dreg_client.tagging.rules import Keep, Prune
from tests.tagging.rules import Images, digest, removed, set_tags

TAGS = {"1.4": "a", "1.4.2": "a", "latest": "b"}


def test_explicit_changes_see_those_before_them() -> None:
    planned = Images(TAGS).plan(
        SetTag(tag="stable", to="1.4.2"),
        SetTag(tag="latest", to="stable", moves=True),
        RemoveTag(tag="1.4"),
        RemoveTag(tag="absent"),
        SetTag(tag="pinned", to=digest("c")),
    )

    found = planned.difference()
    assert found.new == {"pinned": digest("c"), "stable": digest("a")}
    assert found.moved == {"latest": (digest("b"), digest("a"))}
    assert found.removed == {"1.4": digest("a")}
    assert found.deleted == ()
    assert planned.explain("absent") == ("rule 4 (untag absent): there is no such tag",)
    assert planned.explain("never") == ("there is no such tag",)


def test_a_tag_that_is_set_and_restored_is_not_changed() -> None:
    planned = Images(TAGS).plan(
        SetTag(tag="latest", to="1.4", moves=True),
        SetTag(tag="latest", to=digest("b"), moves=True),
        RemoveTag(tag="1.4"),
        SetTag(tag="1.4", to="1.4.2"),
        SetTag(tag="new", to="1.4"),
        RemoveTag(tag="new"),
    )

    assert planned.difference() == Difference()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            SetTag(tag="latest", to="1.4"),
            r"the tag latest exists and names sha256:3e2.*; to move it, use: move\('latest'",
        ),
        (SetTag(tag="new", to="absent"), "cannot tag new: there is no tag absent"),
    ],
)
def test_a_change_that_contradicts_the_repository_is_a_conflict(change: Any, problem: str) -> None:
    with pytest.raises(ConflictError, match=problem):
        Images(TAGS).plan(change)


def test_a_tag_that_a_rule_keeps_cannot_be_untagged() -> None:
    with pytest.raises(ConflictError, match=r"cannot untag 1\.4: a rule before it keeps the tag"):
        Images(TAGS).plan(Keep.of("1.*"), RemoveTag(tag="1.4"))


def test_a_tag_that_has_the_digest_already_is_not_a_conflict() -> None:
    assert set_tags(Images(TAGS).plan(SetTag(tag="1.4", to="1.4.2"))) == {}


def test_what_cannot_be_read_is_left_as_it_is() -> None:
    images = Images(TAGS, unreadable=["1.4", "latest"])

    planned = images.plan(
        SetTag(tag="1.4", to="1.4.2", moves=True),
        SetTag(tag="new", to="latest"),
        RemoveTag(tag="latest"),
        Prune.of("1.4"),
    )

    assert planned.difference() == Difference()


def test_a_manifest_that_is_named_by_its_digest_keeps_its_tags_in_the_plan() -> None:
    planned = Images(TAGS).plan(DeleteDigest(digest=digest("b"), referrers=True), DeleteDigest(digest=digest("b")))

    assert planned.difference().explicit == {digest("b"): True}
    assert planned.tags_of(digest("b")) == ("latest",)
    assert planned.explain("latest")[0].endswith("names the manifest that is to be deleted")


def test_an_image_that_loses_its_last_tag_to_untag_or_move_is_not_deleted() -> None:
    """Only a rule that deletes may delete, and only with the last tag."""
    assert Images(TAGS).plan(RemoveTag(tag="latest")).difference().deleted == ()
    assert Images(TAGS).plan(SetTag(tag="latest", to="1.4", moves=True)).difference().deleted == ()
    assert Images(TAGS).plan(Prune.of("1.4"), RemoveTag(tag="1.4.2")).difference().deleted == ()
    assert Images(TAGS).plan(RemoveTag(tag="1.4.2"), Prune.of("1.4")).difference().deleted == (digest("a"),)


def test_an_image_that_only_the_plan_named_is_not_deleted() -> None:
    planned = Images(TAGS).plan(SetTag(tag="new", to=digest("x")), Prune.of("new"))

    assert planned.difference() == Difference()


def test_digest_tags_are_no_tags_of_an_image() -> None:
    signature = f"sha256-{64 * '0'}.sig"
    planned = Images({signature: "s", "a": "s"}).plan(Prune.of("*"))

    assert removed(planned) == ["a"]
    assert planned.difference().deleted == (digest("s"),)
    assert planned.tags_of(digest("s")) == ()


def test_digests_are_learned_once_and_unknown_names_are_ignored() -> None:
    planned = PlannedTags(["a"])

    planned.learn({"a": digest("x"), "b": digest("x")})
    planned.learn({"a": digest("y")})

    assert (planned.digest_of("a"), planned.digest_of("b"), planned.names) == (digest("x"), None, ["a"])
    assert planned.was_there("a")
    assert not planned.was_there("b")
    assert planned.read_digest("a") == digest("x")
