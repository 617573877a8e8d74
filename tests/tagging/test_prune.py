"""Rules that keep tags, and rules that remove them."""

from datetime import timedelta
from typing import Any

import pytest

from dreg_client import TagFilter
from dreg_client.errors import ConflictError
from dreg_client.tagging.decide import Decide
from dreg_client.tagging.explicit import RemoveTag, SetTag
from dreg_client.tagging.facts import Decision, TagFacts
from dreg_client.tagging.rules import Keep, Prune
from tests.tagging.rules import NOW, Images, digest, removed

NIGHTLIES = {f"nightly-{day}": f"image-{day}" for day in range(1, 6)}
AGES = {f"image-{day}": day for day in range(1, 6)}


def test_the_newest_are_kept() -> None:
    planned = Images({**NIGHTLIES, "1.4": "image-5"}, AGES).plan(Prune.of("nightly-*", keep_last=3))

    assert removed(planned) == ["nightly-4", "nightly-5"]
    assert planned.difference().deleted == (digest("image-4"),), "image-5 has another tag"
    assert planned.explain("nightly-3") == ("rule 1 (prune nightly-*, keep 3): not removed: among the 3 newest",)
    assert planned.explain("1.4") == ("no rule is about it: it stays as it is",)


def test_images_are_counted_not_tags() -> None:
    tags = {"nightly-a": "image-1", "nightly-b": "image-1", "nightly-c": "image-2", "nightly-d": "image-3"}

    assert removed(Images(tags, AGES).plan(Prune.of("nightly-*", keep_last=2))) == ["nightly-d"]


def test_all_conditions_must_hold() -> None:
    assert removed(Images(NIGHTLIES, AGES).plan(Prune.of("*", keep_last=1, older_than="3d"))) == [
        "nightly-3",
        "nightly-4",
        "nightly-5",
    ]
    assert removed(Images(NIGHTLIES, AGES).plan(Prune.of("*", keep_last=4, older_than="3d"))) == ["nightly-5"]
    assert removed(Images(NIGHTLIES, AGES).plan(Prune.of("*", older_than="96h"))) == ["nightly-4", "nightly-5"]
    assert removed(Images(NIGHTLIES, AGES).plan(Prune.of("*", keep_last=0))) == [*NIGHTLIES]


@pytest.mark.parametrize("condition", [{"older_than": "2d"}, {"keep_last": 1}])
def test_an_image_of_unknown_age_is_kept_and_reported_and_does_not_count(condition: dict[str, Any]) -> None:
    planned = Images({**NIGHTLIES, "nightly-x": "dateless"}, AGES).plan(Prune.of("nightly-*", **condition))

    assert removed(planned) == [*NIGHTLIES][1:]
    assert [(it.tag, it.reason) for it in planned.reports] == [("nightly-x", "it is not known when it was made")]


def test_dates_of_reproducible_builds_are_unknown() -> None:
    planned = Images({"a": "old"}, {"old": 46.6 * 365.25}).plan(Prune.of("*", older_than="14d"))

    assert removed(planned) == []
    assert [it.tag for it in planned.reports] == ["a"]


def test_a_tag_that_is_kept_anyway_is_not_reported() -> None:
    planned = Images({"latest": "x", "a": "y"}).plan(Prune.of("*", older_than="1d", keep=["latest"]))

    assert [it.tag for it in planned.reports] == ["a"]


def test_a_tag_that_another_rule_removes_is_not_reported() -> None:
    planned = Images({"a": "y", "b": "y"}).plan(Prune.of("*", older_than="1d"), RemoveTag(tag="a"))

    assert [it.tag for it in planned.reports] == ["b"]


def test_versions_order_without_dates() -> None:
    tags = {"1.9": "a", "1.10": "b", "v1.11-rc1": "c", "1.2.0": "d", "latest": "e"}
    rule = Prune.of("*", keep_last=2, by="version")

    planned = Images(tags).plan(rule)

    assert removed(planned) == ["1.2.0", "1.9"]
    assert [(it.tag, it.reason) for it in planned.reports] == [("latest", "its tag is not a version")]
    assert rule.facts == frozenset()


