"""What holds for any tags and any rules."""

from datetime import timedelta
from typing import Any

from hypothesis import given, reject
from hypothesis import strategies as st

from dreg_client.errors import ConflictError
from dreg_client.tagging.explicit import RemoveTag, SetTag
from dreg_client.tagging.facts import EARLIEST
from dreg_client.tagging.planned_tags import PlannedTags
from dreg_client.tagging.retag import Retag
from dreg_client.tagging.rules import Keep, Prune
from tests.tagging.rules import NOW, Images, digest

NAMES = st.one_of(
    st.sampled_from(
        ["latest", "1.4", "1.4.1", "1.4.2", "v1.4.2", "1.5.0-rc1", "2.0.0", "nightly-1", "nightly-2", "pr-7"]
    ),
    st.from_regex(r"[a-z][a-z0-9.-]{0,6}", fullmatch=True),
)
IMAGES = st.sampled_from("abcdefgh")
TAGS = st.dictionaries(NAMES, IMAGES, max_size=12)
AGES = st.dictionaries(IMAGES, st.sampled_from([0.5, 1, 2, 3, 10, 20, 20_000]), max_size=8)
MATCHES = st.sampled_from(["*", "1.*", "nightly-*", "*-*", "[a-m]*"])
PRUNES = st.builds(
    Prune.of,
    MATCHES,
    keep_last=st.none() | st.integers(0, 4),
    older_than=st.sampled_from([None, "24h", "3d"]),
    keep=st.sampled_from([(), ("latest",), ("1.*", "*-2")]),
    by=st.sampled_from(["created", "version"]),
    delete=st.booleans(),
    images=st.sampled_from([None, "any", "all"]),
)
KEEPS = st.builds(Keep.of, MATCHES, last=st.none() | st.integers(0, 3), newer_than=st.sampled_from([None, "36h"]))
RULES = st.lists(
    st.one_of(
        PRUNES,
        KEEPS,
        st.builds(lambda tag: Retag.of(tag, "kept-{tag}"), MATCHES),
        st.just(Retag.of("*", "{major}.{minor}.{patch}-copy")),
        st.builds(lambda tag, to: SetTag(tag=tag, to=digest(to), moves=True), NAMES, IMAGES),
        st.builds(lambda tag: RemoveTag(tag=f"no-{tag}"), NAMES),
    ),
    max_size=4,
)


def planned_by(rules: Any, tags: dict[str, str], ages: dict[str, float]) -> PlannedTags:
    """Apply rules, unless they say different things, such as two images of the same version for one tag."""
    try:
        return Images(tags, ages).plan(*rules)
    except ConflictError:
        reject()


@given(TAGS, AGES, RULES)
def test_the_difference_is_minimal_and_leads_from_what_was_read_to_what_is_planned(
    tags: dict[str, str], ages: dict[str, float], rules: Any
) -> None:
    planned = planned_by(rules, tags, ages)

    found = planned.difference()
    before = {tag: digest(image) for tag, image in tags.items()}
    planned.learn(before)
    after = {tag: at for tag in planned.names if (at := planned.digest_of(tag))}
    assert after == {tag: at for tag, at in before.items() if tag not in found.removed} | dict(found.new) | {
        tag: at for tag, (_, at) in found.moved.items()
    }
    assert all(before[tag] == at for tag, at in found.removed.items())
    assert all(before[tag] == was != at for tag, (was, at) in found.moved.items())
    assert not found.new.keys() & before.keys()
    assert not {*found.deleted} & {*after.values()}, "no image is deleted that has a tag"
    assert {*found.deleted} <= {*before.values()}
    for it in planned.reports:
        assert planned.has(it.tag)


@given(TAGS, AGES, RULES, st.randoms(use_true_random=False))
def test_the_order_of_the_tags_does_not_matter(
    tags: dict[str, str], ages: dict[str, float], rules: Any, chance: Any
) -> None:
    names = [*tags]
    chance.shuffle(names)

    first = planned_by(rules, tags, ages)
    second = planned_by(rules, {name: tags[name] for name in names}, ages)

    assert first.difference() == second.difference()
    assert first.reports == second.reports
    assert all(first.explain(tag) == second.explain(tag) for tag in names)


@given(TAGS, AGES, PRUNES)
def test_nothing_of_unknown_age_is_removed_if_the_age_matters(
    tags: dict[str, str], ages: dict[str, float], rule: Prune
) -> None:
    found = Images(tags, ages).plan(rule).difference()

    known = {digest(image) for image, age in ages.items() if NOW - timedelta(days=age) >= EARLIEST}
    if rule.recent.needs_dates:
        assert {*found.removed.values()} <= known


@given(TAGS, AGES, st.integers(0, 5))
def test_the_newest_images_are_counted_by_digest(tags: dict[str, str], ages: dict[str, float], count: int) -> None:
    planned = Images(tags, ages).plan(Prune.of("*", keep_last=count))

    known = {image: age for image, age in ages.items() if image in tags.values() and age < 20_000}
    left = {image for image in known if planned.tags_of(digest(image))}
    assert len(left) == min(count, len(known))
    assert all(known[one] <= known[other] for one in left for other in known.keys() - left)


@given(TAGS, AGES, st.lists(PRUNES, max_size=3), MATCHES)
def test_what_is_kept_first_is_never_removed(
    tags: dict[str, str], ages: dict[str, float], rules: Any, match: str
) -> None:
    keep = Keep.of(match)

    found = Images(tags, ages).plan(keep, *rules).difference()

    assert not {*keep.matching.chosen(tags)} & found.removed.keys()


@given(TAGS, AGES, PRUNES, st.sets(NAMES))
def test_tags_that_cannot_be_read_stay(
    tags: dict[str, str], ages: dict[str, float], rule: Prune, broken: set[str]
) -> None:
    planned = Images(tags, ages, unreadable=broken).plan(rule)

    assert not broken & planned.difference().removed.keys()


@given(TAGS, AGES, RULES)
def test_each_change_is_explained(tags: dict[str, str], ages: dict[str, float], rules: Any) -> None:
    planned = planned_by(rules, tags, ages)

    found = planned.difference()
    for tag in (*found.new, *found.moved, *found.removed):
        assert planned.explain(tag)[0].startswith("rule ")
