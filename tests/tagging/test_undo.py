"""A journal has what undoes each change, before it is made."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dreg_client import (
    AddTag,
    CopyTag,
    DeleteManifest,
    Digest,
    Layout,
    MoveTag,
    RepositoryTagPlan,
    RestoreManifest,
    TagPlan,
    Untag,
    apply_plan,
    errors,
    undo,
)
from tests.copying.graphs import names
from tests.registries import RunningRegistry
from tests.tagging.changing import Doing, Images, LayoutPlace, Place, RegistryPlace, both, filled, lines_of

NUMBERS = count()
Make = Callable[[Images], Place]


@pytest.fixture(params=["registry", "layout"])
def make(request: pytest.FixtureRequest, registry: RunningRegistry, tmp_path: Path) -> Make:
    """Write images to a new repository, or to a new layout."""

    def write(images: Images) -> Place:
        number = next(NUMBERS)
        of_registry = request.param == "registry"
        place = RegistryPlace(registry, f"undone/{number}") if of_registry else LayoutPlace(tmp_path / f"at-{number}")
        return filled(place, images.graph, tmp_path / f"source-{number}")

    return write


def everything() -> tuple[Images, list[Any]]:
    """Images, and changes of each kind."""
    images = Images("old", "new", "gone", "amd64", "arm64", "signature", one=["amd64", "arm64"])
    images.tag("old", "1.4.1", "latest")
    images.tag("new", "1.4.2")
    images.tag("gone", "rc1")
    images.tag("one", "1", "stable")
    signature = f"{images['one'].replace(':', '-')}.sig"
    images.tag("signature", signature)
    return images, [
        AddTag(tag="1.4", digest=images["new"]),
        MoveTag(tag="latest", digest=images["new"], replaces=images["old"]),
        Untag(tag="rc1", digest=images["gone"]),
        DeleteManifest(
            digest=images["one"],
            tags=("1", "stable"),
            platforms=(images["amd64"], images["arm64"]),
            digest_tags=(signature,),
        ),
    ]


@both
def test_undo_restores_every_tag_and_manifest(run: Doing, make: Make, tmp_path: Path) -> None:
    images, changes = everything()
    place, journal = make(images), tmp_path / "changes.jsonl"
    before = place.tags()

    done = run.apply(place.plan(*changes), journal=journal)
    changed = place.tags()
    shown = run.undo(journal, dry_run=True)
    undone = run.undo(journal)
    again = run.undo(journal)

    assert (len(done.done), dict(done.failures)) == (4, {})
    assert changed == dict.fromkeys(["1.4", "1.4.2", "latest"], images["new"]) | {"1.4.1": images["old"]}
    assert [change.action for change in shown.changes] == ["restore", "tag", "move", "untag"]
    assert (undone.done, dict(undone.failures)) == (shown.changes, {})
    assert place.tags() == before
    assert all(map(place.has, [images["amd64"], images["arm64"], images["signature"]]))
    assert again.repositories == ()


@both
def test_a_referrer_is_listed_again_after_undo(run: Doing, make: Make, tmp_path: Path) -> None:
    images = Images("one", "other")
    images.tag("one", "1")
    images.tag("other", "2")
    signature = images.sign("one")
    place, journal = make(images), tmp_path / "changes.jsonl"
    before = place.tags()

    done = run.apply(
        place.plan(DeleteManifest(digest=images["one"], tags=("1",), referrers=(signature,))), journal=journal
    )
    assert (dict(done.failures), place.tags()) == ({}, {"2": images["other"]})
    undone = run.undo(journal)

    assert not undone.failures
    assert place.tags() == before
    assert place.has(signature)


@both
def test_undo_leaves_what_another_client_has_changed_since(run: Doing, make: Make, tmp_path: Path) -> None:
    images, changes = everything()
    place, journal = make(images), tmp_path / "changes.jsonl"
    run.apply(place.plan(*changes), journal=journal)
    someone = place.plan(
        MoveTag(tag="latest", digest=images["old"], replaces=images["new"]),
        MoveTag(tag="1.4", digest=images["old"], replaces=images["new"]),
        AddTag(tag="stable", digest=images["old"]),
        AddTag(tag="rc1", digest=images["new"]),
    )
    assert not apply_plan(someone).failures

    undone = run.undo(journal)

    assert {*undone.conflicts} == {f"{place.name}:1.4", f"{place.name}:rc1", f"{place.name}@{images['one']}"}
    found = place.tags()
    assert {tag: found[tag] for tag in ("1.4", "latest", "rc1", "stable", "1")} == {
        "1.4": images["old"],
        "latest": images["old"],
        "rc1": images["new"],
        "stable": images["old"],
        "1": images["one"],
    }


@both
def test_copies_lose_their_tags(run: Doing, make: Make, tmp_path: Path) -> None:
    images = Images("new", "old")
    images.tag("new", "2")
    images.tag("old", "1")
    place, journal, into = make(images), tmp_path / "changes.jsonl", tmp_path / "production"
    apply_plan(_copying(f"oci:{into}", place, images, "stable", "1", None))
    first, second = (
        _copying(f"oci:{into}", place, images, tag, "2", replaces).changes
        for tag, replaces in (("2.0", None), ("stable", images["old"]))
    )
    plan = TagPlan(repositories=(RepositoryTagPlan(repository=f"oci:{into}", changes=(*first, *second)),))

    done = run.apply(plan, journal=journal)
    after = names(into)
    undone = run.undo(journal)

    assert (len(done.done), after) == (2, {"2.0": images["new"], "stable": images["new"]})
    assert (len(undone.done), names(into)) == (2, {"stable": images["old"]})


def _copying(into: str, place: Place, images: Images, tag: str, source_tag: str, replaces: Digest | None) -> TagPlan:
    digest = images["new" if source_tag == "2" else "old"]
    change = CopyTag(source=place.name, tag=tag, digest=digest, source_tag=source_tag, replaces=replaces)
    return TagPlan(repositories=(RepositoryTagPlan(repository=into, changes=(change,)),))


def test_each_step_is_in_the_journal_before_and_after_it(make: Make, tmp_path: Path) -> None:
    images, changes = everything()
    place, journal = make(images), tmp_path / "changes.jsonl"

    apply_plan(place.plan(*changes, AddTag(tag="1.4.1", digest=images["new"])), journal=journal)

    start, *lines = lines_of(journal)
    assert (start["kind"], start["version"], start["plan"][:7]) == ("start", 1, "sha256:")
    steps = {line["step"]: line for line in lines if line["kind"] == "step"}
    ends = {line["step"]: line for line in lines if line["kind"] == "end"}
    assert steps.keys() == ends.keys()
    assert sorted(end["outcome"] for end in ends.values()) == ["conflict", "done", "done", "done", "done"]
    (deleted,) = (step for step in steps.values() if step["change"]["action"] == "delete")
    assert [each["digest"] for each in deleted["manifests"]] == [
        images[each] for each in ("one", "amd64", "arm64", "signature")
    ]
    assert {each["tag"] for each in deleted["tags"]} >= {"1", "stable"}


def killed_after(journal: Path, count: int) -> None:
    """Leave the journal as a process leaves it that was killed while it wrote a line."""
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:count]) + lines[count][: len(lines[count]) // 2])


@both
def test_the_same_plan_continues_where_it_was_killed(run: Doing, make: Make, tmp_path: Path) -> None:
    images, changes = everything()
    place, journal = make(images), tmp_path / "changes.jsonl"
    before, plan = place.tags(), place.plan(*changes)
    run.apply(plan, journal=journal)
    after = place.tags()
    for cut in range(1, len(lines_of(journal))):
        whole = journal.read_bytes()
        killed_after(journal, cut)

        done = run.apply(plan, journal=journal)

        assert (dict(done.failures), place.tags()) == ({}, after)
        journal.write_bytes(whole)
    run.undo(journal)
    assert place.tags() == before


@both
def test_undo_continues_where_it_was_killed(run: Doing, make: Make, tmp_path: Path) -> None:
    images, changes = everything()
    place, journal = make(images), tmp_path / "changes.jsonl"
    before = place.tags()
    run.apply(place.plan(*changes), journal=journal)
    begin = len(lines_of(journal))
    run.undo(journal)
    whole = journal.read_bytes()
    for cut in range(begin, len(whole.splitlines())):
        journal.write_bytes(whole)
        killed_after(journal, cut)

        undone = run.undo(journal)

        assert (dict(undone.failures), place.tags()) == ({}, before)


@both
def test_a_conflict_is_not_undone(run: Doing, tmp_path: Path) -> None:
    images, _ = everything()
    place, journal = filled(LayoutPlace(tmp_path / "there"), images.graph, tmp_path), tmp_path / "changes.jsonl"

    run.apply(place.plan(AddTag(tag="latest", digest=images["new"])), journal=journal)

    assert run.undo(journal, dry_run=True).is_empty


@both
def test_the_journal_of_another_plan_is_rejected(run: Doing, tmp_path: Path) -> None:
    images, changes = everything()
    place, journal = filled(LayoutPlace(tmp_path / "there"), images.graph, tmp_path), tmp_path / "changes.jsonl"
    run.apply(place.plan(changes[0]), journal=journal)
    written = journal.read_bytes()

    with pytest.raises(errors.ConfigError, match="belongs to another plan"):
        run.apply(place.plan(changes[1]), journal=journal)
    assert journal.read_bytes() == written
    run.undo(journal)
    with pytest.raises(errors.ConfigError, match="were undone"):
        run.apply(place.plan(changes[0]), journal=journal)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"my notes", "is not a journal of tag changes"),
        (b"my notes\n", "is not a journal of tag changes"),
        (b'{"kind":"start","journal":"tag changes","version":2}\n', "damaged in line 1"),
        (b"%s\n{}\n", "damaged in line 2"),
        (b'%s\n{"kind":"end","step":7,"outcome":"done"}\n', "line 2: there is no step 7 before it"),
        (b"%s\n%s\n", "line 2: only the first line can be of kind start"),
        (b"%s\n\xff\n", "damaged in line 2"),
    ],
)
def test_a_file_that_is_not_a_journal_is_not_changed(content: bytes, message: str, tmp_path: Path) -> None:
    images, changes = everything()
    place, journal = filled(LayoutPlace(tmp_path / "there"), images.graph, tmp_path), tmp_path / "changes.jsonl"
    apply_plan(place.plan(), journal=journal)
    octets = content.replace(b"%s", journal.read_bytes().strip())
    journal.write_bytes(octets)

    for call in (lambda: apply_plan(place.plan(*changes), journal=journal), lambda: undo(journal)):
        with pytest.raises(errors.ConfigError, match=message) as caught:
            call()
        assert "changes.jsonl" in str(caught.value)
    assert journal.read_bytes() == octets
    assert "1.4" not in place.tags()


def test_undo_of_a_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(errors.FileError, match="does not exist"):
        undo(tmp_path / "none.jsonl")
    assert not (tmp_path / "none.jsonl").exists()


def test_manifests_in_a_journal_that_was_changed_are_rejected(tmp_path: Path) -> None:
    images, changes = everything()
    place, journal = filled(LayoutPlace(tmp_path / "there"), images.graph, tmp_path), tmp_path / "changes.jsonl"
    apply_plan(place.plan(changes[3]), journal=journal)
    start, step, end = lines_of(journal)
    step["manifests"][0]["raw"] = "e30="
    journal.write_text("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in (start, step, end)))

    undone = undo(journal)

    assert isinstance(undone.repositories[0].failed[images["one"]], errors.DigestMismatchError)
    with Layout(tmp_path / "there") as layout:
        assert "1" not in layout.tags()
    assert isinstance(undo(journal, dry_run=True).changes[0], RestoreManifest)


def test_what_a_conflict_has_deleted_before_is_put_back(tmp_path: Path) -> None:
    images = Images("amd64", "arm64", one=["amd64", "arm64"], other=["arm64"])
    images.tag("one", "1")
    images.graph.entries.append(images.made["other"])  # an index without a name, which needs one of the platforms
    place, journal = filled(LayoutPlace(tmp_path / "there"), images.graph, tmp_path), tmp_path / "changes.jsonl"
    change = DeleteManifest(digest=images["one"], tags=("1",), platforms=(images["amd64"], images["arm64"]))

    done = apply_plan(place.plan(change), journal=journal)
    after = place.tags()
    undone = undo(journal)

    (failure,) = done.conflicts.values()
    assert "a part of it was deleted" in str(failure)
    assert (after, place.has(images["arm64"])) == ({}, True)
    assert (len(undone.done), place.tags()) == (1, {"1": images["one"]})
    assert place.has(images["amd64"])
