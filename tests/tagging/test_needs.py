"""What may be deleted, what goes with it, and what needs the rest, without INDEX/O."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from dreg_client import Digest
from dreg_client.tagging.facts import ManifestFacts
from dreg_client.tagging.needs import Deletion, KnownManifests, decide, extent, referrers_of


def digest(name: str) -> Digest:
    return Digest(f"sha256:{sha256(name.encode()).hexdigest()}")


D, INDEX, C1, C2, R, R2 = (digest(name) for name in ("image", "index", "child 1", "child 2", "referrer", "referrer 2"))


def facts(
    name: Digest, *children: Digest, subject: Digest | None = None, blobs: Mapping[str, int] | None = None
) -> ManifestFacts:
    return ManifestFacts(
        digest=name,
        media_type="",
        manifest_size=1,
        is_read=True,
        children=children,
        subject=subject,
        blobs=tuple((digest(blob), size) for blob, size in (blobs or {}).items()),
    )


def known(*found: ManifestFacts, tags: Mapping[str, Digest], untagged: Iterable[Digest] = ()) -> KnownManifests:
    return KnownManifests({each.digest: each for each in found}, tags, untagged=[*untagged])


def test_an_image_that_nothing_needs_may_be_deleted() -> None:
    it = known(facts(D, blobs={"own": 100, "base": 10}), facts(C1, blobs={"base": 10}), tags={"1.4": C1})

    assert decide(it, [D]).deletions == (Deletion(D, size=111, shared_size=10),)


def test_platforms_go_with_their_index() -> None:
    it = known(facts(INDEX, C1, C2), facts(C1, blobs={"base": 10}), facts(C2, blobs={"base": 10}), tags={})

    [found] = decide(it, [INDEX]).deletions
    assert (found.platforms, found.size, found.shared_size) == ((C1, C2), 13, 0)


def test_platforms_that_something_else_needs_stay() -> None:
    other = digest("other index")
    it = known(facts(INDEX, C1, C2), facts(other, C2), facts(C1), facts(C2), tags={"other": other})

    [found] = decide(it, [INDEX]).deletions
    assert found.platforms == (C1,)


def test_an_image_in_an_index_that_stays_is_needed() -> None:
    it = known(facts(INDEX, C1), facts(C1), tags={"1.4": INDEX})

    assert decide(it, [C1]).needed == {C1: "the index 1.4"}


def test_an_image_in_an_index_without_a_tag_is_needed() -> None:
    it = known(facts(INDEX, C1), facts(C1), tags={}, untagged=[INDEX])

    assert [*decide(it, [C1]).needed] == [C1]


def test_referrers_go_with_their_subject_and_theirs_with_them() -> None:
    it = known(facts(D), facts(R, subject=D), facts(R2, subject=R), tags={})

    [found] = decide(it, [D]).deletions
    assert found.referrers == (R, R2)


def test_referrers_of_a_platform_go_with_the_index() -> None:
    it = known(facts(INDEX, C1), facts(C1), facts(R, subject=C1), tags={})

    [found] = decide(it, [INDEX]).deletions
    assert (found.platforms, found.referrers) == ((C1,), (R,))


def test_a_referrer_with_a_tag_needs_its_subject() -> None:
    it = known(facts(D), facts(R, subject=D), facts(R2, subject=R), tags={"sbom": R2})

    assert decide(it, [D]).needed == {D: f"the referrer {R.algorithm}:{R.encoded[:12]}"}


def test_a_referrer_of_what_stays_stays_even_if_an_index_that_is_deleted_has_it() -> None:
    it = known(facts(INDEX, R), facts(R, subject=D), facts(D), tags={"1.4": D})

    [found] = decide(it, [INDEX]).deletions
    assert found.platforms == ()


def test_a_referrer_may_be_deleted_without_its_subject() -> None:
    lists = digest("list of referrers")
    it = known(facts(D), facts(R, subject=D), facts(lists, R), tags={"1.4": D, str(D).replace(":", "-"): lists})

    assert decide(it, [R]).deletions == (Deletion(R, size=1, shared_size=0),)


def test_referrers_to_delete_go_before_their_subject_and_are_named_by_it() -> None:
    it = known(facts(D), facts(R, subject=D), tags={})

    first, second = decide(it, [D, R]).deletions
    assert (first.digest, second.digest, second.referrers, second.size) == (R, D, (R,), 1)


def test_indexes_to_delete_go_before_their_children() -> None:
    it = known(facts(INDEX, C1), facts(C1), tags={})

    assert [(each.digest, each.platforms) for each in decide(it, [C1, INDEX]).deletions] == [(INDEX, ()), (C1, ())]


def test_what_two_indexes_contain_goes_with_the_last_one() -> None:
    other = digest("other index")
    it = known(facts(INDEX, C1), facts(other, C1), facts(C1), tags={})

    assert [each.platforms for each in decide(it, [INDEX, other]).deletions] == [(), (C1,)]


def test_digest_tags_go_with_their_subject_and_those_about_them_too() -> None:
    signature = digest("signature")
    tags = {f"sha256-{D.encoded}.sig": signature, f"sha256-{signature.encoded}.sig": digest("its signature")}
    it = known(facts(D), facts(signature), facts(digest("its signature")), tags=tags)

    [found] = decide(it, [D]).deletions
    assert (found.digest_tags, found.size) == ((*tags,), 3)


def test_digest_tags_about_what_stays_keep_their_manifests() -> None:
    it = known(facts(D), facts(C1), tags={"1.4": D, f"sha256-{D.encoded}.att": C1})

    assert decide(it, [C1]).needed == {C1: f"the tag sha256-{D.encoded}.att"}


def test_sizes_are_unknown_if_something_was_not_read() -> None:
    it = known(facts(INDEX, C1), ManifestFacts(digest=C1, media_type=""), tags={})

    [found] = decide(it, [INDEX]).deletions
    assert (found.size, found.shared_size) == (None, None)


def test_the_extent_is_everything_that_may_go() -> None:
    it = known(facts(INDEX, C1), facts(C1), facts(R, subject=C1), facts(D), tags={"1.4": D})

    assert extent(it, [INDEX]) == {INDEX, C1, R}
    assert referrers_of(it, [C1]) == [R]


@st.composite
def repositories(draw: st.DrawFn) -> tuple[KnownManifests, list[Digest]]:
    made: list[ManifestFacts] = []
    for number in range(draw(st.integers(1, 8))):
        before = st.sampled_from([each.digest for each in made]) if made else st.nothing()
        children = draw(st.lists(before, max_size=3, unique=True)) if made else []
        subject = draw(st.none() | before) if made else None
        made.append(facts(digest(str(number)), *children, subject=subject))
    digests = [each.digest for each in made]
    names = ["a", "b", "c", *(f"sha256-{each.encoded}.sig" for each in digests[:2]), f"sha256-{digests[0].encoded}"]
    tags = draw(st.dictionaries(st.sampled_from(names), st.sampled_from(digests)))
    untagged = draw(st.lists(st.sampled_from(digests), max_size=2, unique=True))
    deleted = draw(st.lists(st.sampled_from(digests), min_size=1, max_size=4, unique=True))
    return known(*made, tags=tags, untagged=[each for each in untagged if each not in deleted]), deleted


@given(repositories())
def test_nothing_that_stays_needs_what_is_deleted(drawn: tuple[KnownManifests, list[Digest]]) -> None:
    it, deleted = drawn
    found = decide(it, deleted)

    assert {each.digest for each in found.deletions} | found.needed.keys() == {*deleted}
    gone = {one for each in found.deletions for one in (each.digest, *each.platforms, *each.referrers)}
    tags = {
        tag: named
        for tag, named in it.tags.items()
        if tag not in {it for each in found.deletions for it in each.digest_tags}
    }
    assert gone.isdisjoint(tags.values())
    lists = {named for tag, named in tags.items() if tag.startswith("sha256-") and "." not in tag}
    for facts_of in it.manifests.values():
        if facts_of.digest in gone:
            continue
        subject = facts_of.subject
        assert subject not in gone, "a referrer stays without its subject"
        reached = facts_of.digest in {*tags.values(), *it.untagged} - lists
        assert not reached or gone.isdisjoint(facts_of.children), "an index stays without its children"


@given(repositories())
def test_each_manifest_goes_once_and_indexes_go_first(drawn: tuple[KnownManifests, list[Digest]]) -> None:
    it, deleted = drawn
    order = [each.digest for each in decide(it, deleted).deletions]
    taken = [
        one for each in decide(it, deleted).deletions for one in (*each.platforms, *each.referrers) if one not in order
    ]

    assert len(taken) == len({*taken})
    for number, each in enumerate(order):
        assert not {*it.manifests[each].children} & {*order[:number]}