def test_kept_tags_count_among_the_newest_but_excluded_ones_do_not() -> None:
    newest = Prune.of("*", keep_last=2, keep=["nightly-1"])
    assert removed(Images(NIGHTLIES, AGES).plan(newest)) == ["nightly-3", "nightly-4", "nightly-5"]
    others = Prune.of(TagFilter(exclude=("nightly-1",)), keep_last=2)
    assert removed(Images(NIGHTLIES, AGES).plan(others)) == ["nightly-4", "nightly-5"]


def test_keep_protects_from_later_rules_only() -> None:
    keep, prune = Keep.of("nightly-5"), Prune.of("*", older_than="3d")

    assert removed(Images(NIGHTLIES, AGES).plan(keep, prune)) == ["nightly-3", "nightly-4"]
    assert removed(Images(NIGHTLIES, AGES).plan(prune, keep)) == ["nightly-3", "nightly-4", "nightly-5"]


def test_rules_that_keep_add_up_and_the_rest_goes() -> None:
    """Harbor's tag retention: what no rule retains is deleted."""
    rules = Keep.of("*", last=1), Keep.of("*", newer_than="60h"), Keep.of("nightly-4"), Prune.of("*")

    assert removed(Images(NIGHTLIES, AGES).plan(*rules)) == ["nightly-3", "nightly-5"]


def test_both_conditions_of_keep_must_hold() -> None:
    rules = Keep.of("*", last=3, newer_than="36h"), Prune.of("*")

    assert removed(Images(NIGHTLIES, AGES).plan(*rules)) == ["nightly-2", "nightly-3", "nightly-4", "nightly-5"]


def test_keep_protects_what_has_no_date_or_cannot_be_read() -> None:
    images = Images({"a": "dateless", "b": "image-1", "c": "image-2"}, AGES, unreadable=["c"])

    assert removed(images.plan(Keep.of("*", newer_than="1h"), Prune.of("*"))) == ["b"]


def test_keep_without_conditions_needs_no_digests() -> None:
    assert Keep.of("*").chosen(["a"]) == []
    assert Keep.of("*", last=1).chosen(["a"]) == ["a"]


def test_without_deletion_images_stay() -> None:
    planned = Images(NIGHTLIES, AGES).plan(Prune.of("*", delete=False))

    assert removed(planned) == [*NIGHTLIES]
    assert planned.difference().deleted == ()


@pytest.mark.parametrize(
    ("tags", "images", "expected"),
    [
        ({"pr-1": "a", "main": "a", "pr-2": "b"}, None, ["pr-1", "pr-2"]),
        ({"pr-1": "a", "main": "a", "pr-2": "b"}, "any", ["main", "pr-1", "pr-2"]),
        ({"pr-1": "a", "main": "a", "pr-2": "b"}, "all", ["pr-2"]),
        ({"pr-1": "a", "latest": "a", "pr-2": "b"}, "any", ["pr-2"]),
        ({"pr-1": "a", "latest": "a", "pr-2": "b"}, "all", ["pr-2"]),
        ({"pr-1": "a", "latest": "a", "pr-2": "b"}, None, ["pr-1", "pr-2"]),
    ],
)
def test_whole_images_can_be_removed_if_any_or_all_of_their_tags_match(
    tags: dict[str, str], images: Any, expected: list[str]
) -> None:
    planned = Images(tags).plan(Prune.of("pr-*", images=images, keep=["latest"]))

    assert removed(planned) == expected


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (["prod-*"], ["alpha", "prod-1", "prod-2"]),
        (["prod-*", "alpha"], ["alpha", "prod-1"]),
        (["prod-*", "beta"], []),
    ],
)
def test_whole_images_can_be_removed_if_each_glob_matches_a_tag(match: list[str], expected: list[str]) -> None:
    """ECR's lifecycle rules: "only the images with all specified tags are selected"."""
    tags = {"prod-1": "a", "alpha": "a", "prod-2": "b", "other": "c"}

    assert removed(Images(tags).plan(Prune.of(match, images="each"))) == expected


def test_images_that_do_not_match_as_a_whole_do_not_count() -> None:
    tags = {"pr-1": "image-1", "main": "image-1", "pr-2": "image-2", "pr-3": "image-3"}

    planned = Images(tags, AGES).plan(Prune.of("pr-*", keep_last=1, images="all"))

    assert removed(planned) == ["pr-3"]
    assert planned.explain("pr-1")[0].endswith("another tag of its image, main, does not match")


