"""Rules that give images new tags, and copy them to other repositories."""

import re

import pytest

from dreg_client.errors import ConflictError
from dreg_client.tagging.planned_tags import Promotion
from dreg_client.tagging.retag import Promote, Retag
from tests.tagging.rules import Images, digest, removed, set_tags

RELEASES = {"1.4.1": "a", "1.4.2": "b", "1.4.10": "c", "1.5.0-rc1": "d", "2.0.0-alpine": "e", "1.4": "a", "latest": "a"}


def test_tags_follow_the_highest_version() -> None:
    images = Images(RELEASES)

    planned = images.plan(Retag.of("*", "{major}.{minor}"), Retag.of(None, "latest", semver="*"))

    assert planned.difference().new == {}
    assert planned.difference().moved == {"1.4": (digest("a"), digest("c")), "latest": (digest("a"), digest("c"))}
    assert images.read == {"1.4.10", "1.4", "latest"}, "only the digests of what is changed are read"


def test_a_suffix_that_the_template_drops_must_be_named_by_the_filter() -> None:
    """Otherwise, the tag 2 would become the image of a variant, and 1.5 that of a release candidate."""
    assert set_tags(Images(RELEASES).plan(Retag.of("*", "{major}"))) == {"1": digest("c")}
    assert set_tags(Images(RELEASES).plan(Retag.of("1.*", "{major}"))) == {"1": digest("c")}
    assert set_tags(Images(RELEASES).plan(Retag.of("*-rc*", "{major}.{minor}"))) == {"1.5": digest("d")}
    assert set_tags(Images(RELEASES).plan(Retag.of(re.compile(r".*-alpine"), "{major}"))) == {"2": digest("e")}
    kept = set_tags(Images(RELEASES).plan(Retag.of("2*", "v{version}")))
    assert kept == {"v2.0.0-alpine": digest("e")}


def test_the_newest_image_wins_where_tags_are_not_versions() -> None:
    images = Images({"main-ab": "a", "main-cd": "b", "main-ef": "c"}, {"a": 3, "b": 1, "c": 2})

    planned = images.plan(Retag.of(re.compile(r"(main)-.*"), "{1}"))

    assert set_tags(planned) == {"main": digest("b")}
    assert planned.explain("main-ab") == ("rule 1 (retag /(main)-.*/ to {1}): does not become main: main-cd does",)


def test_dates_are_read_only_if_versions_do_not_decide() -> None:
    rule = Retag.of("*", "{major}")

    assert rule.with_facts(["1.4.1", "1.4.2", "2.0.0"]) == []
    assert rule.with_facts(["1.4.2", "v1.4.2", "2.0.0"]) == ["1.4.2", "v1.4.2"]


@pytest.mark.parametrize("ages", [{}, {"a": 1}, {"a": 1, "b": 1}])
def test_several_images_for_a_tag_are_a_conflict_if_none_is_the_newest(ages: dict[str, float]) -> None:
    images = Images({"1.4.2": "a", "v1.4.2": "b"}, ages)

    with pytest.raises(ConflictError, match=r"1\.4\.2, v1\.4\.2 are different images that would all become 1\.4, and"):
        images.plan(Retag.of("*", "{major}.{minor}"))


def test_several_tags_of_one_image_are_no_conflict() -> None:
    planned = Images({"1.4.2": "a", "v1.4.2": "a"}).plan(Retag.of("*", "{major}.{minor}"))

    assert set_tags(planned) == {"1.4": digest("a")}


def test_a_tag_stays_as_it_is_if_the_one_to_follow_cannot_be_read() -> None:
    planned = Images({"1.4.1": "a", "1.4.2": "b", "1.4": "a"}, unreadable=["1.4.2"]).plan(
        Retag.of("*", "{major}.{minor}")
    )

    assert set_tags(planned) == {}
    assert "could not be read" in planned.explain("1.4.2")[0]


def test_a_tag_that_is_moved_and_cannot_be_read_is_left_out() -> None:
    planned = Images({"1.4.2": "b", "1.4": "a"}, unreadable=["1.4"]).plan(Retag.of("*", "{major}.{minor}"))

    assert planned.unread == ["1.4"]
    assert set_tags(planned) == {}


def test_a_result_that_is_not_a_tag_is_a_failure_of_that_tag_alone() -> None:
    rule = Retag.of(re.compile(r"(?:web)?(.*)"), "{1}")

    planned = Images({"web-1": "a", "web2": "b", "x": "c"}).plan(rule)

    assert set_tags(planned) == {"2": digest("b")}
    assert planned.failures == {"web-1": "{1} makes '-1' of it, which is not a tag"}


def test_a_backup_is_of_what_the_tag_names_before_later_rules() -> None:
    planned = Images({"1.4.2": "b", "latest": "a"}).plan(
        Retag.of("latest", "previous-{tag}"), Retag.of(None, "latest", semver="*")
    )

    assert set_tags(planned) == {"previous-latest": digest("a"), "latest": digest("b")}


def test_rules_see_the_tags_of_those_before_them() -> None:
    planned = Images({"1.4.2": "b"}).plan(Retag.of("*", "{major}.{minor}"), Retag.of("1.4", "stable"))

    assert set_tags(planned) == {"1.4": digest("b"), "stable": digest("b")}
    assert planned.explain("1.4") == (
        "rule 1 (retag * to {major}.{minor}): names sha256:3e23e8160039, the image of 1.4.2",
        "rule 2 (retag 1.4 to stable): becomes stable",
    )


def test_an_image_is_copied_under_a_tag_that_it_had_when_it_was_read() -> None:
    rule = Promote.of(re.compile(r"(?P<release>[\d.]+)-rc\d+"), into="oci:out", template="{release}", referrers=True)

    planned = Images({"1.5.0-rc1": "c", "1.5.0-rc2": "d", "1.5.0": "x"}).plan(rule, Promote.of("1.5.0", into="oci:b"))

    assert planned.difference().promotions == (
        Promotion("oci:out", "1.5.0", digest("d"), "1.5.0-rc2", referrers=True),
        Promotion("oci:b", "1.5.0", digest("x"), "1.5.0"),
    )
    assert removed(planned) == []


def test_a_tag_that_is_only_planned_is_copied_by_another_tag_of_its_image() -> None:
    planned = Images({"1.4.2": "b"}).plan(Retag.of("*", "stable"), Promote.of("stable", into="oci:out"))

    assert planned.difference().promotions == (Promotion("oci:out", "stable", digest("b"), "1.4.2"),)
