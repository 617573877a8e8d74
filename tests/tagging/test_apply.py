"""Plans are applied only as far as everything is still as they say."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from dreg_client import (
    AddTag,
    Answered,
    Changed,
    CopyTag,
    DeleteManifest,
    Digest,
    Layout,
    MoveTag,
    Registry,
    RepositoryTagPlan,
    RestoreManifest,
    TagPlan,
    Untag,
    apply_plan,
    errors,
)
from tests.copying.graphs import names
from tests.registries import RunningRegistry
from tests.tagging.changing import Doing, Images, LayoutPlace, Place, RegistryPlace, both, filled

NUMBERS = count()
MISSING = Digest("sha256:" + 64 * "0")
Make = Callable[[Images], Place]


@pytest.fixture(params=["registry", "layout"])
def make(request: pytest.FixtureRequest, registry: RunningRegistry, tmp_path: Path) -> Make:
    """Write images to a new repository, or to a new layout."""

    def write(images: Images) -> Place:
        number = next(NUMBERS)
        of_registry = request.param == "registry"
        place = RegistryPlace(registry, f"applied/{number}") if of_registry else LayoutPlace(tmp_path / f"at-{number}")
        return filled(place, images.graph, tmp_path / f"source-{number}")

    return write


def two() -> Images:
    """`1.4.2` and `latest` name one image, `1.4.1` another one."""
    images = Images("old", "new")
    images.tag("old", "1.4.1", "latest")
    images.tag("new", "1.4.2")
    return images


@both
def test_tags_are_added_moved_and_deleted(run: Doing, make: Make) -> None:
    images = two()
    place = make(images)
    add = AddTag(tag="1.4", digest=images["new"])
    move = MoveTag(tag="latest", digest=images["new"], replaces=images["old"])
    untag = Untag(tag="1.4.1", digest=images["old"])

    done = run.apply(place.plan(add, move, untag))
    again = run.apply(place.plan(add, move, untag))

    assert done.done == again.repositories[0].already == (add, move, untag)
    assert not done.failures
    assert place.tags() == dict.fromkeys(["1.4", "1.4.2", "latest"], images["new"])
    assert place.has(images["old"])


@both
def test_a_tag_that_has_moved_since_is_a_conflict(run: Doing, make: Make) -> None:
    images = two()
    place = make(images)
    before = place.tags()
    plan = place.plan(
        AddTag(tag="1.4.1", digest=images["new"]),
        MoveTag(tag="latest", digest=images["old"], replaces=images["new"]),
        MoveTag(tag="gone", digest=images["new"], replaces=images["old"]),
        Untag(tag="1.4.2", digest=images["old"]),
    )

    done = run.apply(plan)
    other = run.apply(place.plan(MoveTag(tag="latest", digest=images["new"], replaces=MISSING)))

    assert place.tags() == before
    assert {name.rpartition(":")[2] for name in done.conflicts} == {"1.4.1", "gone", "1.4.2"}
    assert [*other.conflicts] == [f"{place.name}:latest"]
    assert done.repositories[0].already == (plan.changes[1],)
    assert "names" in str(done.repositories[0].failed["1.4.1"])


@both
def test_one_failure_stops_nothing_else(run: Doing, make: Make) -> None:
    images = two()
    place = make(images)

    done = run.apply(place.plan(AddTag(tag="nowhere", digest=MISSING), AddTag(tag="1.4", digest=images["new"])))

    assert isinstance(done.repositories[0].failed["nowhere"], errors.NotFoundError)
    assert place.tags()["1.4"] == images["new"]


@both
def test_a_tag_stays_if_its_image_did_not_get_its_new_one(run: Doing, make: Make) -> None:
    images = two()
    place = make(images)

    done = run.apply(
        place.plan(
            AddTag(tag="1.4.1", digest=images["new"]), Untag(tag="1.4.2", digest=images["new"], other_tags=("1.4.1",))
        )
    )

    assert "1.4.2" in place.tags()
    assert "did not get the tag 1.4.1" in str(done.repositories[0].failed["1.4.2"])


def signed() -> Images:
    """`1` and `stable` name an index of two platforms with a signature; `2` names another index of one of them."""
    images = Images("amd64", "arm64", "other", one=["amd64", "arm64"])
    images.tag("one", "1", "stable")
    images.tag("other", "2")
    images.sign("one")
    return images


def deletion(images: Images, **given: Any) -> DeleteManifest:
    return DeleteManifest(
        digest=images["one"],
        **{
            "tags": ("1", "stable"),
            "platforms": (images["amd64"], images["arm64"]),
            "referrers": (images["signature of one"],),
            **given,
        },
    )


@both
def test_a_manifest_is_deleted_with_everything_that_the_plan_names(run: Doing, make: Make) -> None:
    images = signed()
    place = make(images)

    done = run.apply(place.plan(change := deletion(images)))
    again = run.apply(place.plan(change))

    assert (done.done, dict(done.failures)) == ((change,), {})
    assert again.repositories[0].already == (change,)
    assert place.tags() == {"2": images["other"]}
    assert not any(map(place.has, [images[each] for each in ("one", "amd64", "arm64", "signature of one")]))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"tags": ("1",)}, "the tag stable leads to it now"),
        ({"referrers": ()}, "refers to it, but is not in the plan"),
        ({"tags": ("1", "stable", "2")}, "its tag 2 names"),
    ],
)
@both
def test_a_manifest_that_something_else_needs_is_not_deleted(run: Doing, make: Make, given: Any, reason: str) -> None:
    images = signed()
    place = make(images)
    before = place.tags()

    done = run.apply(place.plan(deletion(images, **given)))

    (failure,) = done.conflicts.values()
    assert reason in str(failure)
    assert {tag: digest for tag, digest in place.tags().items() if not tag.startswith("sha256-")} == {
        tag: digest for tag, digest in before.items() if not tag.startswith("sha256-")
    }
    assert place.has(images["one"])
    assert place.has(images["amd64"])


@both
def test_a_platform_that_a_new_index_contains_is_not_deleted(run: Doing, make: Make) -> None:
    images = signed()
    images.made["new"] = images.graph.index([images.made["amd64"]])
    images.made["outer"] = images.graph.index([images.made["new"]])
    images.tag("outer", "3")
    place = make(images)

    done = run.apply(place.plan(deletion(images)))

    (failure,) = done.conflicts.values()
    assert f"the tag 3 leads to {images['amd64']} now" in str(failure)
    assert all(map(place.has, [images["one"], images["amd64"]]))


@both
def test_an_index_and_a_tagged_platform_of_it_are_deleted_in_this_order(run: Doing, make: Make) -> None:
    images = Images("amd64", "arm64", one=["amd64", "arm64"])
    images.tag("one", "1")
    images.tag("amd64", "1-amd64")
    place = make(images)

    done = run.apply(
        place.plan(
            DeleteManifest(digest=images["one"], tags=("1",), platforms=(images["arm64"],)),
            DeleteManifest(digest=images["amd64"], tags=("1-amd64",)),
        )
    )

    assert not done.failures
    assert place.tags() == {}
    assert not any(map(place.has, [images["one"], images["amd64"], images["arm64"]]))


@both
def test_digest_tags_go_with_their_subject(run: Doing, make: Make) -> None:
    images = Images("one", "other", "signature")
    signature = f"{images['one'].replace(':', '-')}.sig"
    images.tag("one", "1")
    images.tag("other", "2")
    images.tag("signature", signature)
    place = make(images)

    rejected = run.apply(place.plan(DeleteManifest(digest=images["one"], tags=("1",))))
    done = run.apply(place.plan(DeleteManifest(digest=images["one"], tags=("1",), digest_tags=(signature,))))

    assert [f"got the digest tag {signature}" in str(each) for each in rejected.conflicts.values()] == [True]
    assert not done.failures
    assert place.tags() == {"2": images["other"]}
    assert not place.has(images["signature"])


@both
def test_images_are_copied_before_they_are_deleted_where_they_come_from(run: Doing, make: Make, tmp_path: Path) -> None:
    images = signed()
    place = make(images)
    into = f"oci:{tmp_path}/production"
    copied = CopyTag(source=place.name, tag="1.0", digest=images["one"], source_tag="1", referrers=True)
    stale = CopyTag(source=place.name, tag="2.0", digest=images["one"], source_tag="2")
    plan = TagPlan(
        repositories=(
            RepositoryTagPlan(repository=place.name, changes=(deletion(images),)),
            RepositoryTagPlan(repository=into, changes=(copied, stale)),
        )
    )

    first = run.apply(plan)
    second = run.apply(
        TagPlan(repositories=(plan.repositories[0], plan.repositories[1].model_copy(update={"changes": (copied,)})))
    )

    assert first.repositories[1].done == (copied,)
    assert "the tag 2 of" in str(first.repositories[1].failed["2.0"])
    assert "could not be copied" in str(first.repositories[0].failed[images["one"]])
    assert (second.repositories[0].done, second.repositories[1].already) == ((deletion(images),), (copied,))
    assert names(tmp_path / "production") == {"1.0": images["one"]}
    with Layout(tmp_path / "production") as layout:
        assert [each.digest for each in layout.referrers(images["one"])] == [images["signature of one"]]


def test_a_tag_takes_one_head_and_one_put_and_a_manifest_one_get(registry: RunningRegistry, tmp_path: Path) -> None:
    images = Images("a", "b")
    images.tag("a", *(f"a-{number}" for number in range(5)))
    images.tag("b", *(f"b-{number}" for number in range(5)))
    place = filled(RegistryPlace(registry, f"applied/{next(NUMBERS)}"), images.graph, tmp_path / "source")
    changes = [AddTag(tag=f"new-{number}", digest=images["ab"[number % 2]]) for number in range(20)]
    changes += [MoveTag(tag=f"a-{number}", digest=images["b"], replaces=images["a"]) for number in range(5)]  # type: ignore[misc]
    heard: list[Any] = []

    done = apply_plan(place.plan(*changes), on_event=heard.append)

    sent = [event.method for event in heard if isinstance(event, Answered)]
    assert {each: sent.count(each) for each in {*sent}} == {
        "GET": 2,
        "HEAD": 25 + 1,
        "PUT": 25,
    }  # and one that shows that HEAD works
    assert len([event for event in heard if isinstance(event, Changed) and event.outcome == "done"]) == 25
    assert len(done.done) == 25


def test_open_stores_are_used(registry: RunningRegistry, tmp_path: Path) -> None:
    images = two()
    place = filled(RegistryPlace(registry, f"applied/{next(NUMBERS)}"), images.graph, tmp_path / "source")
    seen: list[Any] = []
    with Registry(registry.url, on_event=seen.append) as opened:
        repository = opened.repository(place.name.partition("/")[2])
        done = apply_plan(place.plan(AddTag(tag="1.4", digest=images["new"])), stores=[repository])
        assert "1.4" in repository.tags()

    assert len(done.done) == 1
    assert seen


@both
def test_a_store_that_cannot_be_opened_is_a_failure_of_its_repository(run: Doing, tmp_path: Path) -> None:
    images = two()
    place = filled(LayoutPlace(tmp_path / "there"), images.graph, tmp_path / "source")
    other = RepositoryTagPlan(repository=f"oci:{tmp_path / 'nothing'}", changes=(Untag(tag="a", digest=MISSING),))
    good = place.plan(Untag(tag="latest", digest=images["old"], other_tags=("1.4.1",)))

    done = run.apply(TagPlan(repositories=(other, *good.repositories)))

    assert isinstance(done.repositories[0].failure, errors.NotFoundError)
    assert len(done.repositories[1].done) == 1
    assert not (tmp_path / "nothing").exists()


@both
def test_only_undo_restores_manifests(run: Doing, tmp_path: Path) -> None:
    images = two()
    place = filled(LayoutPlace(tmp_path / "there"), images.graph, tmp_path / "source")

    done = run.apply(place.plan(RestoreManifest(digest=MISSING)))

    assert isinstance(done.repositories[0].failed[MISSING], errors.UnsupportedError)


def test_a_registry_without_deletion_of_tags_does_not_list_those_that_were_deleted_together(
    registry: RunningRegistry, tmp_path: Path
) -> None:
    images = Images("one")
    tags = [f"rc{number}" for number in range(60)]
    images.tag("one", "1", *tags)
    place = RegistryPlace(registry, f"applied/{next(NUMBERS)}")
    filled(place, images.graph, tmp_path / "source")

    done = apply_plan(place.plan(*(Untag(tag=tag, digest=images["one"], other_tags=("1",)) for tag in tags)))

    assert len(done.done) == 60
    assert httpx.get(f"{place.url}/tags/list").json()["tags"] == ["1"]