def test_manifests_without_a_tag_can_be_kept() -> None:
    images = Images({"nightly-2": "image-2", "nightly-4": "image-4"}, AGES, untagged=["image-1", "image-3", "dateless"])

    planned = images.plan(Keep.of("*", last=2, untagged=True), Prune.of("*", untagged=True))

    assert removed(planned) == ["nightly-4"]
    assert {*planned.difference().deleted} == {digest("image-3"), digest("image-4")}


def test_manifests_without_a_tag_are_removed_by_age_and_number() -> None:
    untagged = ["image-3", "image-4", "dateless", "image-1"]
    rule = Prune.of("nightly-*", keep_last=2, older_than="2d", untagged=True)

    planned = Images({"nightly-2": "image-2", "nightly-5": "image-5"}, AGES, untagged=untagged).plan(rule)

    found = planned.difference()
    assert [*found.removed] == ["nightly-5"]
    assert {*found.deleted} == {digest("image-3"), digest("image-4"), digest("image-5")}
    assert [it.tag for it in planned.reports] == [digest("dateless")]


def test_only_manifests_without_a_tag_are_removed_if_no_tag_matches() -> None:
    rule = Prune.of(TagFilter(exclude=("*",)), untagged=True)

    found = Images(NIGHTLIES, AGES, untagged=["x"]).plan(rule).difference()

    assert (found.removed, found.deleted) == ({}, (digest("x"),))


def test_a_manifest_that_gets_a_tag_is_not_deleted() -> None:
    planned = Images(NIGHTLIES, AGES, untagged=["x"]).plan(
        Prune.of("*", untagged=True), SetTag(tag="again", to=digest("x")), SetTag(tag="saved", to=digest("image-1"))
    )

    assert digest("x") not in planned.difference().deleted
    assert digest("image-1") not in planned.difference().deleted


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "without tags and conditions, all tags would be removed"),
        ({"untagged": True}, "without tags and conditions, all tags would be removed"),
        ({"keep": ["latest"]}, "without tags and conditions, all tags would be removed"),
        ({"match": "*", "untagged": True, "delete": False}, "untagged manifests can only be deleted"),
        ({"keep_last": -1}, "must be 0 or more"),
        ({"match": "*", "by": "pushed"}, "by= takes"),
        ({"match": "*", "images": "some"}, "images= takes"),
        ({"older_than": "old"}, "is not an age"),
    ],
)
def test_a_rule_that_is_not_valid_is_rejected_when_it_is_given(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Prune.of(**given)


@pytest.mark.parametrize("given", [{"keep_last": "3"}, {"keep_last": True}, {"keep": "latest"}, {"untagged": 1}])
def test_values_of_the_wrong_type_are_rejected(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Prune.of("*", **given)


def test_a_function_decides_from_facts() -> None:
    def decide(tag: TagFacts) -> Decision | None:
        if tag.name == "1.4":
            return Decision.tag("stable", "old")
        if tag.other_tags:
            return Decision.untag()
        return (
            Decision.prune()
            if tag.created and tag.created < NOW - timedelta(days=3)
            else Decision.keep()
            if tag.name == "b"
            else None
        )

    images = Images({"1.4": "x", "old": "y", "a": "z", "b": "z", "pr": "p"}, {"x": 1, "z": 2, "p": 10, "y": 0})
    planned = images.plan(Decide.of(decide, facts=["created"]), Prune.of("*", keep_last=0, keep=["stable", "old"]))

    found = planned.difference()
    assert found.new == {"stable": digest("x")}
    assert [*found.moved] == ["old"]
    assert [*found.removed] == ["1.4", "a", "b", "pr"]
    assert found.deleted == (digest("p"),)


def test_a_function_must_return_a_decision_and_valid_tags() -> None:
    images = Images({"a": "x", "b": "y"})

    with pytest.raises(TypeError, match="must return a Decision or None, not 'prune', for a"):
        images.plan(Decide.of(lambda _: "prune"))  # type: ignore[arg-type,return-value]
    with pytest.raises(ValueError, match="adds the tag '-x' to a, which is not a valid tag"):
        images.plan(Decide.of(lambda _: Decision.tag("-x")))
    with pytest.raises(ConflictError, match="gives the tag new to a and to b, which are different images"):
        images.plan(Decide.of(lambda _: Decision.tag("new")))
    with pytest.raises(ValueError, match="facts= takes 'created'"):
        Decide.of(lambda _: None, facts=["age"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="takes a function"):
        Decide.of("prune")  # type: ignore[arg-type]
